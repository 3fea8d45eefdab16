using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Gateway.Relay;

/// <summary>A request that may pass.</summary>
internal sealed record RelayCall
{
    public required UpstreamRequest Request { get; init; }

    /// <summary>Its call to a model, whose tokens are counted; null for what passes byte for byte.</summary>
    public ModelCall? Call { get; init; }

    /// <summary>Null where nothing is counted: the operator's own requests.</summary>
    public Bill? Bill { get; init; }

    /// <summary>
    /// What a stream that breaks ends with, an event with an error: an end without one would look like success to the clients there are.
    /// </summary>
    public required Func<CutReason, ReadOnlyMemory<byte>> LastEvent { get; init; }
}

/// <summary>The gate ended a request before its answer had begun.</summary>
internal sealed class RelayCutException(CutReason reason) : Exception($"cut: {reason}")
{
    public CutReason Reason { get; } = reason;
}
