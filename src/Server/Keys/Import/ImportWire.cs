using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys.Import;

/// <summary>A key of another system, as it comes in: one line of an import. Absent members take the provider file's defaults.</summary>
internal sealed record ImportRow
{
    public string? ExternalId { get; init; }

    public string? ProjectId { get; init; }

    public string? Name { get; init; }

    /// <summary>The secret in clear. It leaves this record as a hash and a mask, and is in no answer.</summary>
    public string? Secret { get; init; }

    public string? SecretSha256 { get; init; }

    /// <summary>The secret's first characters, where only its hash is known.</summary>
    public string? Start { get; init; }

    /// <summary>Its last characters.</summary>
    public string? End { get; init; }

    public string? Environment { get; init; }

    public string? Type { get; init; }

    public IReadOnlyList<string>? Permissions { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public IReadOnlyList<string>? Rights { get; init; }

    public string? Description { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public bool? Disabled { get; init; }

    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>The only models it may be used for; null for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public JsonElement? Metadata { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The same as a request for a new key, whose rules it shares.</summary>
    public CreateKey Asked(string? environment) => new()
    {
        Name = Name,
        Environment = environment,
        Type = Type,
        Permissions = Permissions,
        Scopes = Scopes,
        Rights = Rights,
        Description = Description,
        ExpiresAt = ExpiresAt,
        AllowedAddresses = AllowedAddresses,
        Models = Models,
        Metadata = Metadata,
    };

    public override string ToString() => $"row {ExternalId} (secret redacted)";
}

/// <summary>What became of one row.</summary>
internal sealed record ImportResult
{
    /// <summary>In the body, counting from 1.</summary>
    public required int Line { get; init; }

    public required string? ExternalId { get; init; }

    /// <summary><c>created</c>, <c>unchanged</c> or <c>refused</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The key's; null for a refused row, and for a new one in a trial.</summary>
    public required string? Id { get; init; }

    public required ImportError? Error { get; init; }
}

/// <summary>Why a row was refused, in the words of a problem.</summary>
internal sealed record ImportError(string Code, string Detail, IReadOnlyList<FieldError> Errors)
{
    public static ImportError Of(Problem problem) => new(problem.Code.Code, problem.Detail, problem.Errors);
}

internal sealed record ImportAnswer(IReadOnlyList<ImportResult> Data, int Created, int Unchanged, int Refused)
{
    public static ImportAnswer Of(IReadOnlyList<ImportResult> rows) =>
        new(rows, Count(rows, ImportStatus.Created), Count(rows, ImportStatus.Unchanged), Count(rows, ImportStatus.Refused));

    private static int Count(IReadOnlyList<ImportResult> rows, string status) => rows.Count(row => row.Status == status);
}

/// <summary>What can become of a row.</summary>
internal static class ImportStatus
{
    public const string Created = "created";
    public const string Unchanged = "unchanged";
    public const string Refused = "refused";

    public static readonly string[] All = [Created, Unchanged, Refused];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(ImportRow))]
[JsonSerializable(typeof(ImportAnswer))]
internal sealed partial class ImportWire : JsonSerializerContext;
