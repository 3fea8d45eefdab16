using System.Buffers;
using System.Security.Cryptography;

namespace Tollgate.Server.Organizations;

/// <summary>An owner of projects. The operator's own is the one made at the first start.</summary>
internal sealed record Organization
{
    public required long OrganizationNo { get; init; }

    public required OrganizationId Id { get; init; }

    public required string Name { get; init; }

    public required bool IsOperator { get; init; }

    /// <summary>By its name; null for the provider file's default. See <see cref="PlanBook"/>.</summary>
    public string? Plan { get; init; }

    public required long CreatedAtMs { get; init; }

    public required long Version { get; init; }

    public long? SuspendedAtMs { get; init; }

    public long? DeletedAtMs { get; init; }

    public string Status => DeletedAtMs is not null ? "deleted" : SuspendedAtMs is not null ? "suspended" : "active";
}

/// <summary>A holder of keys inside an organization.</summary>
internal sealed record Project
{
    public required long ProjectNo { get; init; }

    public required ProjectId Id { get; init; }

    public required long OrganizationNo { get; init; }

    public required OrganizationId OrganizationId { get; init; }

    public required string OrganizationName { get; init; }

    public required long OrganizationCreatedAtMs { get; init; }

    /// <inheritdoc cref="Organization.Plan"/>
    public string? OrganizationPlan { get; init; }

    public required string Name { get; init; }

    public required long CreatedAtMs { get; init; }

    public required long Version { get; init; }

    public required bool OrganizationIsOpen { get; init; }

    public long? DeletedAtMs { get; init; }

    public bool IsOpen => DeletedAtMs is null && OrganizationIsOpen;

    public string Status => DeletedAtMs is not null ? "deleted" : "active";
}

/// <summary>
/// What the check must know of a project: a row of the view <c>project_owners</c>. The state is 0 open, 1 suspended, 2 deleted, the
/// organization's or the project's, whichever is worse; the version grows with every change of either.
/// </summary>
internal sealed record ProjectOwner
{
    public required long ProjectNo { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    public required long OrganizationNo { get; init; }

    /// <inheritdoc cref="Organization.Plan"/>
    public string? Plan { get; init; }

    public required long State { get; init; }

    public required long Version { get; init; }

    public required long IsOperator { get; init; }
}

/// <summary><c>org_</c> and 22 random characters. The default is no id at all and equals no stored one.</summary>
internal readonly record struct OrganizationId(string Text)
{
    public const string Prefix = "org_";

    public static OrganizationId New() => new(Prefix + RandomNumberGenerator.GetString(IdText.Alphabet, IdText.Length));

    public static OrganizationId? Parse(string text) => IdText.Has(text, Prefix) ? new OrganizationId(text) : null;

    public override string ToString() => Text ?? "";
}

/// <summary><c>prj_</c> and 22 random characters. The default is no id at all and equals no stored one.</summary>
internal readonly record struct ProjectId(string Text)
{
    public const string Prefix = "prj_";

    public static ProjectId New() => new(Prefix + RandomNumberGenerator.GetString(IdText.Alphabet, IdText.Length));

    public static ProjectId? Parse(string text) => IdText.Has(text, Prefix) ? new ProjectId(text) : null;

    public override string ToString() => Text ?? "";
}

/// <summary>The shape of ids: 22 characters of 62 hold 130 random bits, so that an id cannot be guessed.</summary>
file static class IdText
{
    public const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    public const int Length = 22;

    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    public static bool Has(string text, string prefix) =>
        text.Length == prefix.Length + Length
        && text.StartsWith(prefix, StringComparison.Ordinal)
        && text.AsSpan(prefix.Length).IndexOfAnyExcept(Characters) < 0;
}

/// <summary>Which organization or project a number stands for; an organization is its own.</summary>
internal sealed class OwnerPlace
{
    public long No { get; init; }

    public string Id { get; init; } = "";

    public string OrganizationId { get; init; } = "";

    public string Name { get; init; } = "";
}
