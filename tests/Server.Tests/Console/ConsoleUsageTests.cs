using System.Net;
using System.Text.RegularExpressions;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Tests.Console;

/// <summary>What was used and why something was refused, at the console.</summary>
public sealed partial class ConsoleUsageTests
{
    [Fact]
    public async Task The_first_run_leads_from_no_key_to_the_first_request_and_notices_it()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var empty = $"/console/{place.Reach.OtherProject}";
        var page = await owner.Get(empty);
        Assert.Contains($"href=\"{empty}/keys/new\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("data-wait", page.Text, StringComparison.Ordinal);

        var made = await ConsolePagesPlace.Make(owner, $"{empty}/keys", ("name", "First"));
        page = await owner.Get(empty);
        Assert.Contains("data-wait", page.Text, StringComparison.Ordinal);
        Assert.Contains("YOUR_KEY", page.Text, StringComparison.Ordinal);
        Assert.Equal("allowed", (await place.Check(SecretOf(made))).GetProperty("code").GetString());

        page = await owner.Get($"{empty}?first=true");
        Assert.DoesNotContain("data-wait", page.Text, StringComparison.Ordinal);
        Assert.Contains("Your first request passed", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Your first request", (await owner.Get(empty)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_and_the_explorer_count_what_passed_and_what_was_refused_TX8_TX9()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var secret = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "My program")));
        await place.Check(secret);
        await place.Check(secret);
        await place.Check(secret, ",\"method\":\"GET\",\"path\":\"/nowhere/at/all\"");

        foreach (var days in new[] { 1, 7, 30 })
        {
            var overview = await owner.Get($"{place.Home}?days={days}");
            Assert.Equal("2", FigureOf(overview, "Requests"));
            Assert.Equal("1", FigureOf(overview, "Refused"));
        }

        var today = place.Gate.Clock.GetUtcNow().ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (group, name) in new[] { ("key", "My program"), ("day", today), ("model", "no model") })
        {
            var page = await owner.Get($"{place.Home}/usage?by={group}");
            Assert.True(page.Status == 200, page.ToString());
            Assert.Contains(name, page.Text, StringComparison.Ordinal);
            Assert.Equal("2", FigureOf(page, "Requests"));
        }

        var all = await owner.Get($"/console/{place.Reach.Organization}/usage?by=project");
        Assert.Equal("2", FigureOf(all, "Requests"));
        Assert.Contains("The project", all.Text, StringComparison.Ordinal);
        var key = Regex.Match((await owner.Get(place.Keys)).Text, "keys/(key_[^\"]+)\"><bdi>My program").Groups[1].Value;
        foreach (var whose in new[] { place.Reach.Organization, place.Reach.Project })
        {
            Assert.Equal("2", FigureOf(await owner.Get($"/console/{whose}/usage?key={key}"), "Requests"));
        }

        Assert.Equal("0", FigureOf(await owner.Get($"/console/{place.Reach.OtherProject}/usage"), "Requests"));
        var file = await owner.Get($"{place.Home}/usage.csv");
        Assert.Contains("My program", file.Text, StringComparison.Ordinal);
        Assert.StartsWith("text/csv", file.Answer.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_of_more_keys_than_a_table_may_have_shows_the_dearest()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        await place.Check(SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "My program"))));
        await owner.Get(place.Home);
        Assert.True((await place.Gate.Database.Write<int>(async scope =>
        {
            await scope.Execute("UPDATE usage_key_days SET cost_micros = 7000000, priced = 1");
            return await scope.Execute(
                $"""
                INSERT INTO usage_key_days (place_no, from_ms, key_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                            loss_micros, priced, estimated, cached_tokens, reasoning_tokens)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {UsageReader.SumsMax})
                SELECT place_no, from_ms, 1000000 + i, 1, 0, 0, 0, i, 0, 1, 0, 0, 0 FROM n, usage_key_days
                """);
        })).IsOk);

        var page = await owner.Get(place.Home);

        var first = Regex.Match(page.Text, "Keys that used most.*?<th scope=\"row\">(?<cell>.*?)</tr>", RegexOptions.Singleline);
        Assert.Contains("My program", first.Groups["cell"].Value, StringComparison.Ordinal);
        Assert.Contains("7.00", first.Groups["cell"].Value, StringComparison.Ordinal);
        Assert.Equal(422, (await owner.Get($"{place.Home}/usage?by=key")).Status);
    }

    [Fact]
    public async Task What_a_model_server_answered_with_an_error_is_told_where_requests_are_counted()
    {
        await using var place = await ConsolePagesPlace.Start();
        var made = await place.Gate.NewPair(project: place.Reach.Project);
        foreach (var status in new[] { 200, 399, 400, 502 })
        {
            await place.Gate.Report(await place.Gate.Check(made.Secret, "echo", 10), 10, 0, status);
        }

        foreach (var path in new[] { place.Home, $"{place.Home}/usage", $"{place.Home}/usage?by=key", $"{place.Keys}/{made.Id}" })
        {
            var page = await place.As("owner").Get(path);
            Assert.Contains("that passed; 2 answered with an error", page.Text, StringComparison.Ordinal);
            Assert.Contains("4 passed (2 with an error)", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Whose_session_ends_while_a_file_of_usage_is_read_gets_no_more_of_it()
    {
        await using var place = await ConsolePagesPlace.Start();
        await place.Check(SecretOf(await ConsolePagesPlace.Make(place.As("owner"), place.Keys, ("name", "My program"))));
        await place.As("owner").Get(place.Home);
        Assert.True((await place.Gate.Database.Write<int>(async scope =>
        {
            await scope.Execute("UPDATE usage_spans SET lowest_no = 1");
            return await scope.Execute(
                """
                INSERT INTO refusals (request_no, key_no, place_no, at_ms, model_no, code, limit_amount, limit_remaining, retry_at_ms)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
                SELECT i, key_no, place_no, at_ms, model_no, 5, 0, 0, 0 FROM n, usage_log
                """);
        })).IsOk);
        using var http = new HttpClient { BaseAddress = new Uri(place.Gate.Address) };
        http.DefaultRequestHeaders.Add("Cookie", $"tollgate={place.Reach["owner"].Cookie}");
        var (file, cancel) = (new Uri($"{place.Home}/usage.csv", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(40_002, (await http.GetStringAsync(file, cancel)).Count(letter => letter == '\n'));

        using var answer = await http.GetAsync(file, HttpCompletionOption.ResponseHeadersRead, cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True((await place.Gate.Database.Write<int>(async scope => await scope.Execute("DELETE FROM sessions"))).IsOk);

        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync(cancel));
    }

    [Fact]
    public async Task A_chart_has_a_bar_for_every_day_that_reads_its_value_and_the_table_has_the_same_numbers()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        await place.Check(SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "My program"))));

        var page = await owner.Get($"{place.Home}?days=30");

        Assert.Equal(30, Bar().Count(page.Text));
        Assert.Contains(": 1 passed\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("Show as table", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("from=never")]
    [InlineData("from=2026-02-31")]
    [InlineData("from=2999-01-01")]
    [InlineData("to=1990-01-01")]
    public async Task A_time_that_is_none_is_told_beside_its_field(string query)
    {
        await using var place = await ConsolePagesPlace.Start();

        var page = await place.As("owner").Get($"{place.Home}/usage?{query}");

        Assert.Equal(422, page.Status);
        Assert.Contains("aria-invalid", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_id_tells_why_it_was_refused_step_by_step_and_what_mends_it()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var secret = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "My program")));
        var refused = await place.Check(secret, ",\"method\":\"GET\",\"path\":\"/nowhere/at/all\"");
        var id = refused.GetProperty("request_id").GetString();

        var page = await owner.Get($"{place.Home}/refusals?request=%20{id}%20");

        Assert.Equal(200, page.Status);
        Assert.Contains("No route of the provider has this method and path", page.Text, StringComparison.Ordinal);
        Assert.Contains("What mends it", page.Text, StringComparison.Ordinal);
        Assert.Equal(6, Step("good").Count(page.Text));
        Assert.Equal(1, Step("bad").Count(page.Text));
        Assert.Equal(1, Step("ended").Count(page.Text));
        Assert.Contains(id!, (await owner.Get(place.Home)).Text, StringComparison.Ordinal);
        Assert.Contains(id!, (await place.As("viewer").Get($"{place.Home}/refusals")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await owner.Get($"/console/{place.Reach.OtherProject}/refusals?request={id}")).Status);
        Assert.Equal(404, (await owner.Get($"{place.Home}/refusals?request=nonsense")).Status);
        var unknown = await owner.Get($"{place.Home}/refusals?request=req_0000000000001");
        Assert.Equal(404, unknown.Status);
        var causes = Regex.Matches(unknown.Text, "<li><a href=\"(?<page>/docs/errors/[a-z_]+)\"")
            .Select(found => found.Groups["page"].Value);
        Assert.Contains("/docs/errors/model_unknown", causes);
        foreach (var cause in causes)
        {
            Assert.Equal(200, (await owner.Get(cause)).Status);
        }

        Assert.Equal(404, (await place.As("stranger").Get($"{place.Home}/refusals?request={id}")).Status);
    }

    [Fact]
    public async Task Every_page_has_one_heading_a_way_past_the_bar_says_where_it_is_and_asks_nothing_of_others_W8()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        foreach (var path in new[]
        {
            place.Home, place.Keys, $"{place.Keys}/new", $"{place.Keys}/{place.Reach.Key}", $"{place.Keys}/{place.Reach.Key}/revoke",
            $"{place.Home}/usage", $"{place.Home}/refusals", $"/console/{place.Reach.Organization}/all",
            $"/console/{place.Reach.Organization}/usage",
        })
        {
            var page = await owner.Get(path);
            Assert.True(page.Status == 200, $"{path}: {page}");
            Assert.Equal(2, page.Text.Split("<h1").Length);
            Assert.Contains("href=\"#main\"", page.Text, StringComparison.Ordinal);
            Assert.Contains("aria-current=\"page\"", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<style", page.Text, StringComparison.Ordinal);
            Assert.DoesNotMatch("(?:src|href|action)=\"(?:https?:)?//", page.Text);
            Assert.True(page.Text.Length < 60_000, $"{path} has {page.Text.Length} bytes.");
            var policy = string.Join(' ', page.Answer.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            foreach (var file in Asset().Matches(page.Text).Select(match => match.Groups["path"].Value))
            {
                Assert.Equal(200, (await owner.Get(file)).Status);
            }
        }
    }

    private static string SecretOf(Page page)
    {
        var found = SecretText().Match(page.Text);
        Assert.True(found.Success, page.ToString());
        return found.Groups["secret"].Value;
    }

    private static string FigureOf(Page page, string title)
    {
        var found = Regex.Match(page.Text, $"<dt>{title}</dt><dd>(?<text>[^<]*)");
        Assert.True(found.Success, page.ToString());
        return found.Groups["text"].Value.Trim();
    }

    private static Regex Step(string mark) => new($"<li class=\"{mark}\">");

    [GeneratedRegex("<code id=\"secret\"[^>]*>(?<secret>[^<]*)</code>")]
    private static partial Regex SecretText();

    [GeneratedRegex("<g class=\"day")]
    private static partial Regex Bar();

    [GeneratedRegex("\"(?<path>/assets/[^\"]*)\"")]
    private static partial Regex Asset();
}
