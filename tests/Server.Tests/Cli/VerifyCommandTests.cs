using System.Text.Json.Nodes;
using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

public sealed class VerifyCommandTests
{
    [Theory]
    [InlineData("verify -", "checked\n")]
    [InlineData("verify", "checked\r\nsecond line\n")]
    [InlineData("verify --key-to-check checked", "")]
    public async Task A_valid_key_is_0_however_it_was_given(string line, string input)
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Verdict(true)));

        var ran = await Ran.Command(gate, line, input);

        Assert.Equal(0, ran.ExitCode);
        Assert.StartsWith("valid\n", ran.Out, StringComparison.Ordinal);
        Assert.Matches("organization +org_1", ran.Out);
        Assert.Equal(("/api/v1/verify", """{"key":"checked"}"""), (gate.Only.Path, gate.Only.Body));
    }

    [Fact]
    public async Task A_refused_key_is_1_and_says_what_was_needed()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Verdict(false)));

        var ran = await Ran.Command(gate, "verify - --method POST --path /v2/endpoints --project prj_1 --address 10.0.0.1", "checked\n");

        Assert.Equal(1, ran.ExitCode);
        Assert.StartsWith("not valid: A sentence. (permission_missing)\nneeded: endpoints:write\n", ran.Out, StringComparison.Ordinal);
        Assert.Equal(
            """{"key":"checked","method":"POST","path":"/v2/endpoints","project":"prj_1","address":"10.0.0.1"}""", gate.Only.Body);
    }

    [Fact]
    public async Task With_json_the_verdict_is_printed_as_it_came()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Verdict(false)));

        var ran = await Ran.Command(gate, "verify --json --requires endpoints:write -", "checked");

        var verdict = JsonNode.Parse(ran.Out)!;
        Assert.Equal((1, false, "a"), (ran.ExitCode, (bool)verdict["valid"]!, (string?)verdict["key"]!["metadata"]!["team"]));
    }

    [Fact]
    public async Task Explain_shows_every_step()
    {
        const string explanation = """
            {"valid":false,"code":"key_disabled","steps":[{"step":"format","outcome":"passed","detail":null},
             {"step":"status","outcome":"failed","detail":"A person disabled it."},
             {"step":"permission","outcome":"not_reached","detail":null}]}
            """;
        await using var gate = await StandInGate.Start(new Answer(200, explanation));

        var ran = await Ran.Command(gate, "verify - --explain", "checked\n");

        Assert.Equal((1, "/api/v1/verify/explain"), (ran.ExitCode, gate.Only.Path));
        Assert.Matches("status +failed +A person disabled it.", ran.Out);
        Assert.Matches("permission +not reached", ran.Out);
    }

    [Fact]
    public async Task A_key_that_is_far_too_long_for_one_is_not_read_whole()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Verdict(false)));

        Assert.Equal(2, (await Ran.Command(gate, "verify -", new string('a', 65_536))).ExitCode);
        Assert.Empty(gate.Log);

        Assert.Equal(1, (await Ran.Command(gate, "verify -", new string('a', 65_535))).ExitCode);
        Assert.Equal(65_535, ((string?)JsonNode.Parse(gate.Only.Body)!["key"])!.Length);
    }

    [Fact]
    public async Task The_checked_key_is_never_printed()
    {
        await using var gate = await StandInGate.Start(Answer.Problem(400, "invalid_request", "A sentence."));

        var ran = await Ran.Command(gate, "verify -", "checked-canary\n");

        Assert.DoesNotContain("canary", ran.Out + ran.Error, StringComparison.Ordinal);
    }
}
