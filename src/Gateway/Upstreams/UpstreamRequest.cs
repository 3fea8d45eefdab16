using Microsoft.AspNetCore.Http;

namespace Tollgate.Gateway.Upstreams;

/// <summary>A request on its way to an upstream.</summary>
internal sealed record UpstreamRequest
{
    public required string Method { get; init; }

    /// <summary>The path as the client sent it and the gate matched it.</summary>
    public required string Path { get; init; }

    /// <summary>With its question mark; empty for none.</summary>
    public string Query { get; init; } = "";

    /// <summary>Null where none is known: any upstream that serves the path will do.</summary>
    public string? Model { get; init; }

    /// <summary>The client's headers; what must not pass is left out on the way.</summary>
    public required IHeaderDictionary Headers { get; init; }

    /// <summary>The gate's own name of the request, sent as <c>X-Request-Id</c>; null passes on what the headers say.</summary>
    public string? RequestId { get; init; }

    /// <summary>The body in memory, which can be sent again to another upstream; null for <see cref="Stream"/>.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The body as it comes from the client, sent once, with the length its headers tell; null where there is none.</summary>
    public Stream? Stream { get; init; }

    /// <summary>Whether the answer will be read, so that it must come in no encoding.</summary>
    public bool ReadsAnswer { get; init; }
}

/// <summary>Why no upstream answered.</summary>
internal enum UpstreamFault
{
    /// <summary>None is configured for this path and model.</summary>
    NoneServes,

    /// <summary>All that serve it have as many requests under way as they may have.</summary>
    Busy,

    /// <summary>No connection, or it broke before the head of an answer.</summary>
    Unreachable,

    /// <summary>No head of an answer in time.</summary>
    TimedOut,

    /// <summary>It answered 401: the operator's credential is not good there.</summary>
    Unauthorized,

    /// <summary>What came is no HTTP.</summary>
    Garbled,
}

/// <summary>No upstream answered.</summary>
internal sealed class UpstreamException(UpstreamFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public UpstreamFault Fault { get; } = fault;
}
