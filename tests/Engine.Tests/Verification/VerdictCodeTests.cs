using System.Text;
using System.Text.RegularExpressions;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Tests.Verification;

public sealed class VerdictCodeTests
{
    private static readonly VerdictCode[] All = Enum.GetValues<VerdictCode>();

    [Fact]
    public void Every_code_is_spelled_as_its_name_in_snake_case_in_text_and_in_bytes()
    {
        foreach (VerdictCode code in All)
        {
            string snake = Regex.Replace(code.ToString(), "(?<!^)([A-Z])", "_$1").ToLowerInvariant();
            Assert.Equal(snake, code.ToText());
            Assert.Equal(snake, Encoding.UTF8.GetString(code.ToUtf8()));
        }

        Assert.Equal("key_revoked", VerdictCode.KeyRevoked.ToText());
        Assert.Equal("permission", VerdictStep.Permission.ToText());
    }

    [Fact]
    public void Every_code_has_a_number_of_its_own_that_leads_back_to_it()
    {
        foreach (VerdictCode code in All)
        {
            Assert.True(VerdictCodes.TryFromNumber(code.NumberOf(), out VerdictCode found));
            Assert.Equal(code, found);
        }

        Assert.False(VerdictCodes.TryFromNumber(0, out _));
        Assert.False(VerdictCodes.TryFromNumber(255, out _));
        // The log of years is full of these.
        Assert.Equal([7, 10, 18, 21, 23, 100], ((VerdictCode[])
            [
                VerdictCode.KeyRevoked, VerdictCode.KeyDisabled, VerdictCode.RateLimited, VerdictCode.WalletEmpty,
                VerdictCode.ModelRefused, VerdictCode.Allowed,
            ]).Select(code => (int)code.NumberOf()));
    }

    [Fact]
    public void Codes_stand_in_the_order_of_the_steps()
        => Assert.Equal(All.Select(code => code.StepOf()).Order(), All.Select(code => code.StepOf()));

    [Fact]
    public void An_explanation_passes_what_came_before_fails_one_step_and_reaches_nothing_after()
    {
        foreach (VerdictCode code in All.Where(code => code != VerdictCode.Allowed))
        {
            IReadOnlyList<ExplainedStep> steps = Explanation.Of(code);
            ExplainedStep failed = Assert.Single(steps, step => step.Outcome == StepOutcome.Failed);
            Assert.Equal((code.StepOf(), code), (failed.Step, failed.Code));
            Assert.All(steps.TakeWhile(step => step != failed), step => Assert.Equal(StepOutcome.Passed, step.Outcome));
            Assert.All(steps.SkipWhile(step => step != failed).Skip(1), step => Assert.Equal(StepOutcome.NotReached, step.Outcome));
        }
    }

    [Fact]
    public void An_allowed_request_passed_every_step()
    {
        IReadOnlyList<ExplainedStep> steps = Explanation.Of(new Gate().Check().Code);
        Assert.Equal(Enum.GetValues<VerdictStep>()[..^1], steps.Select(step => step.Step));
        Assert.All(steps, step => Assert.Equal(StepOutcome.Passed, step.Outcome));
    }
}
