using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Usage;

namespace Tollgate.Server.Console.Wallet;

/// <summary>What a wallet's page begins with: the figures, what needs somebody, and what happens at which balance.</summary>
public sealed record WalletFacts
{
    public IReadOnlyList<UsageFigure> Figures { get; init; } = [];

    /// <summary>Null while there is enough.</summary>
    public FrameWarning? Warning { get; init; }

    public IReadOnlyList<WalletStep> Steps { get; init; } = [];

    /// <summary>Where customers put money in; null where only who runs the API does.</summary>
    public string? TopUpUrl { get; init; }
}

/// <summary>What happens at a balance.</summary>
public sealed record WalletStep(string Balance, string Sentence);

/// <summary>The entries of a wallet, by the filter in the page's address.</summary>
public sealed record StatementFacts(string Home, string Csv)
{
    public IReadOnlyList<FormChoice> Kinds { get; init; } = [];

    public IReadOnlyList<FormChoice> Months { get; init; } = [];

    public string? Currency { get; init; }

    /// <summary>Whether requests are told by day, and the lines are the other movements.</summary>
    public bool IsByDay { get; init; }

    /// <summary>What requests were billed, by day; null where each booking is among the lines, and where older lines are shown.</summary>
    public IReadOnlyList<UsageLine>? Days { get; init; }

    public string DaysTitle { get; init; } = "";

    public IReadOnlyList<StatementLine> Lines { get; init; } = [];

    /// <summary>Where older entries are; null where there are none.</summary>
    public string? Next { get; init; }

    /// <summary>Whether a filter is set, so that there may be entries where none is shown.</summary>
    public bool IsFiltered { get; init; }
}

/// <summary>One movement of money.</summary>
public sealed record StatementLine(string Kind, string Amount, bool IsIn, string Balance, string Reason, string By)
{
    public MomentFacts? At { get; init; }
}

/// <summary>What the organization's plan gives, and what is used of it.</summary>
public sealed record PlanFacts(string Name)
{
    public IReadOnlyList<PlanLimitLine> Limits { get; init; } = [];

    public IReadOnlyList<PlanQuotaLine> Quotas { get; init; } = [];
}

/// <summary>A limit of each key.</summary>
public sealed record PlanLimitLine(string Name, string Counts, string Amount);

/// <summary>How many of something there are and may be.</summary>
public sealed record PlanQuotaLine(string Name, string Used, string Most, string Left, string Mark);
