using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Tollgate.Engine.Limits;

/// <summary>What one request took, from which limits. Not zeroed: what is beyond the count is anything.</summary>
internal struct TakenAmounts
{
    private Row _row;

    public int Count;

    /// <summary>The limits, a bit each by number.</summary>
    public int Bits;

    [UnscopedRef]
    public ref TakenAmount this[int index] => ref _row[index];

    [InlineArray(LimitStates.Max)]
    private struct Row
    {
        private TakenAmount _first;
    }
}

/// <summary>
/// What was taken from one limit. The fields are written and read one by one: read as a whole, they would have to arrive in memory first.
/// </summary>
internal struct TakenAmount
{
    /// <summary>The window's place in the stripe.</summary>
    public int Window;

    public uint Amount;
    public byte Limit;
}
