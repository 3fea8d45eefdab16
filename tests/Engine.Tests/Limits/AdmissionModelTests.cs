using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Tests.Fixtures;
using Tollgate.Engine.Tests.Keys;
using Tollgate.Engine.Tests.Usage;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Limits;

/// <summary>
/// Step 5 against a list of all that was ever taken: random arrivals, clocks that step and go back, settlements in any order. A failure
/// names its seed and step.
/// </summary>
public sealed class AdmissionModelTests
{
    [Fact]
    public void Every_decision_is_the_models_and_no_span_of_a_windows_length_holds_more_than_its_limit()
    {
        int seed = FuzzSeed.Take();
        for (int run = 0; run < 10; run++)
        {
            using var simulation = new Simulation(unchecked(seed + run));
            simulation.Run(1_000);
        }
    }

    private sealed class Simulation : IDisposable
    {
        private const long NowMs = 1_800_000_000_000;
        private const int KeyCount = 5;

        private static readonly long[] WindowsMs = [1_000, 60_000, 100_000, 3_600_000, 86_400_000];

        private readonly int _seed;
        private readonly Random _random;
        private readonly UsageMemory _memory = new(64);
        private readonly Balance _balance = new(3, new Money(5_000), Money.Zero);
        private readonly Gatekeeper _keeper;
        private readonly byte[][] _secrets;
        private readonly Limit[] _limits;
        private readonly long[] _amounts;
        private readonly ModelKey[] _keys;
        private readonly List<ModelReservation> _open = [];
        private long _available = 5_000;
        private long _held;
        private long _clockMs;
        private long _requestNo;
        private int _step;

        public Simulation(int seed)
        {
            (_seed, _random) = (seed, new Random(seed));
            _clockMs = _random.Next(4) == 0 ? _random.Next(200_000) : NowMs + _random.Next(1_000_000);
            _limits = [.. Enumerable.Range(0, _random.Next(1, LimitStates.Max + 1)).Select(i => Any(i))];
            _amounts = [.. _limits.Select(limit => _random.Next(8) switch
            {
                0 => 0,
                1 => LimitPlan.Unlimited,
                _ => limit.Counts is LimitCounts.Requests or LimitCounts.ConcurrentRequests ? _random.Next(1, 12) : _random.Next(1, 300),
            })];
            var catalogue = new LimitCatalogue(_limits, [new LimitPlan("free", _amounts)]);
            var admission = new Admission(new LimitTable(catalogue), _memory.Buffer);
            _keeper = new Gatekeeper(new KeyFormat(Make.FormatOptions), new KeyTable(), new ProjectTable(), admission);
            _keeper.Projects.TryApply(
                new ProjectEntry(1, "prj_1", "org_1")
                {
                    Version = 1, State = ProjectState.Active, OrganizationNo = 3, Balance = _random.Next(3) > 0 ? _balance : null,
                },
                out uint project);
            _keeper.Projects.TryFind(project, out ProjectEntry? entry);
            IsPaid = entry!.Balance is not null;
            _secrets = new byte[KeyCount][];
            _keys = new ModelKey[KeyCount];
            for (uint i = 0; i < KeyCount; i++)
            {
                _secrets[i] = Encoding.ASCII.GetBytes(_keeper.Format.Mint(0));
                KeyLimit[] own = _random.Next(3) > 0 ? [] : [new KeyLimit((byte)_random.Next(_limits.Length), _random.Next(0, 20))];
                _keys[i] = new ModelKey(_limits, _amounts, own);
                _keeper.Keys.Load(Make.Entry(i + 1, 1, KeyHash.Of(_secrets[i])) with
                {
                    ProjectIndex = project, Profile = new KeyProfile { Limits = own },
                });
            }
        }

        private bool IsPaid { get; }

        private UsageBuffer Usage => _memory.Buffer;

        public void Run(int steps)
        {
            for (_step = 0; _step < steps; _step++)
            {
                Act();
                Same((_available, _held), (_balance.Available.Micros, _balance.Held.Micros), "the money");
                Same(_open.Count, _keeper.Admission.Reservations.Count, "open reservations");
                if (_random.Next(40) == 0)
                {
                    Usage.Free(Usage.Last - _random.NextInt64(Math.Min(Usage.Last - Usage.Freed, 20) + 1));
                }
            }
        }

        public void Dispose() => _memory.Dispose();

        private Limit Any(int i)
        {
            LimitCounts counts = _random.Pick(Enum.GetValues<LimitCounts>());
            return new Limit
            {
                Name = $"limit{i}",
                Counts = counts,
                WindowMs = counts == LimitCounts.ConcurrentRequests ? 0 : _random.Pick(WindowsMs),
            };
        }

        private void Act()
        {
            int what = _random.Next(100);
            if (what < 12)
            {
                // Mostly small steps, some to another slot, a few beyond a window.
                _clockMs += _random.Next(6) switch
                {
                    0 => _random.Next(100_000),
                    1 => _random.NextInt64(100_000_000),
                    _ => _random.Next(900),
                };
            }
            else if (what < 35 && _open.Count > 0)
            {
                Settle(_random.Next(_open.Count));
            }
            else if (what < 38)
            {
                Sweep();
            }
            else if (what < 50 && _open.Count > 0)
            {
                Extend(_random.Next(_open.Count));
            }
            else
            {
                Ask();
            }
        }

        private void Sweep()
        {
            for (int part = 0; part < 16; part++)
            {
                _keeper.Admission.Limits.Sweep(_clockMs);
            }

            Array.ForEach(_keys, key => key.Reach(_clockMs));
            int counted = _keys.Sum(key => key.CountAt(_clockMs));
            Same(counted, _keeper.Admission.Limits.Count, "the limits of which something counts");
        }

        private void Ask()
        {
            var ask = new Asked(
                _random.Next(KeyCount),
                ClockMs: Math.Max(0, _clockMs - (_random.Next(5) == 0 ? _random.Next(5_000) : 0)),
                Reserves: _random.Next(2) == 0,
                Input: _random.Next(3) == 0 ? _random.Next(350) : _random.Next(20),
                Output: _random.Next(3) == 0 ? _random.Next(350) : 0,
                Hold: _random.Next(3) == 0 ? null : _random.Next(5) == 0 ? _random.Next(6_000) : _random.Next(60));
            if (_random.Next(6) == 0)
            {
                Expect(ask, Taking.Look);
            }

            long retryMs = Expect(ask, Taking.Take);
            if (retryMs > 0 && _random.Next(4) == 0)
            {
                // Nothing else happens: just before the moment that was told it does not fit, and from then on it does.
                Expect(ask with { ClockMs = ask.ClockMs + retryMs - 1 }, Taking.Take);
                _clockMs = Math.Max(_clockMs, ask.ClockMs + retryMs);
                long again = Expect(ask with { ClockMs = ask.ClockMs + retryMs }, Taking.Take);
                Same(0L, again, "waiting as long as was told");
            }
        }

        // Makes the request, holds it against the model, and tells after how long a limit with a window has room.
        private long Expect(Asked ask, Taking taking)
        {
            long noted = Usage.Last;
            bool isFull = noted - Usage.Freed >= Usage.Capacity;
            long clockMs = _keys[ask.Key].Reach(ask.ClockMs);
            var limits = _keys[ask.Key].Applying(ask);
            (VerdictCode code, int refusing, long retryMs) = Decide(ask, limits, clockMs);
            bool takes = taking == Taking.Take && code == VerdictCode.Allowed && !isFull;
            code = taking == Taking.Take && isFull && code == VerdictCode.Allowed ? VerdictCode.Busy : code;
            LimitState[] before = [.. limits.Select(limit => limit.StateOf(ask, clockMs))];
            if (takes)
            {
                Take(ask, limits, clockMs);
            }

            Verdict verdict = Check(ask, taking);
            Same((code, refusing, retryMs), (verdict.Code, verdict.RefusingLimit, verdict.RetryAfterMs), "the decision");
            LimitState[] told = [.. Enumerable.Range(0, verdict.Limits.Count).Select(i => verdict.Limits[i])];
            LimitState[] expected = takes ? [.. limits.Select(limit => limit.StateOf(ask, clockMs) with { RetryMs = 0 })] : before;
            Same(string.Join(' ', expected), string.Join(' ', told), "the states");
            Noted(ask, taking, code, noted);
            return code == VerdictCode.RateLimited && _limits[refusing].WindowMs > 0 ? retryMs : 0;
        }

        private (VerdictCode Code, int Refusing, long RetryMs) Decide(Asked ask, List<ModelLimit> limits, long clockMs)
        {
            if (limits.Find(limit => !limit.Fits(ask)) is { } tooSmall)
            {
                return (VerdictCode.ExceedsLimit, tooSmall.Number, 0);
            }

            LimitState[] states = [.. limits.Select(limit => limit.StateOf(ask, clockMs))];
            if (states.Any(state => state.RetryMs > 0))
            {
                LimitState last = states.MaxBy(state => state.RetryMs);
                return (VerdictCode.RateLimited, last.Limit, last.RetryMs);
            }

            long least = ask.Hold ?? 1;
            return !IsPaid || _available >= least ? (VerdictCode.Allowed, -1, 0)
                : _held > 0 && _available + _held >= least ? (VerdictCode.InFlightHolds, -1, 1_000)
                : (VerdictCode.WalletEmpty, -1, 0);
        }

        private void Take(Asked ask, List<ModelLimit> limits, long clockMs)
        {
            long price = IsPaid ? ask.Hold ?? 0 : 0;
            var bookings = limits.Select(limit => limit.Book(ask, clockMs)).ToList();
            _available -= price;
            if (ask.Reserves)
            {
                _held += price;
                _open.Add(new ModelReservation(_requestNo + 1, ask.Key, bookings) { Held = price, Input = (uint)ask.Input });
            }
            else
            {
                bookings.ForEach(booking => booking.End());
            }

            foreach (ModelLimit limit in limits)
            {
                limit.AssertSpans(clockMs, message => Assert.Fail($"seed {_seed} step {_step}: {message}"));
            }
        }

        private Verdict Check(Asked ask, Taking taking) => _keeper.Check(new CheckRequest
        {
            Secret = _secrets[ask.Key],
            NowMs = NowMs,
            ClockMs = ask.ClockMs,
            Taking = taking,
            RequestNo = ++_requestNo,
            Reserves = ask.Reserves,
            InputTokens = ask.Input,
            OutputTokens = ask.Output,
            Hold = ask.Hold is { } hold ? new Money(hold) : null,
        });

        private void Noted(Asked ask, Taking taking, VerdictCode code, long before)
        {
            bool notes = taking == Taking.Take && code != VerdictCode.Busy
                && (code == VerdictCode.Allowed || before - Usage.Freed < Usage.Capacity / 2);
            Same(before + (notes ? 1 : 0), Usage.Last, "the number of events");
            if (notes)
            {
                Assert.True(Usage.TryRead(Usage.Last, out UsageEvent last));
                UsageKind kind = code != VerdictCode.Allowed ? UsageKind.Refused : ask.Reserves ? UsageKind.Reserved : UsageKind.Passed;
                Same((kind, _requestNo, (uint)ask.Key + 1), (last.Kind, last.RequestNo, last.KeyNo), "the event");
                Same(kind == UsageKind.Refused ? 0 : IsPaid ? ask.Hold ?? 0 : 0, last.CostMicros, "the event's cost");
            }
        }

        private void Extend(int index)
        {
            ModelReservation open = _open[index];
            long held = _random.Next(4) == 0 ? _random.Next(6_000) : open.Held + _random.Next(-20, 60);
            var marked = (Input: (uint)_random.Next(400), Output: (uint)_random.Next(400), Cost: (long)_random.Next(80));
            long more = IsPaid ? Math.Max(0, held - open.Held) : 0;
            bool isFull = Usage.Last - Usage.Freed >= Usage.Capacity;
            SettleResult expected = more > _available ? SettleResult.Unpaid : isFull ? SettleResult.Full : SettleResult.Done;
            long noted = Usage.Last;

            SettleResult result = _keeper.Admission.TryExtend(
                open.RequestNo, new Money(held), marked.Input, marked.Output, new Money(marked.Cost), NowMs, _clockMs);

            Same(expected, result, "extending");
            Same(noted + (result == SettleResult.Done ? 1 : 0), Usage.Last, "the number of events");
            if (result == SettleResult.Done)
            {
                (open.Input, open.Output, open.Cost) =
                    (Math.Max(open.Input, marked.Input), Math.Max(open.Output, marked.Output), Math.Max(open.Cost, marked.Cost));
                open.Held += more;
                (_available, _held) = (_available - more, _held + more);
                Assert.True(Usage.TryRead(Usage.Last, out UsageEvent last));
                Same(more > 0 ? UsageKind.Extended : UsageKind.Marked, last.Kind, "the event");
                Same(more > 0 ? (open.Held, open.Cost) : (open.Cost, 0), (last.CostMicros, last.LossMicros), "the event's money");
                Same((open.Input, open.Output), (last.InputTokens, last.OutputTokens), "the event's tokens");
            }

            Assert.True(_keeper.Admission.Reservations.TryGet(open.RequestNo, out Reservation there));
            Same((open.Held, open.Cost), (there.Held.Micros, there.MarkedCost.Micros), "the reservation's money");
            Same((open.Input, open.Output), (there.MarkedInputTokens, there.MarkedOutputTokens), "the reservation's mark");
        }

        private void Settle(int index)
        {
            ModelReservation open = _open[index];
            var settlement = new Settlement
            {
                InputTokens = (uint)_random.Next(400),
                OutputTokens = (uint)_random.Next(400),
                Cost = new Money(_random.Next(80)),
                AtMs = NowMs,
                ClockMs = _clockMs,
            };
            bool isFull = Usage.Last - Usage.Freed >= Usage.Capacity;
            SettleResult result = _keeper.Admission.Settle(open.RequestNo, in settlement, out long sequence);
            Same(isFull ? SettleResult.Full : SettleResult.Done, result, "settling");
            if (isFull)
            {
                return;
            }

            Same(Usage.Last, sequence, "the settlement's place");
            Same(SettleResult.NotOpen, _keeper.Admission.Settle(open.RequestNo, in settlement, out _), "settling twice");
            long billed = IsPaid ? Math.Min(open.Held, settlement.Cost.Micros) : settlement.Cost.Micros;
            Assert.True(Usage.TryRead(sequence, out UsageEvent last));
            Same((billed, settlement.Cost.Micros - billed), (last.CostMicros, last.LossMicros), "what was billed");
            _held -= open.Held;
            _available += IsPaid ? open.Held - billed : 0;
            _open.RemoveAt(index);
            if (open.Bookings.Count > 0)
            {
                _keys[open.Key].Reach(_clockMs);
            }

            open.Bookings.ForEach(booking => booking.Settle(settlement.InputTokens, settlement.OutputTokens));
        }

        private void Same<T>(T expected, T actual, string what)
        {
            if (!EqualityComparer<T>.Default.Equals(expected, actual))
            {
                Assert.Fail($"FUZZ_SEED={_seed} step {_step}: {what} should be {expected}, is {actual}.");
            }
        }
    }
}
