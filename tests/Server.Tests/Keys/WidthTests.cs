using System.Net;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>A key can make, change and renew keys within itself, and learns the secret of no key that is wider.</summary>
public sealed class WidthTests(Gates gates) : IClassFixture<Gates>
{
    private const string Within =
        "\"name\":\"Narrow\",\"environment\":\"test\",\"scopes\":[\"chat\"],\"expires_at\":\"2026-06-01T00:00:00Z\","
        + "\"allowed_addresses\":[\"127.0.0.1\"]";

    [Fact]
    public async Task A_key_makes_no_key_wider_than_itself()
    {
        var gate = await gates.Of("default");
        var (_, manager) = await Manager(gate);
        (await gate.Create(Within, manager)).Has(HttpStatusCode.Created);
        var before = await gate.Rows();
        (string Part, string Wider)[] rows =
        [
            ("\"scopes\":[\"chat\"]", "\"scopes\":[\"embeddings\"]"),
            ("\"scopes\":[\"chat\"]", "\"scopes\":[\"chat\",\"files\"]"),
            ("\"scopes\":[\"chat\"]", "\"scopes\":[\"all\"]"),
            ("\"scopes\":[\"chat\"],", ""),
            ("\"name\"", "\"rights\":[\"verify\"],\"name\""),
            ("\"name\"", "\"rights\":[\"keys:manage\",\"audit:read\"],\"name\""),
            ("2026-06-01T00:00:00Z", "2026-06-01T00:00:01Z"),
            (",\"expires_at\":\"2026-06-01T00:00:00Z\"", ""),
            ("\"127.0.0.1\"", "\"126.0.0.0/7\""),
            ("\"127.0.0.1\"", "\"127.0.0.1\",\"10.0.0.1\""),
            (",\"allowed_addresses\":[\"127.0.0.1\"]", ""),
            (",\"allowed_addresses\":[\"127.0.0.1\"]", ",\"allowed_addresses\":[]"),
            ("\"environment\":\"test\"", "\"environment\":\"live\""),
        ];
        foreach (var (part, wider) in rows)
        {
            var asked = Within.Replace(part, wider, StringComparison.Ordinal);
            Assert.NotEqual(Within, asked);
            var refused = await gate.Create(asked, manager);
            Assert.True(refused.Status == HttpStatusCode.Forbidden && refused.String("code") == "wider_than_caller", $"{wider}: {refused}");
        }

        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task A_key_receives_no_secret_of_a_wider_key()
    {
        var gate = await gates.Of("default");
        var (_, manager) = await Manager(gate);
        var (id, secret) = await gate.NewPair("\"name\":\"Wide\",\"environment\":\"test\",\"scopes\":[\"chat\",\"files\"]");
        foreach (var operation in new[] { "rotate", "regenerate" })
        {
            (await gate.Act(id, operation, null, manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        }

        Assert.Equal("allowed", await gate.CodeOf(secret));
        Assert.Equal(1, (await gate.Send("GET", $"/api/v1/keys/{id}", manager)).Json.GetProperty("secrets").GetArrayLength());
        var (narrow, _) = await gate.NewPair(Within);
        (await gate.Act(narrow, "rotate", null, manager)).Has(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Waking_an_expired_key_cannot_outlive_who_wakes_it()
    {
        var gate = await gates.Of("default");
        var now = gate.Clock.GetUtcNow();
        var manager = await gate.NewSecret(
            $"\"name\":\"Manager\",\"rights\":[\"keys:manage\"],\"expires_at\":\"{now.AddHours(2):yyyy-MM-dd'T'HH:mm:ss'Z'}\"");
        var (id, _) = await gate.NewPair($"\"name\":\"Short\",\"expires_at\":\"{now.AddHours(1):yyyy-MM-dd'T'HH:mm:ss'Z'}\"");
        gate.Clock.Advance(TimeSpan.FromHours(1));

        (await gate.Act(id, "rotate", "{\"expires_at\":\"2099-01-01T00:00:00Z\"}", manager))
            .Has(HttpStatusCode.Forbidden, "wider_than_caller");
        (await gate.Act(id, "rotate", $"{{\"expires_at\":\"{now.AddHours(2):yyyy-MM-dd'T'HH:mm:ss'Z'}\"}}", manager))
            .Has(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_narrows_and_only_the_root_key_widens()
    {
        var gate = await gates.Of("default");
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\",\"keys:read\"]");
        var (id, secret) =
            await gate.NewPair("\"name\":\"Target\",\"scopes\":[\"chat\",\"files\"],\"allowed_addresses\":[\"127.0.0.0/8\"]");
        (await Patch(gate, id, manager, "{\"scopes\":[\"chat\"]}")).Has(HttpStatusCode.OK);
        Assert.Equal("scope_missing", await gate.CodeOf(secret, ",\"requires\":\"files\",\"address\":\"127.0.0.1\""));

        string[] wider =
        [
            "{\"scopes\":[\"chat\",\"files\"]}", "{\"scopes\":[\"all\"]}", "{\"rights\":[\"verify\"]}", "{\"allowed_addresses\":[]}",
            "{\"allowed_addresses\":[\"0.0.0.0/0\"]}",
        ];
        foreach (var body in wider)
        {
            (await Patch(gate, id, manager, body)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        }

        Assert.Equal("scope_missing", await gate.CodeOf(secret, ",\"requires\":\"files\",\"address\":\"127.0.0.1\""));
        (await Patch(gate, id, RunningGate.RootKey, wider[0])).Has(HttpStatusCode.OK);
        Assert.Equal("allowed", await gate.CodeOf(secret, ",\"requires\":\"files\",\"address\":\"127.0.0.1\""));
    }

    [Fact]
    public async Task Only_revealable_secrets_are_shown_again_to_the_operator_and_to_wide_enough_keys_and_each_time_is_audited()
    {
        var gate = await gates.Of("tensorpool");
        var (id, secret) = await gate.NewPair("\"name\":\"Full\"");
        var manager = await gate.NewSecret("\"name\":\"Reader\",\"type\":\"read_only\",\"rights\":[\"keys:manage\"]");
        var equal = await gate.NewSecret("\"name\":\"Equal\",\"rights\":[\"keys:manage\"]");
        (await gate.Act(id, "reveal", null, manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        (await gate.Act(id, "rotate", null, equal)).Has(HttpStatusCode.Forbidden, "operation_not_offered");
        Assert.Equal(secret, (await gate.Act(id, "reveal")).Has(HttpStatusCode.OK).String("secret"));
        Assert.Equal(secret, (await gate.Act(id, "reveal", null, equal)).Has(HttpStatusCode.OK).String("secret"));
        Assert.Equal(secret, (await gate.Act(id, "reveal", null, secret)).Has(HttpStatusCode.OK).String("secret"));

        var audit = await gate.Send("GET", $"/api/v1/audit?target_id={id}&action=key.reveal", RunningGate.RootKey);
        Assert.Equal(3, audit.Json.GetProperty("data").GetArrayLength());
        Assert.DoesNotContain(secret[7..^4], audit.Text, StringComparison.Ordinal);
        await gate.Act(id, "revoke");
        (await gate.Act(id, "reveal")).Has(HttpStatusCode.Conflict, "key_final");
    }

    [Fact]
    public async Task Environments_of_one_project_do_not_see_each_other()
    {
        var gate = await gates.Of("default");
        var project = await gate.NewProject();
        var (live, _) = await gate.NewPair("\"name\":\"Live\",\"environment\":\"live\"", project);
        var (test, _) = await gate.NewPair("\"name\":\"Test\",\"environment\":\"test\"", project);
        var manager = await gate.NewSecret(
            "\"name\":\"Manager\",\"environment\":\"test\",\"rights\":[\"keys:manage\",\"keys:read\"]", project);

        var absent = await gate.Send("GET", "/api/v1/keys/" + Absent(live), manager);
        Assert.Equal(absent.Plain(), (await gate.Send("GET", $"/api/v1/keys/{live}", manager)).Plain());
        Assert.Equal(absent.Plain(), (await gate.Act(live, "disable", null, manager)).Plain());
        (await gate.Send("GET", $"/api/v1/keys/{test}", manager)).Has(HttpStatusCode.OK);
        var listed = (await gate.Send("GET", $"/api/v1/projects/{project}/keys", manager)).Has(HttpStatusCode.OK);
        Assert.DoesNotContain(live, listed.Text, StringComparison.Ordinal);
        Assert.Equal("test", (await gate.Create("\"name\":\"Heir\"", manager, project)).Has(HttpStatusCode.Created).String("environment"));
    }

    private static string Absent(string id) => id[..^4] + (id.EndsWith("0000", StringComparison.Ordinal) ? "1111" : "0000");

    private static Task<(string Id, string Secret)> Manager(RunningGate gate) =>
        gate.NewPair(Within.Replace("\"name\"", "\"rights\":[\"keys:manage\"],\"name\"", StringComparison.Ordinal)
            .Replace("127.0.0.1", "127.0.0.0/8", StringComparison.Ordinal));

    private static Task<Answer> Patch(RunningGate gate, string id, string key, string body) =>
        gate.Send("PATCH", $"/api/v1/keys/{id}", key, body);
}
