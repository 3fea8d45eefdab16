using System.Runtime.InteropServices;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Journal;

/// <summary>
/// What a row of events comes to: lines of the log, sums, debits, and what stays open. A reservation that is settled within the row leaves
/// nothing but its line.
/// </summary>
internal sealed class FoldBatch
{
    private readonly LastingLimits _limits;
    private readonly IReadOnlyDictionary<long, OpenReservation> _known;
    private readonly IReadOnlySet<long> _booked;
    private readonly Dictionary<long, OpenReservation> _open = [];
    private readonly Dictionary<(long KeyNo, int Limit, long SlotMs), long> _windows = [];
    private readonly Dictionary<long, (Money Amount, long Requests)> _debits = [];
    private readonly HashSet<long> _seen;

    private FoldBatch(LastingLimits limits, IReadOnlyDictionary<long, OpenReservation> known, IReadOnlySet<long> booked) =>
        (_limits, _known, _booked, _seen) = (limits, known, booked, [.. booked]);

    public List<BookedRequest> Requests { get; } = [];

    public List<BookedRefusal> Refusals { get; } = [];

    /// <summary>When keys were last used by a secret that a rotation has replaced.</summary>
    public Dictionary<long, long> OldSecretUses { get; } = [];

    /// <summary>Reservations of earlier rows that ended.</summary>
    public List<long> Ended { get; } = [];

    /// <summary>Reservations that stay open: new, or with another mark or hold.</summary>
    public IReadOnlyCollection<OpenReservation> Open => _open.Values;

    public IReadOnlyList<WindowCount> Windows =>
    [
        .. _windows.Where(window => window.Value != 0).Select(window => new WindowCount
        {
            KeyNo = window.Key.KeyNo,
            LimitName = _limits.NameOf(window.Key.Limit),
            SlotMs = window.Key.SlotMs,
            Amount = window.Value,
        }),
    ];

    public IReadOnlyList<UsageDebit> Debits =>
        [.. _debits.Select(debit => new UsageDebit(debit.Key, debit.Value.Amount, debit.Value.Requests))];

    /// <summary>The reservations of earlier rows that these events are about.</summary>
    public static IReadOnlyCollection<long> NeededBy(ReadOnlySpan<UsageEvent> events)
    {
        HashSet<long> made = [], needed = [];
        foreach (ref readonly var happened in events)
        {
            if (happened.Kind == UsageKind.Reserved)
            {
                made.Add(happened.RequestNo);
            }
            else if (happened.Kind is UsageKind.Marked or UsageKind.Extended or UsageKind.Settled
                && !made.Contains(happened.RequestNo))
            {
                needed.Add(happened.RequestNo);
            }
        }

        return needed;
    }

    /// <param name="events">In their order.</param>
    /// <param name="limits">Of the provider file.</param>
    /// <param name="known">The reservations that <see cref="NeededBy"/> asked for, as far as they are there.</param>
    /// <param name="booked">Requests of these events whose line is there already, so that nothing of them is booked again.</param>
    public static FoldBatch Of(
        ReadOnlySpan<UsageEvent> events, LastingLimits limits, IReadOnlyDictionary<long, OpenReservation> known,
        IReadOnlySet<long> booked)
    {
        var batch = new FoldBatch(limits, known, booked);
        foreach (ref readonly var happened in events)
        {
            batch.Add(in happened);
        }

        return batch;
    }

    private void Add(in UsageEvent happened)
    {
        switch (happened.Kind)
        {
            case UsageKind.Passed or UsageKind.Recorded:
                SeeSecret(in happened);
                if (Book(in happened) && _limits.Any)
                {
                    Count(happened.KeyNo, _limits.CountsOf(happened));
                }

                break;
            case UsageKind.Refused:
                Refuse(in happened);
                break;
            case UsageKind.Reserved:
                SeeSecret(in happened);
                if (!_booked.Contains(happened.RequestNo) && _open.TryAdd(happened.RequestNo, OpenReservation.Of(in happened))
                    && _limits.Any)
                {
                    Count(happened.KeyNo, _limits.CountsOf(happened));
                }

                break;
            case UsageKind.Marked:
                if (Find(happened.RequestNo) is { } marked)
                {
                    _open[happened.RequestNo] = marked.Marked(in happened);
                }

                break;
            case UsageKind.Extended:
                if (Find(happened.RequestNo) is { } extended)
                {
                    _open[happened.RequestNo] = extended.Extended(in happened);
                }

                break;
            case UsageKind.Settled:
                Settle(in happened);
                break;
            default:
                throw new InvalidDataException($"Event {happened.Sequence} of the spool is of kind {happened.Kind}, which nobody wrote.");
        }
    }

    /// <summary>Told again after a crash it says the same.</summary>
    private void SeeSecret(in UsageEvent happened)
    {
        if ((happened.Flags & UsageFlags.OldSecret) != 0)
        {
            ref var usedMs = ref CollectionsMarshal.GetValueRefOrAddDefault(OldSecretUses, happened.KeyNo, out _);
            usedMs = Math.Max(usedMs, happened.AtMs);
        }
    }

    private OpenReservation? Find(long requestNo) => _seen.Contains(requestNo) ? null
        : _open.TryGetValue(requestNo, out var open) ? open
        : _known.GetValueOrDefault(requestNo);

    private void Settle(in UsageEvent settled)
    {
        var open = Find(settled.RequestNo);
        if (_known.ContainsKey(settled.RequestNo))
        {
            Ended.Add(settled.RequestNo);
        }

        _open.Remove(settled.RequestNo);
        if (Book(in settled) && open is not null && _limits.Any)
        {
            Count(open.KeyNo, _limits.Corrections(open, settled));
        }
    }

    /// <summary>False when it is booked already.</summary>
    private bool Book(in UsageEvent happened)
    {
        if (!_seen.Add(happened.RequestNo))
        {
            return false;
        }

        var isPriced = (happened.Flags & UsageFlags.Priced) != 0;
        var flags = (BookedFlags)(happened.Flags & ~UsageFlags.OldSecret)
            | (happened.Kind == UsageKind.Recorded ? BookedFlags.Recorded : BookedFlags.None);
        Requests.Add(new BookedRequest
        {
            RequestNo = happened.RequestNo,
            KeyNo = happened.KeyNo,
            AtMs = happened.AdmittedAtMs,
            Model = happened.Model,
            PriceVersion = happened.PriceVersion,
            InputTokens = happened.InputTokens,
            OutputTokens = happened.OutputTokens,
            CachedTokens = happened.CachedTokens,
            ReasoningTokens = happened.ReasoningTokens,
            Cost = isPriced ? new Money(happened.CostMicros) : null,
            Loss = new Money(happened.LossMicros),
            Status = happened.Status,
            LatencyMs = happened.LatencyMs,
            Flags = flags,
        });
        if (isPriced && happened.CostMicros > 0)
        {
            ref var debit = ref CollectionsMarshal.GetValueRefOrAddDefault(_debits, happened.OrganizationNo, out _);
            debit = (debit.Amount + new Money(happened.CostMicros), debit.Requests + 1);
        }

        return true;
    }

    private void Refuse(in UsageEvent refused)
    {
        if (_seen.Add(refused.RequestNo))
        {
            Refusals.Add(new BookedRefusal
            {
                RequestNo = refused.RequestNo,
                KeyNo = refused.KeyNo,
                AtMs = refused.AtMs,
                Model = refused.Model,
                Code = refused.Code,
                LimitName = _limits.Refusing(in refused),
                LimitAmount = refused.LimitAmount,
                LimitRemaining = refused.LimitRemaining,
                RetryAtMs = refused.RetryAtMs,
            });
        }
    }

    private void Count(long keyNo, IEnumerable<(int Limit, long SlotMs, long Amount)> counts)
    {
        foreach (var (limit, slotMs, amount) in counts)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_windows, (keyNo, limit, slotMs), out _) += amount;
        }
    }
}
