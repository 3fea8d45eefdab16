using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Bench;

/// <summary>
/// The promise: three limits, wallet and usage counting together add at most half of the check without them and allocate nothing; two
/// threads on one key take at most three times as long a check as one; an active limit takes at most 160 bytes.
/// </summary>
internal sealed class LimitsBench
{
    private const int Keys = 100_000;
    private const int Iterations = 10_000;
    private const int RoundCount = 301;
    private const int PairRounds = 15;
    private const int PairIterations = 200_000;
    private const int Batch = 1_000;
    private const int UsageCapacity = 1 << 16;
    private const long NowMs = 1_800_000_000_000;
    private static readonly Requirement Needed = new(AnyScope: 0b100, Actions: 1);
    private static readonly Money Price = new(1);

    // Some hundred thousand requests a second: 64 a millisecond.
    private const int PerMs = 64;

    private readonly Gatekeeper _gate;
    private readonly UsageBuffer _usage;
    private readonly byte[] _secrets;
    private readonly byte[] _hot;
    private readonly int _length;
    private long _requestNo;
    private int _next;

    private unsafe LimitsBench()
    {
        var format = new KeyFormat(new KeyFormatOptions
        {
            Environments = [new("live", "tg_live_"), new("test", "tg_test_")],
            Length = 40,
            Crc32Checksum = true,
            MaskHead = 10,
            MaskTail = 4,
        });
        void* memory = NativeMemory.AlignedAlloc(UsageCapacity * UsageEvent.Bytes, 4_096);
        NativeMemory.Clear(memory, UsageCapacity * UsageEvent.Bytes);
        _usage = new UsageBuffer(memory, UsageCapacity, last: 0);
        var catalogue = new LimitCatalogue(
            [
                new Limit { Name = "rpm", Counts = LimitCounts.Requests, WindowMs = 60_000 },
                new Limit { Name = "rpd", Counts = LimitCounts.Requests, WindowMs = 86_400_000 },
                new Limit { Name = "tpm", Counts = LimitCounts.Tokens, WindowMs = 60_000 },
            ],
            [new LimitPlan("free", [Limit.AmountMax, Limit.AmountMax, Limit.AmountMax])]);
        var projects = new ProjectTable();
        _gate = new Gatekeeper(
            format,
            new KeyTable(new KeyTableOptions { KeysMax = Keys, KeysAtStart = Keys }),
            projects,
            new Admission(new LimitTable(catalogue), _usage));
        projects.TryApply(
            new ProjectEntry(1, "prj_bench", "org_bench")
            {
                Version = 1,
                State = ProjectState.Active,
                OrganizationNo = 1,
                Balance = new Balance(1, new Money(Money.MicrosMax), Money.Zero),
            },
            out uint project);
        _length = format.LengthMax;
        _secrets = new byte[Keys * _length];
        var profile = new KeyProfile { Grants = new Grants(0b111, 3) };
        for (int i = 0; i < Keys; i++)
        {
            Span<byte> secret = _secrets.AsSpan(i * _length, _length);
            Encoding.ASCII.GetBytes(format.Mint(0), secret);
            _gate.Keys.EndLoad(_gate.Keys.BeginLoad(), new KeyEntry
            {
                KeyNo = (uint)i + 1,
                Version = 1,
                ProjectIndex = project,
                Hash = KeyHash.Of(secret),
                Profile = profile,
                Facts = new byte[120],
            });
        }

        _hot = _secrets.AsSpan(0, _length).ToArray();
    }

    public static int Run(string[] args)
    {
        var options = new Options(args);
        var page = new ResultPage("limits", "The check with limits, wallet and usage against the check without");
        var bench = new LimitsBench();
        bench.OneThread(page);
        bench.TwoThreads(page);
        bench.Memory(page);
        page.Save(options.Text("--results"));
        return 0;
    }

    private void OneThread(ResultPage page)
    {
        page.Add($"{RoundCount} rounds of {Iterations:N0} each in turns. Medians, with the least and the most.");
        page.Add("Three windows (two of a minute, one of a day), a wallet, an event for each request.");
        page.Add("");
        page.Add("| SHA-256 | operation | ns | ratio | bytes |");
        page.Add("| --- | --- | --- | --- | --- |");
        Print(page, Rounds.Measure(
            RoundCount,
            Iterations,
            ("check, one hot key", n => CheckHot(n, Taking.Nothing)),
            ("with three limits, wallet and usage", n => CheckHot(n, Taking.Take)),
            ("the same, only looked at", n => CheckHot(n, Taking.Look))));
        Print(page, Paid());
        // Every key's limits are there, and their memory, before it is measured.
        CheckAll(Keys, Taking.Take);
        Print(page, Rounds.Measure(
            RoundCount,
            Iterations,
            ($"check, random keys out of {Keys:N0}", n => CheckAll(n, Taking.Nothing)),
            ("with three limits, wallet and usage", n => CheckAll(n, Taking.Take))));
    }

    /// <summary>
    /// What a paid request takes before and after: in small batches, so that not more reservations are open than a busy gate has.
    /// </summary>
    private IReadOnlyList<Timing> Paid()
    {
        string[] names = ["check, one hot key", "with three limits, money held, usage and a reservation", "its settlement"];
        var nanoseconds = new double[names.Length][];
        Array.ForEach([0, 1, 2], i => nanoseconds[i] = new double[RoundCount]);
        long bytes = 0;
        var sums = new double[names.Length];
        for (int round = -20; round < RoundCount; round++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            Array.Clear(sums);
            for (int batch = 0; batch < Iterations / Batch; batch++)
            {
                long first = _requestNo + Batch + 1;
                sums[0] += Time(() => CheckHot(Batch, Taking.Nothing));
                sums[1] += Time(() => CheckHot(Batch, Taking.Take, reserves: true));
                sums[2] += Time(() => SettleAll(first));
            }

            for (int i = 0; i < names.Length && round >= 0; i++)
            {
                nanoseconds[i][round] = sums[i] / Iterations;
            }

            bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
        }

        // The lambdas of the batches are the bench's own; one byte a check would be a thousand a batch.
        double each = bytes / ((double)Iterations / Batch) < Batch ? 0 : (double)bytes / Iterations;
        return [.. names.Select((name, i) => new Timing(
            name, Spread.Of(nanoseconds[i]), Spread.Of(nanoseconds[i].Zip(nanoseconds[0], (mine, bare) => mine / bare)), each))];
    }

    private static double Time(Func<int> run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    private void TwoThreads(ResultPage page)
    {
        page.Add("");
        var one = new double[PairRounds];
        var two = new double[PairRounds];
        for (int round = -2; round < PairRounds; round++)
        {
            double alone = Together(1);
            double both = Together(2);
            if (round >= 0)
            {
                (one[round], two[round]) = (alone, both);
            }
        }

        Spread ratio = Spread.Of(two.Zip(one, (both, alone) => both / alone));
        page.Add($"A check on one key with limits, wallet and usage: {Spread.Of(one).ToText("F0")} ns on one thread,");
        page.Add($"{Spread.Of(two).ToText("F0")} ns on each of two threads at once: {ratio.ToText("F2")} times as long.");
    }

    private void Memory(ResultPage page)
    {
        // The buckets, four bytes for two limits there may be, are in neither figure: they were there before.
        var table = new LimitTable(_gate.Admission.Limits.Catalogue);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (uint key = 1; key <= Keys * 3; key++)
        {
            for (int limit = 0; limit < 3; limit++)
            {
                table.TryRestore(key, limit, [new SlotCount(NowMs, 1)], NowMs);
            }
        }

        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        page.Add("");
        page.Add(string.Create(
            CultureInfo.InvariantCulture, $"{table.Count:N0} active limits take {(double)bytes / table.Count:F0} bytes each."));
    }

    private static void Print(ResultPage page, IReadOnlyList<Timing> timings)
    {
        foreach (Timing timing in timings)
        {
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {KeyHash.Provider} | {timing.Name} | {timing.Nanoseconds.ToText("F0")} | {timing.Ratio.ToText("F2")} "
                + $"| {timing.Bytes:F0} |"));
        }
    }

    /// <summary>What a check takes on each of some threads at once.</summary>
    private double Together(int threads)
    {
        using var start = new Barrier(threads);
        var elapsed = new double[threads];
        Thread[] all = [.. Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            CheckHot(PairIterations, Taking.Take, first: (i + 1) * 1_000_000_000_000);
            elapsed[i] = Stopwatch.GetElapsedTime(from).TotalNanoseconds / PairIterations;
        }))];
        Array.ForEach(all, thread => thread.Start());
        Array.ForEach(all, thread => thread.Join());
        return elapsed.Max();
    }

    private int CheckHot(int iterations, Taking taking, bool reserves = false, long first = 0)
    {
        int allowed = 0;
        for (int i = 0; i < iterations; i++)
        {
            long no = first == 0 ? ++_requestNo : first + i;
            var request = new CheckRequest
            {
                Secret = _hot,
                Requirement = Needed,
                NowMs = NowMs,
                ClockMs = NowMs + ((first == 0 ? no : _requestNo + i) / PerMs),
                Taking = taking,
                RequestNo = no,
                Reserves = reserves,
                Hold = reserves ? Price : null,
                Model = 3,
                PriceVersion = 2,
                InputTokens = 20,
                OutputTokens = 30,
            };
            _gate.Check(in request, out Verdict verdict);
            allowed += verdict.IsAllowed ? 1 : 0;
            FreeSometimes(i);
        }

        return Expect(iterations, allowed);
    }

    private int SettleAll(long first)
    {
        int settled = 0;
        for (long no = first; no < first + Batch; no++)
        {
            var settlement = new Settlement
            {
                InputTokens = 20, OutputTokens = 10, Cost = Price, AtMs = NowMs, ClockMs = NowMs + (_requestNo / PerMs),
            };
            settled += _gate.Admission.Settle(no, in settlement, out _) == SettleResult.Done ? 1 : 0;
        }

        return Expect(Batch, settled);
    }

    private int CheckAll(int iterations, Taking taking)
    {
        int allowed = 0;
        for (int i = 0; i < iterations; i++)
        {
            long no = ++_requestNo;
            var request = new CheckRequest
            {
                Secret = _secrets.AsSpan(_next * _length, _length),
                Requirement = Needed,
                NowMs = NowMs,
                ClockMs = NowMs + (no / PerMs),
                Taking = taking,
                RequestNo = no,
                InputTokens = 20,
                OutputTokens = 30,
            };
            _gate.Check(in request, out Verdict verdict);
            allowed += verdict.IsAllowed ? 1 : 0;
            _next = _next + 1 == Keys ? 0 : _next + 1;
            FreeSometimes(i);
        }

        return Expect(iterations, allowed);
    }

    // As the fold would: what was noted is taken in. One thread at a time may free.
    private void FreeSometimes(int i)
    {
        if (i % 8_192 == 0)
        {
            lock (_usage)
            {
                _usage.Free(_usage.Last);
            }
        }
    }

    private static int Expect(int expected, int seen)
        => expected == seen ? seen : throw new InvalidOperationException($"expected {expected} allowed, saw {seen}");
}
