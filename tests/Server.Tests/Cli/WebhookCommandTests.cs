using System.Text.Json.Nodes;
using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

public sealed class WebhookCommandTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Base = "/api/v1/organizations/org_1/webhooks";

    private const string Webhook =
        """
        {"id":"whk_1","organization_id":"org_1","url":"https://example.com/","events":["key.created","key.revoked"],"description":null,
         "enabled":false,"disabled_reason":"gone","disabled_at":"2026-01-02T03:04:05Z","pending":7,"dropped":0,"failing_since":null,
         "old_secret_ends_at":null,"created_at":"2026-01-02T03:04:05Z"}
        """;

    private const string Delivery =
        """
        {"id":"dlv_1","webhook_id":"whk_1","message_id":"msg_1","type":"key.created","status":"failed","attempts":10,"next_attempt_at":null,
         "last_attempt_at":"2026-01-02T03:04:05Z","response_status":null,"error":"timeout","duration_ms":5000,
         "created_at":"2026-01-01T00:00:00Z","finished_at":"2026-01-02T03:04:05Z","body":{"type":"key.created"}}
        """;

    [Fact]
    public async Task Add_prints_the_secret_alone_on_standard_output_and_sends_what_was_typed()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(
            gate, "webhooks add https://example.com/ --events key.created,key.revoked --description Ours --organization org_1");

        Assert.Equal((0, Secret + "\n"), (ran.ExitCode, ran.Out));
        Assert.Contains("You will not see it again", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, ran.Error, StringComparison.Ordinal);
        Assert.Equal(("POST", Base), (gate.Only.Method, gate.Only.Path));
        Assert.Equal(
            """{"url":"https://example.com/","events":["key.created","key.revoked"],"description":"Ours"}""", gate.Only.Body);
    }

    [Fact]
    public async Task Add_asks_for_all_events_unless_told_and_takes_the_organization_of_the_project()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "webhooks add https://example.com/ --json", "", ("TOLLGATE_PROJECT", "prj_1"));

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(Secret, JsonNode.Parse(ran.Out)!["secret"]!.GetValue<string>());
        Assert.Equal(["/api/v1/projects/prj_1", Base], gate.Log.Select(asked => asked.Path));
        Assert.Equal("""{"url":"https://example.com/","events":["*"]}""", gate.Log[1].Body);
    }

    [Fact]
    public async Task List_and_deliveries_show_what_a_person_needs()
    {
        await using var gate = await StandInGate.Start(Routes);

        var list = await Ran.Command(gate, "webhooks list --organization org_1");
        var deliveries = await Ran.Command(gate, "webhooks deliveries whk_1 --status failed --organization org_1");
        var json = await Ran.Command(gate, "webhooks deliveries whk_1 --limit 1 --json --organization org_1");

        Assert.Contains("whk_1  disabled (gone)  https://example.com/  key.created,key.revoked  7", list.Out, StringComparison.Ordinal);
        Assert.Contains("dlv_1  key.created  failed  10        timeout  5000 ms", deliveries.Out, StringComparison.Ordinal);
        Assert.Equal("dlv_1", JsonNode.Parse(json.Out)!["data"]![0]!["id"]!.GetValue<string>());
        Assert.Equal(
            [Base, $"{Base}/whk_1/deliveries?status=failed", $"{Base}/whk_1/deliveries"], gate.Log.Select(asked => asked.Path));
    }

    [Fact]
    public async Task Replay_takes_one_delivery_or_a_time_and_never_both_or_none()
    {
        await using var gate = await StandInGate.Start(Routes);

        var one = await Ran.Command(gate, "webhooks replay whk_1 dlv_1 --organization org_1");
        var all = await Ran.Command(gate, "webhooks replay whk_1 --since 24h --organization org_1");
        var none = await Ran.Command(gate, "webhooks replay whk_1 --organization org_1");
        var both = await Ran.Command(gate, "webhooks replay whk_1 dlv_1 --since 24h --organization org_1");

        Assert.Equal((0, 0, 2, 2), (one.ExitCode, all.ExitCode, none.ExitCode, both.ExitCode));
        Assert.Contains("3 are delivered once more. There are more", all.Error, StringComparison.Ordinal);
        Assert.Equal([$"{Base}/whk_1/deliveries/dlv_1/replay", $"{Base}/whk_1/replay"], gate.Log.Select(asked => asked.Path));
        Assert.Equal("""{"since":"2026-01-01T03:04:05Z"}""", gate.Log[1].Body);
    }

    [Theory]
    [InlineData("webhooks deliveries whk_1 --status lost --organization org_1")]
    [InlineData("webhooks deliveries whk_1 --limit 0 --organization org_1")]
    [InlineData("webhooks remove ../x --organization org_1")]
    [InlineData("webhooks replay whk_1 --since yesterday --organization org_1")]
    public async Task What_cannot_be_meant_is_not_sent(string line)
    {
        await using var gate = await StandInGate.Start(Routes);

        Assert.Equal(2, (await Ran.Command(gate, line)).ExitCode);
        Assert.Empty(gate.Log);
    }

    [Fact]
    public async Task Remove_removes()
    {
        await using var gate = await StandInGate.Start(Routes);

        Assert.Equal(0, (await Ran.Command(gate, "webhooks remove whk_1 --organization org_1")).ExitCode);
        Assert.Equal(("DELETE", $"{Base}/whk_1"), (gate.Only.Method, gate.Only.Path));
    }

    private static Answer Routes(Asked asked) => (asked.Method, asked.Path) switch
    {
        ("GET", "/api/v1/projects/prj_1") => new Answer(200, Sample.Project()),
        ("POST", Base) => new Answer(201, Webhook.Replace("\"id\"", $"\"secret\":\"{Secret}\",\"id\"", StringComparison.Ordinal)),
        ("GET", Base) => new Answer(200, $$"""{"data":[{{Webhook}}]}"""),
        ("GET", _) => new Answer(200, Sample.Page(null, Delivery)),
        ("DELETE", _) => new Answer(200, """{"id":"whk_1","deleted":true}"""),
        ("POST", $"{Base}/whk_1/replay") => new Answer(200, """{"replayed":3,"has_more":true}"""),
        _ => new Answer(200, Delivery),
    };
}
