using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Operator;

/// <summary>
/// The last run of the provider file's examples. One run at a time: each starts a gate of its own, on a port of this machine and a folder
/// that is thrown away.
/// </summary>
internal sealed class ExampleBook(GateProbe probe, TimeProvider time)
{
    private volatile ExampleRound? _last;
    private int _isRunning;

    /// <summary>Null before the first.</summary>
    public ExampleRound? Last => _last;

    public async Task<Outcome<ExampleRound>> Run()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
        {
            return new Problem(ProblemCode.Conflict, "The examples are being run right now. Look again in a moment.");
        }

        try
        {
            var run = probe.RunExamples ?? throw new InvalidOperationException("Nobody has said how examples are run.");
            var round = new ExampleRound(await run(), time.GetUtcNow().ToUnixTimeMilliseconds());
            _last = round;
            return round;
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }
}

/// <summary>All examples, each with its answer, and when they were run.</summary>
internal sealed record ExampleRound(IReadOnlyList<ExampleOutcome> Outcomes, long AtMs)
{
    public int Failed => Outcomes.Count(outcome => outcome.Fault is not null);

    /// <summary>Such as <c>31 of 31</c>.</summary>
    public string Sentence => $"{Outcomes.Count - Failed} of {Outcomes.Count}";
}
