using Tollgate.Server.Access;

namespace Tollgate.Server.Changes;

/// <summary>That something changed: which key, project or organization, and whose it is. Never what.</summary>
internal sealed record Change
{
    public required long Seq { get; init; }

    /// <summary><c>key</c>, <c>project</c> or <c>organization</c>.</summary>
    public required string Kind { get; init; }

    public required string Id { get; init; }

    /// <summary>Grows with every change of the same thing.</summary>
    public required long Version { get; init; }

    public required long AtMs { get; init; }

    public required string OrganizationId { get; init; }

    /// <summary>Of a key only.</summary>
    public string? Environment { get; init; }

    /// <summary>The rule of decision 0005: a caller learns of changes to what it may verify.</summary>
    public bool IsVisibleTo(Caller caller) =>
        caller.OfOperator || (OrganizationId == caller.OrganizationId && (Environment is null || Environment == caller.Environment));
}

/// <summary>What one poll found: changes in commit order, and where the next poll begins.</summary>
/// <param name="Changes">None when time was up.</param>
/// <param name="NextAfter">The number up to which this page tells everything.</param>
/// <param name="HasMore">Not everything that was there when the poll came is told yet.</param>
/// <param name="Epoch">Of these numbers.</param>
/// <param name="IsReset">Changes may be missing between what was asked for and this page: nothing kept may be believed.</param>
internal sealed record ChangePage(IReadOnlyList<Change> Changes, long NextAfter, bool HasMore, string Epoch, bool IsReset = false);
