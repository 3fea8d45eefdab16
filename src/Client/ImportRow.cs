using System.Text.Json.Nodes;

namespace Tollgate.Client;

/// <summary>
/// A key of another system. Give its <see cref="Secret"/> or its <see cref="SecretSha256"/>; what else is left out has the provider's
/// default.
/// </summary>
public sealed record ImportRow
{
    /// <summary>What the other system calls it: one key a project, by which a repeated row is known again.</summary>
    public required string ExternalId { get; init; }

    public required string Name { get; init; }

    /// <summary>Where the key goes, ahead of the project of the call.</summary>
    public string? ProjectId { get; init; }

    /// <summary>The secret, of the provider's own shape or of one that its file accepts. The gate keeps its hash.</summary>
    public Secret? Secret { get; init; }

    /// <summary>The SHA-256 of the secret: 64 hexadecimal digits, or 44 characters of base64.</summary>
    public string? SecretSha256 { get; init; }

    /// <summary>With a hash: the secret's first characters, for its mask.</summary>
    public string? Start { get; init; }

    /// <summary>With a hash: the secret's last characters.</summary>
    public string? End { get; init; }

    public string? Environment { get; init; }

    public string? Type { get; init; }

    public IReadOnlyList<string>? Permissions { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public IReadOnlyList<string>? Rights { get; init; }

    public string? Description { get; init; }

    /// <summary>When the key ends. One that has ended comes in expired.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public bool? Disabled { get; init; }

    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>The ids of the only models it may be used for, at most 100; null for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public JsonObject? Metadata { get; init; }

    /// <summary>When the other system made it.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>What became of the rows of a call, in their order.</summary>
public sealed record ImportReport
{
    public IReadOnlyList<ImportResult> Data { get; init => field = value ?? []; } = [];

    public int Created { get; init; }

    public int Unchanged { get; init; }

    public int Refused { get; init; }
}

/// <summary>What became of one row.</summary>
/// <param name="Line">Its line in the call, counting from 1.</param>
/// <param name="Status">What became of it.</param>
/// <param name="ExternalId">The row's own; null where it could not be read.</param>
/// <param name="Id">The key's; null for a refused row, and for a new one in a dry run.</param>
/// <param name="Error">Why it was refused.</param>
public sealed record ImportResult(int Line, ImportStatus Status, string? ExternalId = null, string? Id = null, ImportError? Error = null);

/// <summary>Why a row was refused.</summary>
public sealed record ImportError
{
    /// <summary>Stable, for programs; one of the gate's error codes.</summary>
    public required string Code { get; init; }

    public required string Detail { get; init; }

    /// <summary>The members at fault.</summary>
    public IReadOnlyList<FieldProblem> Errors { get; init => field = value ?? []; } = [];
}

/// <summary>What can become of a row. <see cref="Unknown"/> is a status this version of the client does not know.</summary>
public enum ImportStatus
{
    Unknown,
    Created,

    /// <summary>The same row came in before.</summary>
    Unchanged,
    Refused,
}
