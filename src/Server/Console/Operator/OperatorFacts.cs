using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Usage;

namespace Tollgate.Server.Console.Operator;

/// <summary>A fact: what it is called, what it is, and where it leads.</summary>
public sealed record OperatorFact(string Title, string Text)
{
    /// <summary>Ids and hashes, whose characters matter one by one.</summary>
    public bool IsCode { get; init; }

    /// <summary>Null where there is nowhere to go.</summary>
    public string? Href { get; init; }

    /// <summary>Where the fact is a moment; the text stands beside it.</summary>
    public MomentFacts? Moment { get; init; }
}

/// <summary>A customer in the list.</summary>
public sealed record CustomerLine(string Href, string Name, string? Owner, string Plan, string? Balance, KeyStatus Status)
{
    public MomentFacts? Since { get; init; }
}

/// <summary>A movement of money.</summary>
public sealed record EntryLine(string Kind, string Amount, string After, string? Note, string By)
{
    public MomentFacts? At { get; init; }
}

/// <summary>Somebody: in a list, or in an organization as something.</summary>
public sealed record PersonLine(string Href, string Name, string? Email, string Role, KeyStatus? Status)
{
    public MomentFacts? Since { get; init; }
}

/// <summary>A project or an organization to go to.</summary>
public sealed record PlaceLine(string Href, string Name, string Note)
{
    public MomentFacts? Made { get; init; }
}

/// <summary>A row of the audit log.</summary>
public sealed record LogLine(string Action, string Target, string By, string? Reason)
{
    public MomentFacts? At { get; init; }
}

/// <summary>All that a customer's page shows.</summary>
public sealed record CustomerFacts(string Name, string Home, KeyStatus Status)
{
    public IReadOnlyList<UsageFigure> Figures { get; init; } = [];

    public IReadOnlyList<OperatorFact> Facts { get; init; } = [];

    public IReadOnlyList<KeyActionLink> Actions { get; init; } = [];

    /// <summary>Null where there are no wallets.</summary>
    public IReadOnlyList<EntryLine>? Entries { get; init; }

    public IReadOnlyList<PersonLine> Members { get; init; } = [];

    /// <summary>How many more members there are than are shown.</summary>
    public int MoreMembers { get; init; }

    public IReadOnlyList<PlaceLine> Projects { get; init; } = [];

    public IReadOnlyList<LogLine> Log { get; init; } = [];
}

/// <summary>All that a person's page shows.</summary>
public sealed record PersonFacts(string Name, string Home, KeyStatus Status)
{
    public IReadOnlyList<OperatorFact> Facts { get; init; } = [];

    public IReadOnlyList<KeyActionLink> Actions { get; init; } = [];

    public IReadOnlyList<PlaceLine> Organizations { get; init; } = [];

    public IReadOnlyList<OpenSessionLine> Sessions { get; init; } = [];
}

/// <summary>A session of somebody else: no id, which only its owner needs.</summary>
public sealed record OpenSessionLine(string Browser, string Method, string Address)
{
    public MomentFacts? Began { get; init; }

    public MomentFacts? Seen { get; init; }
}

/// <summary>A page with a form: what it is about, what it will do, what it asks, and the button that does it.</summary>
public sealed record ChangeFacts(string Title, string Button, string Action, string Back)
{
    public bool IsDanger { get; init; }

    /// <summary>What will happen.</summary>
    public IReadOnlyList<string> Sentences { get; init; } = [];

    public IReadOnlyList<ChangeChoice> Choices { get; init; } = [];

    public IReadOnlyList<ChangeField> Fields { get; init; } = [];

    /// <summary>Sent along as it is.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Hidden { get; init; } = [];
}

/// <summary>Something to choose one of.</summary>
public sealed record ChangeChoice(string Name, string Label, IReadOnlyList<FormChoice> Choices);

/// <summary>Something to type, with what was typed.</summary>
public sealed record ChangeField(string Name, string Label, string Hint, string Value)
{
    public int LengthMax { get; init; } = 500;

    public int Rows { get; init; }

    public bool IsRequired { get; init; } = true;
}

/// <summary>A plan: what it allows, and how many are on it.</summary>
public sealed record PlanFacts(string Name, bool IsDefault, string Customers)
{
    public IReadOnlyList<PlanRow> Rows { get; init; } = [];
}

/// <summary>A limit or a quota of a plan.</summary>
public sealed record PlanRow(string Name, string Counts, string Amount);
