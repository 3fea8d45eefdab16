using System.Runtime.CompilerServices;

namespace Tollgate.Engine.Limits;

/// <summary>How the limits that counted a request stood, in the order of the provider file. The default is none.</summary>
public struct LimitStates
{
    /// <summary>So many limits may count one request; the provider file's reader sees to it.</summary>
    public const int Max = 6;

    private Row _row;
    private int _count;

    public int Count
    {
        readonly get => _count;
        internal set => _count = value;
    }

    public readonly LimitState this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count, nameof(index));
            PackedState state = _row[index];
            return new LimitState(state.Limit, state.Amount, state.Remaining, state.ResetMs, state.RetryMs);
        }
    }

    internal void Add(byte limit, long amount, long remaining, long resetMs, long retryMs)
    {
        Set(_count, limit, amount, remaining, resetMs, retryMs);
        _count++;
    }

    /// <summary>For a caller that counts itself, and says in the end how many there are.</summary>
    internal void Set(int index, byte limit, long amount, long remaining, long resetMs, long retryMs)
    {
        ref PackedState state = ref _row[index];
        state.Amount = (uint)amount;
        state.Remaining = (uint)remaining;
        state.ResetMs = (uint)Math.Min(uint.MaxValue, resetMs);
        state.RetryMs = (uint)Math.Min(uint.MaxValue, retryMs);
        state.Limit = limit;
    }

    // Amounts are at most 10^9 and no window is longer than 31 days, so that half of a LimitState's bytes suffice: every verdict has these.
    private struct PackedState
    {
        public uint Amount;
        public uint Remaining;
        public uint ResetMs;
        public uint RetryMs;
        public byte Limit;
    }

    [InlineArray(Max)]
    private struct Row
    {
        private PackedState _first;
    }
}
