using Microsoft.AspNetCore.Http;
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

    /// <summary>How what goes wrong is told to its client.</summary>
    public required RelayDialect Dialect { get; init; }
}

/// <summary>How what goes wrong on the way is told, as this provider words it.</summary>
/// <param name="NotAnswered">Answers in place of an upstream, of which there is nothing yet.</param>
/// <param name="Cut">The same, where the gate ended it.</param>
/// <param name="LastEvent">
/// What a stream that breaks ends with, an event with an error: an end without one would look like success to the clients there are.
/// </param>
internal sealed record RelayDialect(
    Func<HttpContext, UpstreamFault, Task> NotAnswered, Func<HttpContext, CutReason, Task> Cut,
    Func<HttpContext, CutReason, ReadOnlyMemory<byte>> LastEvent);
