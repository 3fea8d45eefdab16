using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Limits;

/// <summary>What one request asks of its key's limits: which of them count it, what each allows, and how much it would take.</summary>
internal struct LimitClaims
{
    private Row _row;

    public int Count;

    /// <summary>All limits that count it, a bit each by number.</summary>
    public ushort Limits;

    /// <summary>Those of them that outlast a restart.</summary>
    public ushort Lasting;

    /// <summary>The place, among these, of the limit that refuses.</summary>
    public int Refusing;

    [UnscopedRef]
    public ref LimitClaim this[int index] => ref _row[index];

    /// <summary>
    /// Finds the limits that count a request. False where more do than a verdict has room for, which the provider file's reader rules out.
    /// </summary>
    public bool TryCollect(ReadOnlySpan<CountedLimit> limits, in CheckRequest request, KeyProfile profile)
    {
        foreach (ref readonly CountedLimit limit in limits)
        {
            long amount = profile.HasLimits ? profile.Lowered(limit.Number, limit.Amount) : limit.Amount;
            if (amount < 0 || !limit.Applies(request.Requirement)
                || (limit.Counts == LimitCounts.ConcurrentRequests && !request.Reserves))
            {
                continue;
            }

            if (Count == LimitStates.Max)
            {
                return false;
            }

            Add(in limit, amount, in request);
        }

        return true;
    }

    /// <summary>What a request counts for before it is settled.</summary>
    public static long EstimateOf(LimitCounts counts, uint inputTokens, uint outputTokens) => counts switch
    {
        LimitCounts.Tokens => (long)inputTokens + outputTokens,
        LimitCounts.InputTokens => inputTokens,
        LimitCounts.OutputTokens => outputTokens,
        _ => 1,
    };

    /// <summary>Notes for a reservation what is booked where.</summary>
    public readonly void CopyTo(ref BookedAmounts booked)
    {
        for (int i = 0; i < Count; i++)
        {
            booked.Add(_row[i].Limit, _row[i].Need);
        }
    }

    private void Add(in CountedLimit limit, long amount, in CheckRequest request)
    {
        ref LimitClaim claim = ref _row[Count++];
        long estimate = EstimateOf(limit.Counts, (uint)request.InputTokens, (uint)request.OutputTokens);
        long least = limit.Counts switch
        {
            LimitCounts.Tokens or LimitCounts.InputTokens => request.InputTokens,
            LimitCounts.OutputTokens => 0,
            _ => 1,
        };
        claim.Fits = least <= amount;
        claim.Amount = (uint)amount;
        claim.Need = (uint)Math.Min(estimate, amount);
        claim.SlotMs = limit.SlotMs;
        claim.Limit = limit.Number;
        var bit = (ushort)(1 << limit.Number);
        Limits |= bit;
        Lasting |= limit.Lasts ? bit : (ushort)0;
    }

    [InlineArray(LimitStates.Max)]
    private struct Row
    {
        private LimitClaim _first;
    }
}

/// <summary>A claim on one limit.</summary>
internal struct LimitClaim
{
    /// <summary>0 for concurrent requests.</summary>
    public long SlotMs;

    /// <summary>How long until there is room for it; 0 when there is.</summary>
    public long RetryMs;

    public uint Amount;

    /// <summary>
    /// What would be booked: of tokens the estimate, or the whole amount where the estimate is greater: the first request of an idle key is
    /// not refused for what it might use at worst.
    /// </summary>
    public uint Need;

    /// <summary>Its place in the stripe; -1 while nothing is counted there.</summary>
    public int Window;

    public byte Limit;

    /// <summary>False where not even an idle key could make the request: what it is sure to take is more than the amount.</summary>
    public bool Fits;
}
