namespace Tollgate.Server.Surfaces;

/// <summary>What the room asks of the operator.</summary>
internal sealed record RelayOptions
{
    /// <summary>The largest body that is held in memory because what may pass depends on it.</summary>
    public required int BodyBytesMax { get; init; }

    /// <summary>For how long a gate that stops lets requests under way go on.</summary>
    public required TimeSpan Drain { get; init; }
}
