using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Wallet;

/// <summary>One movement of money of an organization. Never changed: what was wrong is made good by another one.</summary>
internal sealed record WalletEntry
{
    public required long OrganizationNo { get; init; }

    /// <summary>From 1 in each organization, without gaps.</summary>
    public required long EntryNo { get; init; }

    public required string Kind { get; init; }

    /// <summary>Signed: what the balance changed by.</summary>
    public required Money Amount { get; init; }

    public required Money BalanceAfter { get; init; }

    /// <summary>Of usage: what it cost beyond what was there, which is the operator's loss.</summary>
    public Money Uncovered { get; init; }

    /// <summary>Of usage: how many requests it pays for.</summary>
    public long? Requests { get; init; }

    /// <summary>What another system calls it; used once in an organization, for good. Null for usage and transfers.</summary>
    public string? ExternalId { get; init; }

    public string? Note { get; init; }

    public required long CreatedAtMs { get; init; }

    /// <summary>Who entered it: <c>root</c>, <c>system</c> for usage, or the person by whom a transfer came about.</summary>
    public required string Actor { get; init; }

    public Money BalanceBefore => BalanceAfter - Amount;
}

/// <summary>The kinds of entries, as the API and the database write them.</summary>
internal static class EntryKinds
{
    public const string TopUp = "top_up";

    /// <summary>Money that nobody has paid for, such as a welcome. It is spent first, and moves to no team.</summary>
    public const string Grant = "grant";

    public const string Adjustment = "adjustment";
    public const string Refund = "refund";

    /// <summary>What requests cost; entered by the journal alone.</summary>
    public const string Usage = "usage";

    /// <summary>What moves from one organization to another, one entry in each; made by who joins or closes a team.</summary>
    public const string Transfer = "transfer";

    public static IReadOnlyList<string> ByHand { get; } = [TopUp, Adjustment, Refund, Grant];
}

/// <summary>Which entries to list; what is null selects everything. <see cref="ToMs"/> is not included.</summary>
internal sealed record EntryFilter
{
    public string? Kind { get; init; }

    /// <summary>Whether bookings of requests are left out, of which there are so many.</summary>
    public bool IsWithoutUsage { get; init; }

    public long? FromMs { get; init; }

    public long? ToMs { get; init; }
}

/// <summary>An entry, and whether it was made just now or had come in before under the same external id.</summary>
internal sealed record Entered(WalletEntry Entry, bool IsNew);
