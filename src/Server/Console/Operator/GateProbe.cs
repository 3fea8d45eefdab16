using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Operator;

/// <summary>What the page of the gate asks of rooms that come later. Set by Hosting.</summary>
internal sealed class GateProbe
{
    public string Version { get; set; } = "";

    /// <summary>Why the gate is not ready, as at <c>/readyz</c>; null when it is.</summary>
    public Func<CancellationToken, Task<string?>>? Fault { get; set; }

    /// <summary>Runs the provider file's examples against a gate of their own.</summary>
    public Func<Task<IReadOnlyList<ExampleOutcome>>>? RunExamples { get; set; }
}
