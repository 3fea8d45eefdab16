using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

public sealed class UsageCommandTests
{
    private const string Report =
        """
        {"data":[{"key_id":"key_1","key_name":"Batch","project_id":null,"model":"small","day":"2026-01-02","requests":1200,"refused":3,
        "input_tokens":10,"output_tokens":20,"cost":"0.000125","estimated":0}]}
        """;

    private const string OfKey =
        """
        {"key_id":"key_1","key_name":"Batch","requests":7,"refused":1,"input_tokens":10,"output_tokens":20,
        "cached_tokens":6,"reasoning_tokens":15,"cost":null,"estimated":0,
        "last_used_at":"2026-01-02T03:04:05Z","models":[{"model":"small","requests":7,"refused":0,"input_tokens":10,"output_tokens":20,
        "cost":null}],"by_day":[{"day":"2026-01-02","requests":7,"refused":1,"input_tokens":10,"output_tokens":20,"cost":"1.50"}]}
        """;

    [Fact]
    public async Task It_asks_for_sums_and_shows_them_as_a_table()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Report));

        var ran = await Ran.Command(gate, "usage --from 2026-01-01 --to 2026-01-03 --group-by key,model,day --model small --project prj_1");

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(
            "/api/v1/usage?from=2026-01-01T00%3A00%3A00Z&to=2026-01-03T00%3A00%3A00Z&project_id=prj_1&model=small"
            + "&group_by=key%2Cmodel%2Cday",
            gate.Only.Path);
        var lines = ran.Out.Split('\n');
        Assert.Matches("^KEY +MODEL +DAY +REQUESTS +REFUSED +INPUT TOKENS +OUTPUT TOKENS +COST$", lines[0]);
        Assert.Matches(@"^Batch \(key_1\) +small +2026-01-02 +1,200 +3 +10 +20 +0\.000125$", lines[1]);
    }

    [Fact]
    public async Task A_key_alone_is_shown_with_its_days_and_its_last_use()
    {
        await using var gate = await StandInGate.Start(new Answer(200, OfKey));

        var ran = await Ran.Command(gate, "usage --key-id key_1 --from 7d");

        Assert.Equal((0, "/api/v1/keys/key_1/usage?from=2025-12-26T03%3A00%3A00Z"), (ran.ExitCode, gate.Only.Path));
        Assert.Contains("last used", ran.Out, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^of them cached +6$", ran.Out);
        Assert.Matches(@"(?m)^of them reasoning +15$", ran.Out);
        Assert.Contains("2026-01-02 03:04:05Z", ran.Out, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^2026-01-02 +7 +1 +10 +20 +1\.50$", ran.Out);
    }

    [Fact]
    public async Task With_json_it_prints_what_the_api_says()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Report));

        var ran = await Ran.Command(gate, "usage --group-by key --json");

        Assert.Contains("\"cost\":\"0.000125\"", ran.Out.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("usage --from soon", 2)]
    [InlineData("usage --key-id ../x", 2)]
    public async Task What_cannot_be_asked_is_a_mistake_in_the_command(string line, int code)
    {
        await using var gate = await StandInGate.Start(new Answer(200, Report));

        var ran = await Ran.Command(gate, line);

        Assert.Equal((code, 0), (ran.ExitCode, gate.Log.Count));
    }
}
