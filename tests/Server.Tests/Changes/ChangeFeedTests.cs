using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tollgate.Server.Changes;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Verification;

namespace Tollgate.Server.Tests.Changes;

/// <summary>The change feed by long poll, over HTTP and on both databases.</summary>
public sealed partial class ChangeFeedTests(Gates gates) : IClassFixture<Gates>
{
    private const string CheckOnly = "\"rights\":[\"verify\"]";

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Changes_come_in_the_order_of_commits_and_name_what_changed(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var start = await Poll(gate, "");
        var project = await gate.NewProject();
        var organization = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
        var (id, _) = await gate.NewPair(project: project);
        await gate.Act(id, "revoke");

        var page = await Poll(gate, From(start));

        var next = start.GetProperty("next_after").GetInt64();
        Assert.Equal(
            [
                $"{next + 1} organization {organization} 1", $"{next + 2} project {project} 1",
                $"{next + 3} key {id} 1", $"{next + 4} key {id} 2",
            ],
            page.GetProperty("data").EnumerateArray().Select(Line));
        Assert.Equal(next + 4, page.GetProperty("next_after").GetInt64());
        Assert.False(page.GetProperty("reset").GetBoolean());
        Assert.Equal(start.GetProperty("epoch").GetString(), page.GetProperty("epoch").GetString());
        Assert.Equal("2026-01-02T03:04:05Z", page.GetProperty("data")[0].GetProperty("at").GetString());
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_poll_that_waits_is_answered_by_the_next_change(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var (id, secret) = await gate.NewPair();
        var start = await Poll(gate, "");
        var polls = Enumerable.Range(0, 20).Select(_ => Poll(gate, From(start) + "&wait=30")).ToList();

        Assert.Equal(HttpStatusCode.OK, (await gate.Act(id, "disable")).Status);

        // Whoever has heard of it and asks again hears the new state.
        foreach (var page in await Task.WhenAll(polls))
        {
            Assert.Equal(id, page.GetProperty("data")[0].GetProperty("id").GetString());
        }

        Assert.Equal("key_disabled", await gate.CodeOf(secret));
    }

    [Fact]
    public async Task A_poll_ends_empty_when_its_time_is_up()
    {
        var gate = await gates.Of("default");
        var start = await Poll(gate, "");

        var page = await Poll(gate, From(start) + "&wait=0");

        Assert.Equal(start.GetProperty("next_after").GetInt64(), page.GetProperty("next_after").GetInt64());
        Assert.Equal(0, page.GetProperty("data").GetArrayLength());
        Assert.False(page.GetProperty("reset").GetBoolean());
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_sees_the_changes_of_what_it_may_verify_and_no_others(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var home = await gate.NewProject();
        var own = await gate.NewSecret($"\"name\":\"Own\",{CheckOnly}", home);
        var operators = await gate.NewSecret($"\"name\":\"Of the operator\",{CheckOnly}");
        var start = From(await Poll(gate, ""));
        var (foreign, _) = await gate.NewPair(project: await gate.NewProject());
        var (other, _) = await gate.NewPair("\"name\":\"In test\",\"environment\":\"test\"", home);
        await gate.Act(foreign, "disable");

        Assert.Empty(Ids(await Poll(gate, start + "&wait=0", own)));
        var all = Ids(await Poll(gate, start + "&wait=0", operators));
        Assert.Equal([foreign, other, foreign], all.Where(id => id.StartsWith("key_", StringComparison.Ordinal)));

        var (mine, _) = await gate.NewPair(project: home);
        await gate.Send("PATCH", $"/api/v1/projects/{home}", RunningGate.RootKey, "{\"name\":\"Renamed\"}");
        Assert.Equal([mine, home], Ids(await Poll(gate, start + "&wait=0", own)));
    }

    [Fact]
    public async Task Foreign_changes_do_not_end_a_wait_but_move_it_on()
    {
        var gate = await gates.Of("default");
        var own = await gate.NewSecret($"\"name\":\"Own\",{CheckOnly}", await gate.NewProject());
        var start = await Poll(gate, "", own);
        for (var i = 0; i < 3; i++)
        {
            await gate.NewKey();
        }

        var page = await Poll(gate, From(start) + "&wait=0", own);

        Assert.Empty(Ids(page));
        Assert.Equal(start.GetProperty("next_after").GetInt64() + 3, page.GetProperty("next_after").GetInt64());
    }

    [Fact]
    public async Task A_number_ahead_of_the_log_and_another_start_of_the_gate_are_told_to_begin_anew()
    {
        var gate = await gates.Of("default");
        var start = await Poll(gate, "");
        var head = start.GetProperty("next_after").GetInt64();

        foreach (var query in new[] { $"?after={head + 1}&wait=30", $"?after={head}&epoch=another&wait=30" })
        {
            var page = await Poll(gate, query);
            Assert.True(page.GetProperty("reset").GetBoolean());
            Assert.Equal(head, page.GetProperty("next_after").GetInt64());
        }
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_number_older_than_the_log_is_told_to_begin_anew_and_the_one_at_its_end_is_not(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        await gate.NewKey();
        await gate.NewKey();
        var head = gate.Database.Changes.Seq;
        await gate.Database.Write<int>(
            async scope => await scope.Execute("DELETE FROM changes WHERE seq < @head", new { head }),
            TestContext.Current.CancellationToken);

        // A feed of its own has nothing in memory yet.
        using var tail = new ChangeTail(gate.Database);
        var epoch = gate.Database.Changes.End.Epoch;
        Assert.Null(await tail.After(head - 2, epoch, TestContext.Current.CancellationToken));
        Assert.Equal(head, (await tail.After(head - 1, epoch, TestContext.Current.CancellationToken))!.To);
        Assert.True((await Poll(gate, "?after=0&wait=0")).GetProperty("reset").GetBoolean());
    }

    [Theory]
    [InlineData("?after=-1", "/after")]
    [InlineData("?wait=31", "/wait")]
    [InlineData("?wait=-1", "/wait")]
    public async Task What_cannot_be_asked_is_refused_by_name(string query, string pointer)
    {
        var answer = await (await gates.Of("default")).Send("GET", "/api/v1/changes" + query, RunningGate.RootKey);

        Assert.Equal("validation_failed", answer.String("code"));
        Assert.Equal(pointer, answer.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task An_organization_has_as_many_polls_waiting_as_it_may_and_the_next_is_told_to_come_again()
    {
        var gate = await gates.Of("default");
        var project = await gate.NewProject();
        var own = await gate.NewSecret($"\"name\":\"Own\",{CheckOnly}", project);
        var start = From(await Poll(gate, "")) + "&wait=30";
        var waiting = Enumerable.Range(0, WaitPlaces.OfOrganizationMax + 1)
            .Select(_ => gate.Send("GET", "/api/v1/changes" + start, own)).ToList();

        var refused = await await Task.WhenAny(waiting);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (refused.Status, refused.String("code")));
        Assert.Equal("1", refused.Headers["Retry-After"]);
        Assert.Equal(WaitPlaces.OfOrganizationMax, waiting.Count(poll => !poll.IsCompleted));

        var operators = gate.Send("GET", "/api/v1/changes" + start, RunningGate.RootKey);
        await gate.NewKey(project: project);
        Assert.Equal(HttpStatusCode.OK, (await operators).Status);
        Assert.Equal(WaitPlaces.OfOrganizationMax, (await Task.WhenAll(waiting)).Count(poll => poll.Status == HttpStatusCode.OK));
    }

    [Fact]
    public async Task A_client_that_leaves_gives_its_place_back()
    {
        var gate = await gates.Of("default");
        var own = await gate.NewSecret($"\"name\":\"Own\",{CheckOnly}", await gate.NewProject());
        var start = From(await Poll(gate, "")) + "&wait=30";
        using (var leaves = new CancellationTokenSource())
        {
            var waiting = Enumerable.Range(0, WaitPlaces.OfOrganizationMax + 1)
                .Select(_ => Leaving(gate, start, own, leaves.Token)).ToList();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await await Task.WhenAny(waiting));
            await leaves.CancelAsync();
            await Task.WhenAll(waiting).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        // The gate notices by itself that they have left; until then it refuses, and a place is free again in the end.
        for (var status = HttpStatusCode.ServiceUnavailable; status != HttpStatusCode.OK;)
        {
            status = (await gate.Send("GET", "/api/v1/changes" + start.Replace("wait=30", "wait=1", StringComparison.Ordinal), own)).Status;
        }
    }

    [Fact]
    public void A_stretch_is_not_asked_for_what_lies_before_it() =>
        Assert.Throws<InvalidOperationException>(() => new ChangeTail.Stretch(5, 9, []).After(4));

    [Fact]
    public async Task Reads_of_old_changes_take_places_too()
    {
        var gate = await gates.Of("default");
        await gate.NewKey();
        using var tail = new ChangeTail(gate.Database);
        var feed = new ChangeFeed(gate.Database, tail, gate.Clock, gate.Services.GetRequiredService<IHostApplicationLifetime>());
        List<Task<Outcome<ChangePage>>> reads;
        await using (await HeldReaders.Take(gate.Database))
        {
            reads = [.. Enumerable.Range(0, WaitPlaces.OfOrganizationMax + 1).Select(_ => feed.Read(
                Callers.Key("key_1"), gate.Database.Changes.Seq - 1, null, TimeSpan.Zero, TestContext.Current.CancellationToken))];

            var refused = Assert.Single(reads, read => read.IsCompleted);
            Assert.Equal("unavailable", (await refused).CodeOf());
        }

        Assert.Equal(WaitPlaces.OfOrganizationMax, (await Task.WhenAll(reads)).Count(read => read.IsOk));
    }

    [Fact]
    public async Task A_history_that_went_back_resets_who_waits_and_nothing_of_the_lost_one_is_told_again()
    {
        await using var gate = await RunningGate.Start("default");
        var start = await Poll(gate, "");
        await gate.NewKey();
        Assert.Equal(1, (await Poll(gate, From(start))).GetProperty("data")[0].GetProperty("version").GetInt64());
        var head = gate.Database.Changes.Seq;
        var waiting = Poll(gate, $"?after={head}&wait=30");
        await gate.Database.Write<int>(
            async scope => await scope.Execute("UPDATE changes SET version = 77 WHERE seq = @head", new { head }),
            TestContext.Current.CancellationToken);

        gate.Database.Changes.BeginEpoch(head - 1);
        var reset = await waiting;
        Assert.True(reset.GetProperty("reset").GetBoolean());
        Assert.Equal(head - 1, reset.GetProperty("next_after").GetInt64());
        Assert.NotEqual(start.GetProperty("epoch").GetString(), reset.GetProperty("epoch").GetString());
        Assert.True((await Poll(gate, From(start) + "&wait=0")).GetProperty("reset").GetBoolean());

        gate.Database.Changes.Publish(head);
        Assert.Equal(77, (await Poll(gate, From(reset))).GetProperty("data")[0].GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Waits_end_with_the_gate()
    {
        await using var gate = await RunningGate.Start("default");
        var waiting = Poll(gate, From(await Poll(gate, "")) + "&wait=30");
        var lifetime = gate.Services.GetRequiredService<IHostApplicationLifetime>();

        lifetime.StopApplication();

        Assert.Empty(Ids(await waiting));
    }

    /// <summary>A restore leaves a gap in the numbers, after which every reader begins anew: its row is never told.</summary>
    [Fact]
    public void Every_kind_of_change_that_the_code_appends_is_one_that_the_feed_names_but_a_restore() => Assert.Equal(
        ["key", "organization", "project", "restore"],
        House.Repository.CSharp("src/Server").SelectMany(file => Appended().Matches(file.Text))
            .Select(kind => kind.Groups["kind"].Value).Distinct().Order());

    [GeneratedRegex(@"\.Change\(""(?<kind>\w+)""")]
    private static partial Regex Appended();

    private static async Task<HttpStatusCode> Leaving(RunningGate gate, string query, string key, CancellationToken leaves)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/changes" + query);
        request.Headers.Authorization = new("Bearer", key);
        using var response = await gate.Http.SendAsync(request, leaves);
        return response.StatusCode;
    }

    private static async Task<JsonElement> Poll(RunningGate gate, string query, string key = RunningGate.RootKey)
    {
        var answer = await gate.Send("GET", "/api/v1/changes" + query, key);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json;
    }

    private static string From(JsonElement page) =>
        $"?after={page.GetProperty("next_after").GetInt64()}&epoch={page.GetProperty("epoch").GetString()}";

    private static string Line(JsonElement change) =>
        $"{change.GetProperty("seq").GetInt64()} {change.GetProperty("kind").GetString()} {change.GetProperty("id").GetString()} "
        + change.GetProperty("version").GetInt64();

    private static IEnumerable<string> Ids(JsonElement page) =>
        page.GetProperty("data").EnumerateArray().Select(change => change.GetProperty("id").GetString()!);
}
