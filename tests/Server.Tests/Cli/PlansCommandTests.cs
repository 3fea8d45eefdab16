using System.Text.Json.Nodes;
using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

public sealed class PlansCommandTests
{
    private const string Plans = """
        {"data":[
        {"name":"free","is_default":true,"limits":[{"name":"rpm","counts":"requests","window_seconds":60,"amount":30},
        {"name":"parallel","counts":"concurrent_requests","window_seconds":null,"amount":2}],
        "quotas":[{"name":"things","amount":1}]},
        {"name":"pro","is_default":false,"limits":[{"name":"rpm","counts":"requests","window_seconds":60,"amount":3000},
        {"name":"parallel","counts":"concurrent_requests","window_seconds":null,"amount":null}],
        "quotas":[{"name":"things","amount":null}]}]}
        """;

    [Fact]
    public async Task Plans_shows_what_each_plan_allows()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Plans));

        var ran = await Ran.Command(gate, "plans");

        Assert.Equal((0, "GET /api/v1/plans"), (ran.ExitCode, $"{gate.Only.Method} {gate.Only.Path}"));
        var lines = ran.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Matches("^PLAN +RPM/1M +PARALLEL +THINGS", lines[0]);
        Assert.Matches(@"^free \(default\) +30 +2 +1", lines[1]);
        Assert.Matches("^pro +3,000 +unlimited +unlimited", lines[2]);
    }

    [Fact]
    public async Task Plans_with_json_prints_what_the_api_says()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Plans));

        var ran = await Ran.Command(gate, "plans --json");

        var plans = JsonNode.Parse(ran.Out)!["data"]!;
        Assert.Equal("free", (string?)plans[0]!["name"]);
        Assert.Equal(3000, (int?)plans[1]!["limits"]![0]!["amount"]);
        Assert.Equal("", ran.Error);
    }
}
