using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Verification;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Journal;

/// <summary>What servers tell of requests is booked once, billed at most as held, and answered the same however often it is told.</summary>
public sealed class ReportTests(PostgresFixture postgres)
{
    private const string Model = MeteredVerifyTests.Model;

    private static Task<Answer> Report(RunningGate gate, string body, string? key = null) =>
        gate.Send("POST", "/api/v1/usage", key ?? RunningGate.RootKey, body);

    private static string Body(string reservation, int input, int output, string more = "") =>
        $"{{\"reservation\":\"{reservation}\",\"input_tokens\":{input},\"output_tokens\":{output}{more}}}";

    private static async Task<string> Reserve(RunningGate gate, string secret, int input = 1000, int output = 2000) =>
        (await MeteredVerifyTests.Verify(
            gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":{input},\"max_output\":{output}}}")).String("reservation");

    private static async Task<JsonElement> Line(RunningGate gate, string id) =>
        (await gate.Send("GET", $"/api/v1/requests/req_{id["rsv_".Length..]}", RunningGate.RootKey)).Json.GetProperty("request");

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_settled_request_costs_what_it_used_and_is_in_the_log_when_it_is_answered(DatabaseKind kind)
    {
        await using var gate = await MeteredVerifyTests.Start(kind, postgres);
        var secret = await gate.NewSecret();
        var reservation = await Reserve(gate, secret);

        var settled = (await Report(gate, Body(reservation, 900, 100, ",\"status\":200,\"latency_ms\":42"))).Has(HttpStatusCode.OK);

        // 900 × 0.20 + 100 × 0.85 for a million.
        Assert.Equal(
            $"{{'request_id':'req_{reservation["rsv_".Length..]}','state':'settled','model':'{Model}','input_tokens':900,"
            + "'output_tokens':100,'cost':'0.000265'}",
            settled.Text.Replace('"', '\''));
        var line = await Line(gate, reservation);
        Assert.Equal(
            ("passed", 900, 100, "0.000265", 200, 42),
            (line.GetProperty("outcome").GetString(), line.GetProperty("input_tokens").GetInt32(),
                line.GetProperty("output_tokens").GetInt32(), line.GetProperty("cost").GetString(),
                line.GetProperty("status").GetInt32(), line.GetProperty("latency_ms").GetInt32()));
        Assert.Equal("999.999735 0.00 999.999735", await gate.Figures());
        Assert.Equal(
            ["requests 60 58", "tokens 2000000 1999000"], MeteredVerifyTests.Limits(await MeteredVerifyTests.Verify(gate, secret)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Cached_and_reasoning_tokens_are_booked_apart_and_cost_what_the_file_says_of_them(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "tensorx", new GateOptions { LogLevel = "none" },
            postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null,
            with: provider => provider with { Models = [.. provider.Models.Select(Apart)] });
        var key = await gate.NewKey();
        var secret = key.GetProperty("secret").GetString()!;
        var reservation = await Reserve(gate, secret);
        // 2,000 output tokens of reasoning is the most it can cost, and is held: 1,000 × 0.20 + 2,000 × 1.00.
        Assert.Equal("0.0022", (await gate.Wallet()).String("held"));

        const string More = ",\"cached_tokens\":800,\"reasoning_tokens\":60";
        var settled = (await Report(gate, Body(reservation, 900, 100, More))).Has(HttpStatusCode.OK);

        // 100 × 0.20 + 800 × 0.05 + 40 × 0.85 + 60 × 1.00 for a million.
        Assert.Equal("0.000154", settled.String("cost"));
        var line = await Line(gate, reservation);
        Assert.Equal(
            (900, 100, 800, 60, "0.000154"),
            (line.GetProperty("input_tokens").GetInt32(), line.GetProperty("output_tokens").GetInt32(),
                line.GetProperty("cached_tokens").GetInt32(), line.GetProperty("reasoning_tokens").GetInt32(),
                line.GetProperty("cost").GetString()));
        var recorded = await Report(
            gate, $"{{\"key_id\":\"{key.GetProperty("id").GetString()}\",\"model\":\"{Model}\",\"input_tokens\":900,"
                + $"\"output_tokens\":100{More}}}");
        Assert.Equal("0.000154", recorded.Has(HttpStatusCode.OK).String("cost"));
        var marked = await Reserve(gate, secret);
        Assert.Equal("0.000154", (await Report(gate, Body(marked, 900, 100, More + ",\"in_progress\":true"))).String("cost"));

        static ModelOffer Apart(ModelOffer model) => model.Id != Model ? model : model with
        {
            Price = model.Price!.Value with { CachedPerMillion = 50_000, ReasoningPerMillion = 1_000_000 },
        };
    }

    [Fact]
    public void A_report_that_says_nothing_of_them_is_known_by_the_text_it_always_had()
    {
        var text = JsonSerializer.Serialize(new UseReport { InputTokens = 1, OutputTokens = 2 }, JournalWire.Default.UseReport);
        Assert.Equal(
            "{'reservation':null,'key_id':null,'model':null,'requires':null,'input_tokens':1,'output_tokens':2,'status':null,"
            + "'latency_ms':null,'estimated':null,'in_progress':null,'at':null,'idempotency_key':null}",
            text.Replace('"', '\''));
        Assert.Contains(
            "\"cached_tokens\":0,\"reasoning_tokens\":1",
            JsonSerializer.Serialize(
                new UseReport { InputTokens = 1, OutputTokens = 2, CachedTokens = 0, ReasoningTokens = 1 }, JournalWire.Default.UseReport),
            StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Settling_again_is_answered_as_the_first_time_and_books_nothing_whatever_it_says(DatabaseKind kind)
    {
        await using var gate = await MeteredVerifyTests.Start(kind, postgres);
        var reservation = await Reserve(gate, await gate.NewSecret());

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Report(gate, Body(reservation, 10, i))));

        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(answers[0].Text, (await Report(gate, Body(reservation, 999, 999))).Text);
        Assert.Equal(answers[0].String("cost"), (await Line(gate, reservation)).GetProperty("cost").GetString());
        var entries = (await gate.Entries()).Json.GetProperty("data").EnumerateArray()
            .Where(entry => entry.GetProperty("kind").GetString() == "usage").ToList();
        Assert.Equal("-" + answers[0].String("cost"), Assert.Single(entries).GetProperty("amount").GetString());
    }

    [Fact]
    public async Task Nobody_is_billed_more_than_was_held()
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var reservation = await Reserve(gate, await gate.NewSecret(), 1_000, 0);

        Assert.Equal("0.0002", (await Report(gate, Body(reservation, 1_000, 1_000_000))).String("cost"));
        Assert.Equal("999.9998 0.00 999.9998", await gate.Figures());
        Assert.Equal(1_000_000, (await Line(gate, reservation)).GetProperty("output_tokens").GetInt32());
    }

    [Fact]
    public async Task What_is_left_lying_is_settled_from_its_last_mark_and_never_for_nothing()
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        var (marked, silent) = (await Reserve(gate, secret), await Reserve(gate, secret));
        var mark = (await Report(gate, Body(marked, 1_000, 700, ",\"in_progress\":true"))).Has(HttpStatusCode.OK);
        Assert.Equal(("in_progress", "0.000795"), (mark.String("state"), mark.String("cost")));

        gate.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await gate.Services.GetRequiredService<ReservationSweep>().Run();
        await gate.Services.GetRequiredService<Fold>().WaitAll();

        // What came in was used in any case.
        Assert.Equal("0.000795", (await Line(gate, marked)).GetProperty("cost").GetString());
        Assert.Equal("0.0002", (await Line(gate, silent)).GetProperty("cost").GetString());
        Assert.Equal("0.000795", (await Report(gate, Body(marked, 1, 1))).String("cost"));
        Assert.Equal("999.999005 0.00 999.999005", await gate.Figures());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_request_that_nobody_asked_about_is_recorded_counted_and_billed_as_far_as_the_balance_goes(DatabaseKind kind)
    {
        await using var gate = await MeteredVerifyTests.Start(kind, postgres);
        var key = await gate.NewKey();
        var id = key.GetProperty("id").GetString()!;
        string Record(int input) =>
            $"{{\"key_id\":\"{id}\",\"model\":\"{Model}\",\"input_tokens\":{input},\"output_tokens\":0,\"status\":200}}";

        var recorded = (await Report(gate, Record(1_000_000))).Has(HttpStatusCode.OK);
        Assert.Equal(("settled", "0.20"), (recorded.String("state"), recorded.String("cost")));
        Assert.Equal("999.80 0.00 999.80", await gate.Figures());
        Assert.Equal(
            ["requests 60 58", "tokens 2000000 1000000"],
            MeteredVerifyTests.Limits(await MeteredVerifyTests.Verify(gate, key.GetProperty("secret").GetString()!)));

        (await gate.Enter("adjustment", "-999.70", "most of it")).Has(HttpStatusCode.Created);
        Assert.Equal("0.10", (await Report(gate, Record(1_000_000))).String("cost"));
        Assert.Equal("0.00 0.00 0.00", await gate.Figures());
        var usage = await gate.Send("GET", $"/api/v1/keys/{id}/usage", RunningGate.RootKey);
        Assert.Equal(("0.30", 3), (usage.String("cost"), usage.Json.GetProperty("requests").GetInt32()));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_record_with_an_idempotency_key_is_taken_once(DatabaseKind kind)
    {
        await using var gate = await MeteredVerifyTests.Start(kind, postgres);
        var id = (await gate.NewKey()).GetProperty("id").GetString()!;
        string Record(int output, string key) =>
            $"{{\"key_id\":\"{id}\",\"model\":\"{Model}\",\"input_tokens\":1,\"output_tokens\":{output},\"idempotency_key\":\"{key}\"}}";

        var first = (await Report(gate, Record(100, "one"))).Has(HttpStatusCode.OK);
        Assert.Equal(first.Text, (await Report(gate, Record(100, "one"))).Text);
        Assert.Equal("idempotency_mismatch", (await Report(gate, Record(101, "one"))).String("code"));
        Assert.NotEqual(first.String("request_id"), (await Report(gate, Record(100, "two"))).String("request_id"));

        var parallel = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Report(gate, Record(5, "three"))));
        Assert.Single(parallel.Where(answer => answer.Status == HttpStatusCode.OK).Select(answer => answer.Text).Distinct());
        Assert.All(
            parallel.Where(answer => answer.Status != HttpStatusCode.OK),
            answer => Assert.Equal("idempotency_in_flight", answer.String("code")));
        var usage = await gate.Send("GET", $"/api/v1/keys/{id}/usage", RunningGate.RootKey);
        Assert.Equal((3, 205), (usage.Json.GetProperty("requests").GetInt32(), usage.Json.GetProperty("output_tokens").GetInt32()));
    }

    [Fact]
    public async Task A_batch_answers_each_row_for_itself()
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        var (one, two) = (await Reserve(gate, secret), await Reserve(gate, secret));
        var body = $"{{\"records\":[{Body(one, 1, 1)},{Body("rsv_0000000000001", 1, 1)},{Body(two, -1, 1)},{Body(two, 2, 2)},"
            + $"{Body(one, 3, 3)}]}}";

        var rows = (await gate.Send("POST", "/api/v1/usage/batch", RunningGate.RootKey, body)).Has(HttpStatusCode.OK)
            .Json.GetProperty("data").EnumerateArray().ToList();

        Assert.Equal([200, 404, 422, 200, 200], rows.Select(row => row.GetProperty("status").GetInt32()));
        Assert.Equal("not_found", rows[1].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(rows[0].GetProperty("result").GetRawText(), rows[4].GetProperty("result").GetRawText());
        Assert.Equal("0.00", (await gate.Wallet()).String("held"));
    }

    [Theory]
    [InlineData("{\"input_tokens\":1,\"output_tokens\":1}", 422, "/reservation")]
    [InlineData("{\"reservation\":\"$R\",\"key_id\":\"$K\",\"input_tokens\":1,\"output_tokens\":1}", 422, "/reservation")]
    [InlineData("{\"reservation\":\"$R\",\"output_tokens\":1}", 422, "/input_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":-1,\"output_tokens\":1}", 422, "/input_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1.5,\"output_tokens\":1}", 422, "/input_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":100000001}", 422, "/output_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":99999999999999}", 422, "/output_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"status\":99}", 422, "/status")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"status\":600}", 422, "/status")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"latency_ms\":-1}", 422, "/latency_ms")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"cached_tokens\":2}", 422, "/cached_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"cached_tokens\":-1}", 422, "/cached_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"reasoning_tokens\":2}", 422, "/reasoning_tokens")]
    [InlineData("{\"key_id\":\"$K\",\"input_tokens\":1,\"output_tokens\":1,\"reasoning_tokens\":-1}", 422, "/reasoning_tokens")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"model\":\"another\"}", 422, "/model")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"at\":\"2026-01-02T03:04:05Z\"}", 422, "/at")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"output_tokens\":1,\"cost\":\"0\"}", 422, "/cost")]
    [InlineData("{\"reservation\":\"$R\",\"input_tokens\":1,\"input_tokens\":2,\"output_tokens\":1}", 400, null)]
    [InlineData("{\"reservation\":\"rsv_1\",\"input_tokens\":1,\"output_tokens\":1}", 404, null)]
    [InlineData("{\"reservation\":\"rsv_zzzzzzzzzzzzz\",\"input_tokens\":1,\"output_tokens\":1}", 404, null)]
    [InlineData("{\"key_id\":\"key_0000000000000000000000\",\"model\":\"$M\",\"input_tokens\":1,\"output_tokens\":1}", 404, null)]
    [InlineData("{\"key_id\":\"$K\",\"input_tokens\":1,\"output_tokens\":1}", 422, "/model")]
    [InlineData("{\"key_id\":\"$K\",\"model\":\"gpt-17\",\"input_tokens\":1,\"output_tokens\":1}", 400, null)]
    [InlineData("{\"key_id\":\"$K\",\"model\":\"$M\",\"input_tokens\":1,\"output_tokens\":1,\"at\":\"2026-01-02T03:06:00Z\"}", 422, "/at")]
    [InlineData("{\"key_id\":\"$K\",\"model\":\"$M\",\"input_tokens\":1,\"output_tokens\":1,\"at\":\"2025-12-01T00:00:00Z\"}", 422, "/at")]
    [InlineData("{\"key_id\":\"$K\",\"model\":\"$M\",\"input_tokens\":1,\"output_tokens\":1,\"in_progress\":true}", 422, "/in_progress")]
    [InlineData(
        "{\"key_id\":\"$K\",\"model\":\"$M\",\"input_tokens\":1,\"output_tokens\":1,\"idempotency_key\":\"\"}", 422, "/idempotency_key")]
    public async Task What_is_no_sound_report_is_refused_with_its_place_and_nothing_is_booked(string body, int status, string? pointer)
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var key = await gate.NewKey();
        var reservation = await Reserve(gate, key.GetProperty("secret").GetString()!);

        var refused = await Report(gate, body.Replace("$R", reservation, StringComparison.Ordinal)
            .Replace("$K", key.GetProperty("id").GetString(), StringComparison.Ordinal).Replace("$M", Model, StringComparison.Ordinal));

        Assert.True((int)refused.Status == status, refused.Text);
        Assert.Equal(pointer, status == 422 ? refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString() : null);
        Assert.Equal("1000.00 0.0019 999.9981", await gate.Figures());
    }

    [Fact]
    public async Task A_reservation_of_another_organization_is_as_absent_as_one_that_never_was()
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres, "tensoras");
        var (mine, theirs) = (await gate.NewProject(), await gate.NewProject());
        const string Server = "\"name\":\"A server\",\"rights\":[\"verify\",\"usage:write\"]";
        var (own, other) = (await gate.NewSecret(Server, mine), await gate.NewSecret(Server, theirs));
        var reservation = (await MeteredVerifyTests.Verify(
            gate, await gate.NewSecret(project: mine), "\"tokens\":{\"input\":1}", own)).String("reservation");

        var foreign = await Report(gate, Body(reservation, 1, 1), other);
        var absent = await Report(gate, Body("rsv_0000000000001", 1, 1), other);
        Assert.Equal((HttpStatusCode.NotFound, absent.Plain()), (foreign.Status, foreign.Plain()));
        Assert.Equal(HttpStatusCode.OK, (await Report(gate, Body(reservation, 1, 1), own)).Status);
        Assert.Equal(absent.Plain(), (await Report(gate, Body(reservation, 1, 1), other)).Plain());
    }

    [Fact]
    public async Task Where_requests_are_paid_for_a_customers_own_key_does_not_say_what_they_used()
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var mine = await gate.NewProject();
        var own = await gate.NewSecret("\"name\":\"Mine\",\"rights\":[\"verify\",\"usage:write\"]", mine);
        var reservation = await Reserve(gate, await gate.NewSecret(project: mine));

        var refused = await Report(gate, Body(reservation, 0, 0), own);

        Assert.Equal((HttpStatusCode.Forbidden, "operator_only"), (refused.Status, refused.String("code")));
        Assert.Equal("0.0019", (await gate.Wallet((await gate.Send("GET", $"/api/v1/projects/{mine}", RunningGate.RootKey))
            .String("organization_id"))).String("held"));
    }

    [Theory]
    [InlineData("{}", "/records")]
    [InlineData("{\"records\":null}", "/records")]
    [InlineData("{\"records\":[]}", "/records")]
    [InlineData("{\"records\":[null]}", "/records/0")]
    public async Task A_batch_of_nothing_is_refused_with_its_place(string body, string pointer)
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var refused = await gate.Send("POST", "/api/v1/usage/batch", RunningGate.RootKey, body);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal(pointer, refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task A_batch_takes_a_thousand_records_and_not_one_more()
    {
        await using var gate = await MeteredVerifyTests.Start(DatabaseKind.Sqlite, postgres);
        var id = (await gate.NewKey()).GetProperty("id").GetString()!;
        string Records(int count) => "{\"records\":[" + string.Join(',', Enumerable.Range(0, count).Select(i =>
            $"{{\"key_id\":\"{id}\",\"model\":\"{Model}\",\"input_tokens\":1,\"output_tokens\":0,\"idempotency_key\":\"{i}\"}}")) + "]}";

        var all = (await gate.Send("POST", "/api/v1/usage/batch", RunningGate.RootKey, Records(1_000))).Has(HttpStatusCode.OK);
        Assert.All(all.Json.GetProperty("data").EnumerateArray(), row => Assert.Equal(200, row.GetProperty("status").GetInt32()));
        Assert.Equal(422, (int)(await gate.Send("POST", "/api/v1/usage/batch", RunningGate.RootKey, Records(1_001))).Status);
        var usage = await gate.Send("GET", $"/api/v1/keys/{id}/usage", RunningGate.RootKey);
        Assert.Equal(1_000, usage.Json.GetProperty("requests").GetInt32());
    }

    [Fact]
    public async Task A_record_counts_in_the_limits_of_what_its_request_needed()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var key = await gate.NewKey();
        string Record(string more) =>
            $"{{\"key_id\":\"{key.GetProperty("id").GetString()}\",\"input_tokens\":0,\"output_tokens\":0{more}}}";
        (await Report(gate, Record(",\"requires\":\"endpoints:write\""))).Has(HttpStatusCode.OK);
        (await Report(gate, Record(""))).Has(HttpStatusCode.OK);
        Assert.Equal("/requires", (await Report(gate, Record(",\"requires\":\"nothing\""))).Json.GetProperty("errors")[0]
            .GetProperty("pointer").GetString());

        var write = await gate.Send("POST", "/v2/endpoints", key.GetProperty("secret").GetString()!);
        Assert.Equal(("20", "18"), (write.Headers["X-RateLimit-Limit"], write.Headers["X-RateLimit-Remaining"]));
    }
}
