using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Tollgate.Engine.Limits;

/// <summary>What one request asks of its key's limits, and where those stand. Not zeroed: what is beyond the count is anything.</summary>
internal struct LimitClaims
{
    private Row _row;

    public int Count;

    /// <summary>All limits that count it, a bit each by number.</summary>
    public ushort Bits;

    /// <summary>Those of them that outlast a restart.</summary>
    public ushort LastingBits;

    [UnscopedRef]
    public readonly ref readonly LimitClaim this[int index] => ref _row[index];

    [UnscopedRef]
    public ref LimitClaim At(int index) => ref _row[index];

    /// <summary>What a request counts for before it is settled.</summary>
    public static long EstimateOf(LimitCounts counts, uint inputTokens, uint outputTokens) => counts switch
    {
        LimitCounts.Tokens => (long)inputTokens + outputTokens,
        LimitCounts.InputTokens => inputTokens,
        LimitCounts.OutputTokens => outputTokens,
        _ => 1,
    };

    [InlineArray(LimitStates.Max)]
    private struct Row
    {
        private LimitClaim _first;
    }
}

/// <summary>
/// A claim on one limit. Its fields are written and read one by one: read as a whole, they would have to arrive in memory first.
/// </summary>
internal struct LimitClaim
{
    /// <summary>Which one, among those that bound the key.</summary>
    public int Index;

    /// <summary>Its place in the stripe; -1 while nothing is counted there.</summary>
    public int Window;

    public uint Amount;

    /// <summary>
    /// What would be booked: of tokens the estimate, or the whole amount where the estimate is greater: the first request of an idle key is
    /// not refused for what it might use at worst.
    /// </summary>
    public uint Need;
}
