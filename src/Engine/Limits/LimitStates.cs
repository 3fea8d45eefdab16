using System.Runtime.CompilerServices;

namespace Tollgate.Engine.Limits;

/// <summary>How the limits that counted a request stood, in the order of the provider file. The default is none.</summary>
public struct LimitStates
{
    /// <summary>So many limits may count one request; the provider file's reader sees to it.</summary>
    public const int Max = 6;

    private Row _row;

    public int Count { get; private set; }

    public readonly LimitState this[int index] =>
        (uint)index < (uint)Count ? _row[index] : throw new ArgumentOutOfRangeException(nameof(index));

    internal void Add(in LimitState state) => _row[Count++] = state;

    [InlineArray(Max)]
    private struct Row
    {
        private LimitState _first;
    }
}
