using System.Text.Json.Nodes;

namespace Tollgate.Client;

/// <summary>
/// A question to the gate: may this key do that? Name what is needed by <see cref="Requires"/>, or the request itself by
/// <see cref="Method"/> and <see cref="Path"/>; with neither, only the key is checked.
/// </summary>
public sealed record Check
{
    /// <summary>Asks about a key as it came from a caller: any text, however malformed, is the gate's to judge.</summary>
    public static Check Of(string key) => new() { Key = Secret.Unchecked(key) };

    public required Secret Key { get; init; }

    /// <summary>What the key must hold, such as <c>endpoints:write</c>.</summary>
    public string? Requires { get; init; }

    public string? Method { get; init; }

    public string? Path { get; init; }

    /// <summary>The project the request is about; a key of another one is refused.</summary>
    public string? Project { get; init; }

    /// <summary>The address the request came from, for keys that are bound to addresses.</summary>
    public string? Address { get; init; }

    /// <summary>
    /// The model that the request asks for. With it or <see cref="Tokens"/> the verdict has a reservation, which is settled by
    /// <see cref="ReportCalls.SendAsync(UsageReport, CancellationToken)"/> once the request is over.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>How many tokens the request will use at most.</summary>
    public TokenBounds? Tokens { get; init; }
}

/// <summary>How many tokens a request will use at most.</summary>
/// <param name="Input">Of its input, counted or over-estimated.</param>
/// <param name="MaxOutput">Of its output; null leaves it to the model.</param>
public sealed record TokenBounds(int Input, int? MaxOutput = null);

/// <summary>What the gate decided.</summary>
public sealed record Verdict
{
    public required bool Valid { get; init; }

    /// <summary>Stable, for programs.</summary>
    public required string Code { get; init; }

    /// <summary>A sentence, for people.</summary>
    public string? Reason { get; init; }

    /// <summary>The key's facts; null when the key is not known.</summary>
    public VerdictKey? Key { get; init; }

    /// <summary>What would have been needed, such as <c>endpoints:write</c>.</summary>
    public string? RequiredPermission { get; init; }

    /// <summary>
    /// When this secret stops, ahead of its key, because a rotation has replaced it; null for a current one. Who keeps a verdict keeps it
    /// no longer than that, nor longer than <see cref="VerdictKey.ExpiresAt"/>.
    /// </summary>
    public DateTimeOffset? SecretEndsAt { get; init; }

    /// <summary>Under which the owner of the key finds this decision.</summary>
    public string? RequestId { get; init; }

    /// <summary>What was set aside for the request; to be settled once it is over.</summary>
    public string? Reservation { get; init; }

    /// <summary>How much of the organization's balance was set aside, as a decimal.</summary>
    public string? Held { get; init; }

    /// <summary>Where money can be put in; told where the lack of it refused.</summary>
    public string? TopUpUrl { get; init; }

    /// <summary>The limit that refused.</summary>
    public string? Limit { get; init; }

    /// <summary>Milliseconds until the same request fits; null where that is not a matter of time.</summary>
    public long? RetryAfterMs { get; init; }

    /// <summary>Each limit that counted the request.</summary>
    public IReadOnlyList<LimitStanding> Limits { get; init => field = value ?? []; } = [];

    /// <summary>False where every request must be asked about, because each one counts or costs.</summary>
    public bool? Cacheable { get; init; }
}

/// <summary>How a limit stands with this request counted.</summary>
public sealed record LimitStanding(string Name, long Limit, long Remaining, long ResetAfterMs);

/// <summary>The facts of a checked key that an API server acts on.</summary>
public sealed record VerdictKey
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    public string? Environment { get; init; }

    public string? Type { get; init; }

    public IReadOnlyList<string> Permissions { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Scopes { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Rights { get; init => field = value ?? []; } = [];

    /// <summary>The ids of the only models the key may be used for; null for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public JsonObject Metadata { get; init => field = value ?? []; } = [];
}

/// <summary>The decision step by step, for the key's owner. Taking it takes nothing from any limit.</summary>
public sealed record Explanation(bool Valid, string Code, IReadOnlyList<ExplanationStep> Steps);

/// <summary>A step of the check.</summary>
public sealed record ExplanationStep(string Step, StepOutcome Outcome, string? Detail = null);

/// <summary>How a step ended. <see cref="Unknown"/> is an outcome that this version of the client does not know.</summary>
public enum StepOutcome
{
    Unknown,
    Passed,
    Failed,
    NotReached,
}
