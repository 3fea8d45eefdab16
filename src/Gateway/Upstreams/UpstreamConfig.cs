namespace Tollgate.Gateway.Upstreams;

/// <summary>A server behind the gate, as the operator wrote it.</summary>
internal sealed record UpstreamConfig
{
    /// <summary>Told in logs and metrics; unique among the upstreams.</summary>
    public required string Name { get; init; }

    /// <summary>Where its API begins, such as <c>http://127.0.0.1:9000/v1</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary>Sent as its bearer token in place of the client's key; without one, nothing is sent.</summary>
    public string? Key { get; init; }

    /// <summary>The models it serves, a <c>*</c> at the end standing for any rest; empty for every model.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The paths it serves, as the provider file writes patterns; empty for every path.</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the request to the head of the answer: a whole completion, where it is not streamed.</summary>
    public TimeSpan FirstByte { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Between two reads of the answer, and two writes of the request.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Requests under way at a time; one more is refused, or goes to another.</summary>
    public int ConcurrencyMax { get; init; } = 10_000;

    /// <summary>
    /// A path, from the root of its host, that is asked every few seconds whether it answers 2xx; null to learn of health from requests
    /// alone.
    /// </summary>
    public string? HealthPath { get; init; }

    /// <summary>Whether the other says the same, lists by what they hold.</summary>
    public bool Equals(UpstreamConfig? other) => other is not null
        && (Name, Url.OriginalString, Key, Connect, FirstByte, Idle, ConcurrencyMax, HealthPath)
            == (other.Name, other.Url.OriginalString, other.Key, other.Connect, other.FirstByte, other.Idle, other.ConcurrencyMax,
                other.HealthPath)
        && Models.SequenceEqual(other.Models) && Routes.SequenceEqual(other.Routes);

    public override int GetHashCode() => HashCode.Combine(Name, Url.OriginalString);

    /// <summary>Never prints the key.</summary>
    public override string ToString() => $"{Name} at {Url}";
}
