using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Usage;

namespace Tollgate.Server.Console.Operator;

/// <summary>All that the page of the gate shows.</summary>
public sealed record GateFacts
{
    /// <summary>Whether it is ready, as a word.</summary>
    public required KeyStatus Status { get; init; }

    public required IReadOnlyList<UsageFigure> Figures { get; init; }

    /// <summary>Checks by minute; null before the first.</summary>
    public ChartFacts? Checks { get; init; }

    public IReadOnlyList<CauseLine> Causes { get; init; } = [];

    public IReadOnlyList<UpstreamLine> Upstreams { get; init; } = [];

    /// <summary>The database and what is on its way there.</summary>
    public IReadOnlyList<OperatorFact> Storage { get; init; } = [];

    /// <summary>The provider file as it was loaded.</summary>
    public IReadOnlyList<OperatorFact> Provider { get; init; } = [];

    /// <summary>What somebody should see to.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>Why checks were refused, how many, which share, and the page that says more.</summary>
public sealed record CauseLine(string Code, string Sentence, string Count, string Share, string Href);

/// <summary>An upstream: how it does, and the last thing that went wrong there.</summary>
public sealed record UpstreamLine(string Name, KeyStatus Status, string Open, string Requests, string Failures, string? Fault)
{
    public MomentFacts? FaultAt { get; init; }
}

/// <summary>An example: its name, what was asked and answered, and what was wrong with that.</summary>
public sealed record ExampleLine(string Name, string Asked, string Answered, string? Fault)
{
    /// <summary>What was sent along; null for nothing.</summary>
    public string? Body { get; init; }

    /// <summary>The beginning of the answer.</summary>
    public string? Answer { get; init; }
}
