using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>A check as it is sent; it describes what <see cref="VerifyCall"/> reads by hand.</summary>
internal sealed record VerifyBody
{
    /// <summary>The secret to check.</summary>
    public required string Key { get; init; }

    /// <summary>A declared scope, or <c>scope:action</c>.</summary>
    public string? Requires { get; init; }

    /// <summary>The method of the request to judge; together with <see cref="Path"/>, instead of <see cref="Requires"/>.</summary>
    public string? Method { get; init; }

    public string? Path { get; init; }

    /// <summary>The project the key must belong to.</summary>
    public string? Project { get; init; }

    /// <summary>
    /// Where the request comes from: for keys that may be used from certain addresses only, and whom an unknown key counts against.
    /// </summary>
    public string? Address { get; init; }

    /// <summary>The model that the request asks for; with it or <see cref="Tokens"/> the answer has a reservation, to be settled.</summary>
    public string? Model { get; init; }

    public VerifyTokens? Tokens { get; init; }
}

/// <summary>How many tokens the request will use at most.</summary>
internal sealed record VerifyTokens
{
    public required int Input { get; init; }

    /// <summary>Left out, the model's own default counts.</summary>
    public int? MaxOutput { get; init; }
}

internal sealed record VerifyBatchBody(IReadOnlyList<VerifyBody> Checks);

/// <summary>What <see cref="VerifyAnswer"/> writes by hand.</summary>
internal sealed record VerifyAnswerBody
{
    public required bool Valid { get; init; }

    /// <summary>Stable, such as <c>allowed</c>, <c>key_revoked</c>, <c>scope_missing</c>.</summary>
    public required string Code { get; init; }

    public required string Reason { get; init; }

    public required VerifiedKey? Key { get; init; }

    /// <summary>Under which the owner of the key finds this decision.</summary>
    public required string RequestId { get; init; }

    public string? RequiredPermission { get; init; }

    /// <summary>When the secret that was sent stops, because a rotation has replaced it; told of one that passes.</summary>
    public DateTimeOffset? SecretEndsAt { get; init; }

    /// <summary>To be settled by <c>POST /api/v1/usage</c>, once the request is over.</summary>
    public string? Reservation { get; init; }

    /// <summary>What was set aside of the organization's balance, as a decimal.</summary>
    public string? Held { get; init; }

    /// <summary>Where money can be put in; told where the lack of it refused.</summary>
    public string? TopUpUrl { get; init; }

    /// <summary>The limit that refused.</summary>
    public string? Limit { get; init; }

    /// <summary>Until the same request fits.</summary>
    public long? RetryAfterMs { get; init; }

    /// <summary>Each limit that counted the request.</summary>
    public IReadOnlyList<VerifiedLimit>? Limits { get; init; }

    /// <summary>False where the next request must be asked about anew, because each one counts.</summary>
    public bool? Cacheable { get; init; }
}

/// <summary>How a limit stands with this request counted.</summary>
internal sealed record VerifiedLimit
{
    public required string Name { get; init; }

    public required long Limit { get; init; }

    public required long Remaining { get; init; }

    /// <summary>Until the whole amount is back.</summary>
    public required long ResetAfterMs { get; init; }
}

internal sealed record VerifyBatchAnswerBody(IReadOnlyList<VerifyAnswerBody> Data);

/// <summary>What <see cref="Keys.KeyFactsText"/> writes.</summary>
internal sealed record VerifiedKey
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    public required string Environment { get; init; }

    public required string Type { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required IReadOnlyList<string> Rights { get; init; }

    /// <summary>The only models it may be used for; not told of a key for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public required DateTimeOffset? ExpiresAt { get; init; }

    public required JsonElement Metadata { get; init; }
}

/// <summary>One step of a check: passed, failed, or not reached because an earlier one failed.</summary>
internal sealed record ExplainStep(string Step, string Outcome, string? Detail);

internal sealed record ExplainAnswerBody(bool Valid, string Code, string Reason, IReadOnlyList<ExplainStep> Steps)
{
    /// <summary>The limits that would count the request, if it came now.</summary>
    public IReadOnlyList<VerifiedLimit> Limits { get; init; } = [];

    public long? RetryAfterMs { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(VerifyBody))]
[JsonSerializable(typeof(VerifyBatchBody))]
[JsonSerializable(typeof(VerifyAnswerBody))]
[JsonSerializable(typeof(VerifyBatchAnswerBody))]
[JsonSerializable(typeof(ExplainAnswerBody))]
internal sealed partial class VerificationWire : JsonSerializerContext;
