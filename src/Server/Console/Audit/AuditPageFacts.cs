using Tollgate.Server.Console.Frame;

namespace Tollgate.Server.Console.Audit;

/// <summary>What the audit page is asked, and what it found.</summary>
public sealed record AuditAsked(string Home, string Csv)
{
    public IReadOnlyList<FormChoice> Actions { get; init; } = [];

    public IReadOnlyList<FormChoice> Actors { get; init; } = [];

    public string Target { get; init; } = "";

    public string From { get; init; } = "";

    public string To { get; init; } = "";

    public IReadOnlyList<AuditLine> Lines { get; init; } = [];

    /// <summary>Where older rows are; null where there are none.</summary>
    public string? Next { get; init; }

    /// <summary>Where the same is told of all projects; null where one is there, or may not be.</summary>
    public string? Whole { get; init; }

    public bool IsFiltered { get; init; }
}

/// <summary>Who did what.</summary>
public sealed record AuditLine(string Who, string What, string Code, AuditThing Target, string Reason, string Address)
{
    public MomentFacts? At { get; init; }

    /// <summary>What is different since, where that is told.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];
}

/// <summary>What something was done to: its kind, its name or id, and where it is.</summary>
public sealed record AuditThing(string Kind, string Name, bool IsId, string? Href);
