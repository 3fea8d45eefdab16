using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Usage;

/// <summary>What owners read of what their keys did.</summary>
public sealed class UsageTests(PostgresFixture postgres)
{
    private const long Hour = 3_600_000;

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Sums_are_those_of_the_log_however_they_are_kept_apart(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var (one, two) = ((await gate.NewPair("\"name\":\"One\"")).Id, (await gate.NewPair("\"name\":\"Two\"")).Id);
        var (small, large) = (await Model(gate, "small"), await Model(gate, "large"));
        var yesterday = gate.Clock.NowMs - (24 * Hour);
        await gate.Use(
            one, Passed(small, 10, 20), Passed(large, 1, 2), Passed(small, 3, 4) with { AtMs = yesterday }, Refused(), Passed(0, 0, 0));
        await gate.Use(two, Passed(small, 100, 200), Refused() with { AtMs = yesterday });

        Assert.Equal("requests 5, refused 2, in 114, out 226", Sums(await gate.Usage()).Single());
        Assert.Equal(
            ["Two: requests 1, refused 1, in 100, out 200", "One: requests 4, refused 1, in 14, out 26"],
            Sums(await gate.Usage("?group_by=key")).OrderDescending());
        Assert.Equal(
            ["small: requests 3, refused 0, in 113, out 224", "requests 1, refused 2, in 0, out 0",
                "large: requests 1, refused 0, in 1, out 2"],
            Sums(await gate.Usage("?group_by=model")).OrderDescending());
        Assert.Equal(
            ["2026-01-02: requests 4, refused 1, in 111, out 222", "2026-01-01: requests 1, refused 1, in 3, out 4"],
            Sums(await gate.Usage("?group_by=day")));
        Assert.Equal(6, Sums(await gate.Usage("?group_by=key,model,day,project")).Count());
        Assert.Equal(["requests 3, refused 0, in 113, out 224"], Sums(await gate.Usage("?model=small")));
        Assert.Equal(["requests 1, refused 1, in 100, out 200"], Sums(await gate.Usage($"?key_id={two}")));
        Assert.Equal(["requests 5, refused 2, in 114, out 226"], Sums(await gate.Usage($"?organization_id={gate.OrganizationId}")));
        Assert.Equal(
            ["Two: requests 1, refused 0, in 100, out 200", "One: requests 2, refused 0, in 13, out 24"],
            Sums(await gate.Usage($"?group_by=key&model=small&organization_id={gate.OrganizationId}")).OrderDescending());
        Assert.Equal(
            ["Two: requests 1, refused 1, in 100, out 200", "One: requests 4, refused 1, in 14, out 26"],
            Sums(await gate.Usage($"?group_by=key&organization_id={gate.OrganizationId}")).OrderDescending());
        Assert.Empty(Sums(await gate.Usage("?model=unheard-of")));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Last_uses_of_a_page_of_keys_are_read_at_once(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var (one, two) = ((await gate.NewPair()).Id, (await gate.NewPair()).Id);
        await gate.Use(one, Passed(0, 1, 0) with { AtMs = 7 * Hour });
        await gate.Use(two, Passed(0, 1, 0) with { AtMs = 9 * Hour });
        var reader = gate.Services.GetRequiredService<UsageReader>();
        var keys = await reader.FindKeys([one, two]);

        var uses = await reader.LastUses([keys[one].KeyNo, keys[two].KeyNo, 999], TestContext.Current.CancellationToken);
        Assert.Equal(2, uses.Count);
        Assert.Equal((7 * Hour, 9 * Hour), (uses[keys[one].KeyNo], uses[keys[two].KeyNo]));
        Assert.Empty(await reader.LastUses([], TestContext.Current.CancellationToken));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_span_begins_with_its_first_hour_and_ends_before_its_last(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var key = (await gate.NewPair()).Id;
        // The clock stands at 03:04:05.
        var three = gate.Clock.NowMs - (gate.Clock.NowMs % Hour);
        foreach (var at in new[] { three - 1, three, three + 1, three - Hour, three - Hour - 1 })
        {
            await gate.Use(key, Passed(0, 1, 0) with { AtMs = at });
        }

        Assert.Equal(2, In(await gate.Usage("?from=2026-01-02T03:00:00Z")));
        Assert.Equal(2, In(await gate.Usage("?from=2026-01-02T02:00:00Z&to=2026-01-02T03:00:00Z")));
        Assert.Equal(3, In(await gate.Usage("?to=2026-01-02T04:00:00%2B01:00")));
        Assert.Equal(5, In(await gate.Usage("?from=2026-01-02&to=2026-01-03")));
        Assert.Equal(0, In(await gate.Usage("?to=2026-01-02")));
        Assert.Equal(2, (await gate.Log("?from=2026-01-02T02:59:59.999Z&to=2026-01-02T03:00:00.001Z")).Count);
    }

    [Theory]
    [InlineData("/usage?from=soon", "/from")]
    [InlineData("/usage?from=2026-13-01", "/from")]
    [InlineData("/usage?from=2026-01-02T03:30:00Z", "/from")]
    [InlineData("/usage?from=2026-01-02T04:00:00Z", "/from")]
    [InlineData("/usage?from=1999-12-31", "/from")]
    [InlineData("/usage?to=2026-01-04", "/to")]
    [InlineData("/usage?to=9999-12-31", "/to")]
    [InlineData("/usage?from=2026-01-02&to=2026-01-01", "/to")]
    [InlineData("/usage?from=2026-01-01&to=2026-01-01", "/to")]
    [InlineData("/usage?group_by=", "/group_by")]
    [InlineData("/usage?group_by=key,key", "/group_by")]
    [InlineData("/usage?group_by=color", "/group_by")]
    [InlineData("/usage?model=%00", "/model")]
    [InlineData("/usage/log?outcome=lost", "/outcome")]
    [InlineData("/usage/log?from=x", "/from")]
    [InlineData("/usage/log?limit=101", "/limit")]
    [InlineData("/usage/log.csv?from=x", "/from")]
    [InlineData("/usage/log.ndjson?outcome=x", "/outcome")]
    [InlineData("/keys/key_1/usage?from=2027-01-01", "/from")]
    public async Task A_question_that_makes_no_sense_is_told_why(string path, string pointer)
    {
        await using var gate = await RunningGate.Start("default");

        var answer = await gate.Send("GET", "/api/v1" + path, RunningGate.RootKey);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Equal(pointer, answer.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TX8_TS10_the_usage_of_a_key_is_its_cost_requests_tokens_models_and_last_use(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var key = (await gate.NewPair()).Id;
        Assert.Equal(
            ("null", "null", "0", 0),
            (await Member(gate, key, "cost"), await Member(gate, key, "last_used_at"), await Member(gate, key, "requests"),
                (await OfKey(gate, key)).GetProperty("by_day").GetArrayLength()));
        var (small, large) = (await Model(gate, "small"), await Model(gate, "large"));
        await gate.Use(key, Passed(small, 10, 20) with { AtMs = gate.Clock.NowMs - (48 * Hour) }, Refused());
        await gate.Use(
            key, Passed(large, 1, 2) with { AtMs = gate.Clock.NowMs - 60_000, Status = 400 },
            Passed(0, 0, 0) with { AtMs = gate.Clock.NowMs - 90_000 });

        var usage = await OfKey(gate, key);
        Assert.Equal(("3", "1", "11", "22", "null"), (
            Raw(usage, "requests"), Raw(usage, "refused"), Raw(usage, "input_tokens"), Raw(usage, "output_tokens"), Raw(usage, "cost")));
        Assert.Equal("1", Raw(usage, "failed"));
        Assert.Equal("\"2026-01-02T03:03:05Z\"", Raw(usage, "last_used_at"));
        Assert.Equal(
            ["large", "small"],
            usage.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("model").GetString()).Order());
        Assert.Equal(
            ["2026-01-02 2", "2025-12-31 1"],
            usage.GetProperty("by_day").EnumerateArray().Select(day => $"{day.GetProperty("day").GetString()} {Raw(day, "requests")}"));

        // Days gone by; told of late, an older use moves nothing back.
        gate.Clock.Advance(TimeSpan.FromHours(1));
        await gate.Use(key, Passed(0, 0, 0) with { AtMs = gate.Clock.NowMs - (20 * Hour) });
        Assert.Equal("\"2026-01-02T03:03:05Z\"", await Member(gate, key, "last_used_at"));
        Assert.Equal("1", Raw(await OfKey(gate, key, "?from=2025-12-31&to=2026-01-01"), "requests"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Cached_and_reasoning_tokens_are_told_wherever_tokens_are(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var key = (await gate.NewPair()).Id;
        var small = await Model(gate, "small");
        var first = await gate.Use(
            key, Passed(small, 10, 20) with { CachedTokens = 3, ReasoningTokens = 4 }, Passed(0, 8, 9) with { CachedTokens = 5 },
            Refused());

        var usage = await OfKey(gate, key);
        Assert.Equal(
            ["8 4", "3 4", "8 4"],
            new[] { usage, usage.GetProperty("models")[0], usage.GetProperty("by_day")[0] }.Select(Parts));
        Assert.Equal("8 4", Parts((await gate.Usage()).GetProperty("data")[0]));
        Assert.Equal("3 4", Parts((await gate.Usage("?model=small&from=2026-01-02T03:00:00Z")).GetProperty("data")[0]));
        Assert.Equal(["0 0", "5 0", "3 4"], (await gate.Log()).Select(Parts));
        var request = await gate.Send("GET", $"/api/v1/requests/{RequestId.Of(first[0])}", RunningGate.RootKey);
        Assert.Equal("3 4", Parts(request.Json.GetProperty("request")));
        var csv = (await gate.Send("GET", "/api/v1/usage/log.csv?model=small", RunningGate.RootKey)).Text.Split("\r\n");
        Assert.EndsWith(",limit,cached_tokens,reasoning_tokens", csv[0], StringComparison.Ordinal);
        Assert.EndsWith(",false,,3,4", csv[1], StringComparison.Ordinal);
        var lines = (await gate.Send("GET", "/api/v1/usage/log.ndjson?model=small", RunningGate.RootKey)).Text;
        Assert.Equal("3 4", Parts(JsonElement.Parse(lines)));

        static string Parts(JsonElement of) => $"{Raw(of, "cached_tokens")} {Raw(of, "reasoning_tokens")}";
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TX7_TX9_a_deleted_key_keeps_its_usage_and_its_lines_carry_its_name(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var (key, secret) = await gate.NewPair("\"name\":\"Batch jobs\"");
        await gate.Use(key, Passed(0, 5, 6));
        await gate.Send("DELETE", $"/api/v1/keys/{key}", RunningGate.RootKey);
        Assert.Equal("key_deleted", await gate.CodeOf(secret));

        Assert.Equal("5", Raw(await OfKey(gate, key), "input_tokens"));
        var line = Assert.Single(await gate.Log("?outcome=passed"));
        Assert.Equal(("Batch jobs", key), (line.GetProperty("key_name").GetString(), line.GetProperty("key_id").GetString()));
        Assert.Equal("live", line.GetProperty("environment").GetString());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_log_is_walked_page_by_page_and_each_request_comes_once(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var key = (await gate.NewPair()).Id;
        var made = new List<string>();
        for (var i = 0; i < 25; i++)
        {
            var numbers = await gate.Use(key, i % 3 == 0 ? Refused() : Passed(0, 1, 1));
            made.AddRange(numbers.Select(RequestId.Of));
        }

        var seen = new List<string>();
        var query = "?limit=4";
        while (true)
        {
            var page = (await gate.Send("GET", "/api/v1/usage/log" + query, RunningGate.RootKey)).Json;
            seen.AddRange(page.GetProperty("data").EnumerateArray().Select(line => line.GetProperty("request_id").GetString()!));
            if (page.GetProperty("next_cursor").GetString() is not { } cursor)
            {
                break;
            }

            query = "?limit=4&cursor=" + cursor;
        }

        Assert.Equal(Enumerable.Reverse(made), seen);
        Assert.Equal(9, (await gate.Log("?outcome=refused&limit=100")).Count);
        Assert.Equal(16, (await gate.Log("?outcome=passed&limit=100")).Count);
        var foreign = await gate.Send("GET", "/api/v1/usage/log?outcome=passed" + query[8..].Replace('?', '&'), RunningGate.RootKey);
        Assert.Equal("invalid_cursor", foreign.String("code"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TO1_a_key_sees_the_usage_of_its_own_project_and_environment_alone(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var reader = await gate.NewSecret("\"name\":\"Reader\",\"rights\":[\"usage:read\"]");
        var tester = await gate.NewSecret("\"name\":\"Tester\",\"environment\":\"test\",\"rights\":[\"usage:read\"]");
        var (live, test) = ((await gate.NewPair()).Id, (await gate.NewPair("\"name\":\"T\",\"environment\":\"test\"")).Id);
        var other = (await gate.NewPair(project: await gate.NewProject())).Id;
        var request = RequestId.Of((await gate.Use(live, Passed(0, 1, 0)))[0]);
        await gate.Use(test, Passed(0, 10, 0));
        await gate.Use(other, Passed(0, 100, 0));

        Assert.Equal((1, 10, 111), (In(await gate.Usage("", reader)), In(await gate.Usage("", tester)), In(await gate.Usage())));
        Assert.Equal(10, In(await gate.Usage("?environment=test")));
        Assert.Equal([live], (await gate.Log("", reader)).Select(line => line.GetProperty("key_id").GetString()));
        Assert.Equal(0, In(await gate.Usage("?environment=test", reader)));
        Assert.Equal(0, In(await gate.Usage($"?key_id={other}", reader)));
        Assert.Equal(0, In(await gate.Usage($"?key_id={test}", reader)));
        foreach (var path in new[] { $"/keys/{other}/usage", $"/keys/{test}/usage", "/requests/req_0000000000001" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", "/api/v1" + path, reader)).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", $"/api/v1/requests/{request}", reader)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", $"/api/v1/requests/{request}", tester)).Status);
    }

    [Fact]
    public async Task A_key_reads_its_own_usage_and_requests_without_any_right()
    {
        await using var gate = await RunningGate.Start("default");
        var (key, secret) = await gate.NewPair();
        var neighbour = (await gate.NewPair()).Id;
        var own = RequestId.Of((await gate.Use(key, Passed(0, 3, 0)))[0]);
        var others = RequestId.Of((await gate.Use(neighbour, Passed(0, 3, 0)))[0]);

        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", $"/api/v1/keys/{key}/usage", secret)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", $"/api/v1/requests/{own}", secret)).Status);
        Assert.Equal("right_missing", (await gate.Send("GET", $"/api/v1/keys/{neighbour}/usage", secret)).String("code"));
        Assert.Equal("right_missing", (await gate.Send("GET", $"/api/v1/requests/{others}", secret)).String("code"));
        Assert.Equal("right_missing", (await gate.Send("GET", "/api/v1/usage", secret)).String("code"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_refused_request_tells_its_owner_step_by_step_why(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var key = (await gate.NewPair()).Id;
        var requests = await gate.Use(
            key, Refused() with { Code = VerdictCode.ScopeMissing.NumberOf() }, Passed(0, 1, 2) with { Kind = UsageKind.Reserved },
            Passed(0, 7, 8) with { Status = 201, LatencyMs = 30, Flags = UsageFlags.Estimated });

        var refused = await Request(gate, requests[0]);
        Assert.Equal(
            "credential passed, shape passed, lookup passed, status passed, address passed, project passed, "
            + "permission failed scope_missing, limits not_reached",
            string.Join(", ", refused.GetProperty("steps").EnumerateArray().Select(step => string.Join(' ', new[]
            {
                step.GetProperty("step").GetString(), step.GetProperty("outcome").GetString(), step.GetProperty("code").GetString(),
            }.Where(word => word is not null)))));
        Assert.Equal(("refused", "scope_missing"), Told(refused));
        Assert.Equal(("open", "allowed"), Told(await Request(gate, requests[1])));
        var passed = await Request(gate, requests[2]);
        Assert.Equal(("passed", "allowed"), Told(passed));
        Assert.Equal("201 30 true", $"{Raw(passed.GetProperty("request"), "status")} {Raw(passed.GetProperty("request"), "latency_ms")} "
            + Raw(passed.GetProperty("request"), "estimated"));
        foreach (var nobody in new[] { "req_0000000000001", "req_x", "x", "req_0000000000001%00" })
        {
            Assert.NotEqual(HttpStatusCode.OK, (await gate.Send("GET", "/api/v1/requests/" + nobody, RunningGate.RootKey)).Status);
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Lines_and_refusals_go_after_their_days_and_the_sums_stay(DatabaseKind kind)
    {
        var options = new GateOptions { LogLevel = "none", UsageLogDays = 2, RefusalDays = 1 };
        await using var gate = await RunningGate.Start(
            "default", options, postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var key = (await gate.NewPair()).Id;
        for (var i = 0; i < 1_200; i++)
        {
            // More than one batch.
            await gate.Use(key, [.. Enumerable.Repeat(Passed(0, 1, 0), 100)]);
            i += 99;
        }

        await gate.Use(key, Refused());
        gate.Clock.Advance(TimeSpan.FromDays(1));
        await gate.Use(key, Passed(0, 1, 0), Refused());
        var retention = gate.Services.GetRequiredService<UsageRetention>();

        gate.Clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(0, await retention.Trim());
        gate.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, await retention.Trim());
        gate.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1_201, await retention.Trim());
        Assert.Equal(0, await retention.Trim());

        Assert.Single(await gate.Log());
        Assert.Equal(["requests 1201, refused 2, in 1201, out 0"], Sums(await gate.Usage()));
    }

    [Fact]
    public async Task Models_beyond_the_bound_are_counted_without_their_name()
    {
        await using var gate = await RunningGate.Start("default");
        var models = gate.Services.GetRequiredService<ModelNames>();
        await gate.Database.Write<bool>(async scope =>
        {
            for (var number = 0L; number < ModelNames.Max - 1;)
            {
                number = await scope.NextNumber("model");
                await UsageSql.InsertModel(scope, number, $"model-{number}");
            }

            return true;
        });
        await models.Load([]);

        Assert.True((await models.Learn("the last one")).Value > 0);
        Assert.Equal(ModelNames.None, (await models.Learn("one too many")).Value);
        Assert.Equal((await models.Learn("the last one")).Value, (await models.Learn("the last one")).Value);
        Assert.Equal("validation_failed", (await models.Learn(new string('x', ModelNames.NameCharsMax + 1))).CodeOf());
        Assert.Equal("validation_failed", (await models.Learn("")).CodeOf());
    }

    private static UsageEvent Passed(ushort model, uint input, uint output) =>
        new() { Kind = UsageKind.Passed, Model = model, InputTokens = input, OutputTokens = output };

    private static UsageEvent Refused() => new() { Kind = UsageKind.Refused, Code = VerdictCode.RateLimited.NumberOf() };

    private static async Task<ushort> Model(RunningGate gate, string name) =>
        (await gate.Services.GetRequiredService<ModelNames>().Learn(name)).Value;

    private static IEnumerable<string> Sums(JsonElement report) => report.GetProperty("data").EnumerateArray().Select(sum =>
        string.Concat(new[] { "day", "key_name", "model" }.Select(name => sum.GetProperty(name).GetString())
            .Where(value => value is not null).Select(value => value + ": "))
        + $"requests {Raw(sum, "requests")}, refused {Raw(sum, "refused")}, in {Raw(sum, "input_tokens")}, "
        + $"out {Raw(sum, "output_tokens")}");

    private static int In(JsonElement report) =>
        report.GetProperty("data").EnumerateArray().Sum(sum => sum.GetProperty("input_tokens").GetInt32());

    private static string Raw(JsonElement of, string member) => of.GetProperty(member).GetRawText();

    private static async Task<string> Member(RunningGate gate, string key, string member) => Raw(await OfKey(gate, key), member);

    private static async Task<JsonElement> OfKey(RunningGate gate, string key, string query = "")
    {
        var answer = await gate.Send("GET", $"/api/v1/keys/{key}/usage{query}", RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    private static async Task<JsonElement> Request(RunningGate gate, long number) =>
        (await gate.Send("GET", "/api/v1/requests/" + RequestId.Of(number), RunningGate.RootKey)).Json;

    private static (string?, string?) Told(JsonElement answer) => (
        answer.GetProperty("request").GetProperty("outcome").GetString(), answer.GetProperty("request").GetProperty("code").GetString());

    private async Task<RunningGate> Start(DatabaseKind kind) =>
        await RunningGate.Start("default", postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
}
