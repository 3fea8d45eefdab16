namespace Tollgate.Server.Telemetry;

/// <summary>Where metrics and traces are sent by OTLP, and how much of them.</summary>
internal sealed record OtlpOptions
{
    public required Uri Endpoint { get; init; }

    public required bool IsGrpc { get; init; }

    /// <summary>Sent with every export, as <c>name=value,name=value</c>; may hold a token.</summary>
    public string? Headers { get; init; }

    public required string ServiceName { get; init; }

    public int IntervalSeconds { get; init; } = 60;

    /// <summary>Also export ASP.NET Core's own measurements, which cost something with every request.</summary>
    public bool HttpMetrics { get; init; }

    /// <summary>Never prints the headers.</summary>
    public override string ToString() => $"{ServiceName} to {Endpoint.Host}";
}
