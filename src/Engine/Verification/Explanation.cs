namespace Tollgate.Engine.Verification;

/// <summary>
/// A verdict told step by step. Derived from the code alone: the check asks in one order and stops at its first no, so what came before
/// passed and what comes after was not reached. There is no second copy of the rules to fall behind the first.
/// </summary>
public static class Explanation
{
    /// <summary>Every step before <see cref="VerdictStep.Allowed"/>, in order.</summary>
    public static IReadOnlyList<ExplainedStep> Of(VerdictCode code)
    {
        VerdictStep end = code.StepOf();
        var steps = new ExplainedStep[(int)VerdictStep.Allowed];
        for (int i = 0; i < steps.Length; i++)
        {
            var step = (VerdictStep)i;
            steps[i] = step < end ? new ExplainedStep(step, StepOutcome.Passed, null)
                : step == end ? new ExplainedStep(step, StepOutcome.Failed, code)
                : new ExplainedStep(step, StepOutcome.NotReached, null);
        }

        return steps;
    }
}

/// <summary>One step: how it went, and, where it failed, the code.</summary>
public readonly record struct ExplainedStep(VerdictStep Step, StepOutcome Outcome, VerdictCode? Code);

public enum StepOutcome
{
    Passed,
    Failed,
    NotReached,
}
