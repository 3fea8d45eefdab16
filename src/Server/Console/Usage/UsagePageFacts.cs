using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;

namespace Tollgate.Server.Console.Usage;

/// <summary>A figure that a page begins with: what it is, how much, and what to know of it.</summary>
public sealed record UsageFigure(string Title, string Text, string? Note);

/// <summary>A row of sums. The name leads somewhere where there is somewhere to go.</summary>
public sealed record UsageLine(string Name, string? Href, string Requests, string Refused, string Input, string Output, string Cost);

/// <summary>A refused request: when, why, what mends it, and where it is told step by step.</summary>
public sealed record RefusalLine(string Href, string RequestId, string Cause, string Cure)
{
    public MomentFacts? At { get; init; }
}

/// <summary>A step of a decision: what was asked, how it went, in words.</summary>
public sealed record DecisionStep(string Title, string Word, string Mark);

/// <summary>One request and how it was decided.</summary>
public sealed record DecisionFacts(string RequestId, string Outcome, string Cause, string? Cure)
{
    public IReadOnlyList<KeyFact> Facts { get; init; } = [];

    public IReadOnlyList<DecisionStep> Steps { get; init; } = [];
}

/// <summary>What the usage explorer is asked: by what, from when to when, and of what alone.</summary>
public sealed record UsageAsked(string Home, string From, string To, string Group)
{
    public IReadOnlyList<FormChoice> Groups { get; init; } = [];

    /// <summary>Empty for every model.</summary>
    public string Model { get; init; } = "";

    /// <summary>The key that is asked for alone, and what it is called.</summary>
    public string KeyId { get; init; } = "";

    public string KeyName { get; init; } = "";

    public string Csv { get; init; } = "";
}

/// <summary>The way from no key to the first request that passed.</summary>
/// <param name="MakeHref">Where a key is made; null for who makes none.</param>
/// <param name="HasKey">Whether the first step is done.</param>
/// <param name="PassedBy">The key whose request passed; null while none has.</param>
public sealed record FirstRun(string? MakeHref, bool HasKey, string? PassedBy)
{
    public IReadOnlyList<Snippet> Snippets { get; init; } = [];

    /// <summary>Where a request is sent from a page; null where that is not on offer.</summary>
    public string? TryHref { get; init; }

    /// <summary>The last request that was refused, where one was.</summary>
    public RefusalLine? Refused { get; init; }
}
