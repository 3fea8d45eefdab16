namespace Tollgate.Engine.Limits;

/// <summary>Room for the state of 32 active limits: their windows in a row, and apart from those the earlier slots of each.</summary>
internal sealed class LimitChunk
{
    public const int Windows = 32;

    private readonly RollingWindow[] _windows = new RollingWindow[Windows];
    private readonly uint[] _earlier = new uint[Windows * RollingWindow.EarlierSlots];

    public ref RollingWindow this[uint index] => ref _windows[index];

    public Span<uint> EarlierOf(uint index) =>
        _earlier.AsSpan((int)index * RollingWindow.EarlierSlots, RollingWindow.EarlierSlots);
}
