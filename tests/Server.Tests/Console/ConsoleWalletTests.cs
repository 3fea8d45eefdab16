using System.Net;
using System.Text.RegularExpressions;
using Tollgate.Server.Console.Wallet;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Tests.Console;

/// <summary>What is left, how long it lasts, what moved it, and what the plan gives, at the console.</summary>
public sealed class ConsoleWalletTests
{
    private const string Qwen = "qwen3-235b";

    [Fact]
    public async Task A_balance_is_told_apart_and_lasts_by_the_pace_of_what_was_billed_TX12()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, owner, wallet) = (place.Gate, place.As("owner"), $"{place.Home}/wallet");
        (await gate.Enter("grant", "10", "welcome", place.Reach.Organization)).Has(HttpStatusCode.Created);
        var page = await owner.Get(wallet);
        Assert.Equal("1,010.00 USD", FigureOf(page, "Balance"));
        Assert.Contains("10.00 USD granted, which is spent first; 1,000.00 USD paid", page.Text, StringComparison.Ordinal);
        Assert.Contains("there is no pace yet", page.Text, StringComparison.Ordinal);

        await Use(place, 1_000_000);
        page = await owner.Get(wallet);
        Assert.Equal("1,009.80 USD", FigureOf(page, "Balance"));
        Assert.Equal("more than a year", FigureOf(page, "Lasts"));
        Assert.Contains("9.80 USD granted", page.Text, StringComparison.Ordinal);

        (await gate.Enter("adjustment", "-1004.05", "correction", place.Reach.Organization)).Has(HttpStatusCode.Created);
        page = await owner.Get($"/console/{place.Reach.Organization}/wallet");
        Assert.Equal("about 28 days", FigureOf(page, "Lasts"));
        Assert.Contains("at 0.20 USD a day, as since 2 Jan", page.Text, StringComparison.Ordinal);
        Assert.Contains("All keys of the organization disable themselves", page.Text, StringComparison.Ordinal);
        Assert.Contains("<dt>0.05 USD or less</dt>", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("notice soon", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_low_and_an_empty_balance_are_told_on_every_page_to_who_may_read_the_account_and_money_ends_it_TX12()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, organization) = (place.Gate, place.Reach.Organization);
        var (owner, billing, viewer) = (place.As("owner"), place.As("billing"), place.As("viewer"));
        string[] pages = [place.Home, $"{place.Home}/usage", $"{place.Home}/refusals", $"/console/{organization}/all"];
        foreach (var path in pages)
        {
            Assert.DoesNotContain("/wallet\">Wallet</a></p>", (await owner.Get(path)).Text, StringComparison.Ordinal);
        }

        (await gate.Enter("adjustment", "-995", "one", organization)).Has(HttpStatusCode.Created);
        foreach (var path in pages)
        {
            Assert.Contains("The balance is low: 5.00 USD is left. At 0.05 USD keys disable themselves", (await owner.Get(path)).Text,
                StringComparison.Ordinal);
            Assert.Contains("notice soon", (await billing.Get(path)).Text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("balance", (await viewer.Get(place.Home)).Text, StringComparison.Ordinal);
        Assert.Equal(2, (await owner.Get($"{place.Home}/wallet")).Text.Split("The balance is low").Length);

        (await gate.Enter("adjustment", "-4.95", "two", organization)).Has(HttpStatusCode.Created);
        Assert.Contains("have stopped, until money is put in", (await owner.Get(place.Keys)).Text, StringComparison.Ordinal);
        Assert.Contains("the balance is used up", (await owner.Get($"{place.Keys}/{place.Reach.Key}")).Text, StringComparison.Ordinal);
        Assert.Equal("used up", FigureOf(await owner.Get($"{place.Home}/wallet"), "Lasts"));

        await gate.TopUp("20", "three", organization);
        Assert.DoesNotContain("until money is put in", (await owner.Get(place.Keys)).Text, StringComparison.Ordinal);
        Assert.Contains("status good", (await owner.Get($"{place.Keys}/{place.Reach.Key}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_is_filtered_by_kind_and_month_and_its_file_has_just_the_same()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, owner, wallet) = (place.Gate, place.As("owner"), $"{place.Home}/wallet");
        await gate.Spend("1.50", place.Reach.Organization);
        gate.Clock.Advance(TimeSpan.FromDays(40));
        // The session has ended meanwhile.
        owner = await Again(place, "owner");
        (await gate.Enter("refund", "0.25", "back", place.Reach.Organization)).Has(HttpStatusCode.Created);

        Assert.Equal(["+0.25", "−1.50", "+1,000.00"], AmountsOf(await owner.Get($"{wallet}?kind=all")));
        Assert.Equal(["+0.25", "+1,000.00"], AmountsOf(await owner.Get(wallet)));
        Assert.Equal(["−1.50"], AmountsOf(await owner.Get($"{wallet}?kind=usage")));
        Assert.Equal(["−1.50", "+1,000.00"], AmountsOf(await owner.Get($"{wallet}?kind=all&month=2026-01")));
        Assert.Equal(["+1,000.00"], AmountsOf(await owner.Get($"{wallet}?kind=&month=2026-01")));
        Assert.Equal(["+0.25"], AmountsOf(await owner.Get($"{wallet}?month=2026-02")));
        var page = await owner.Get($"{wallet}?month=2026-01&kind=refund");
        Assert.Contains("No movement is like that", page.Text, StringComparison.Ordinal);
        page = await owner.Get($"{wallet}?kind=usage&month=2026-01");
        Assert.Contains("1 request<", page.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"{wallet}.csv?kind=usage&amp;month=2026-01\"", page.Text, StringComparison.Ordinal);

        var file = await owner.Get($"{wallet}.csv?kind=usage&month=2026-01");
        Assert.Equal("text/csv; charset=utf-8", file.Answer.Content.Headers.ContentType!.ToString());
        Assert.Equal(
            "number,at,kind,amount,balance_after,requests,reason,external_id,by\r\n2,2026-01-02T03:04:05Z,usage,-1.50,998.50,1,,,\r\n",
            file.Text);
        Assert.Equal(4, (await owner.Get($"{wallet}.csv")).Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_statement_tells_requests_by_day_of_all_projects_and_each_booking_only_where_it_is_asked_for()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, wallet) = (place.Gate, $"{place.Home}/wallet");
        await Use(place, 1_000_000);
        await Use(place, 500_000);
        gate.Clock.Advance(TimeSpan.FromDays(40));
        await Use(place, 1_000_000);
        var owner = await Again(place, "owner");

        Assert.Equal(["2026-02-11 1 0.20 USD"], DaysOf(await owner.Get(wallet)));
        Assert.Equal(["2026-01-02 2 0.30 USD"], DaysOf(await owner.Get($"/console/{place.Reach.OtherProject}/wallet?month=2026-01")));
        foreach (var other in new[] { "kind=all", "kind=usage", "kind=top_up", "month=2026-13" })
        {
            Assert.Empty(DaysOf(await owner.Get($"{wallet}?{other}")));
        }

        Assert.Contains("by day", (await owner.Get(wallet)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind=nonsense")]
    [InlineData("month=2026-13")]
    [InlineData("month=%00")]
    public async Task A_filter_that_is_none_is_told_and_a_cursor_of_another_filter_is_refused(string query)
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");

        var page = await owner.Get($"{place.Home}/wallet?{query}");

        Assert.Equal(422, page.Status);
        Assert.Contains("role=\"alert\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(422, (await owner.Get($"{place.Home}/wallet.csv?{query}")).Status);
        Assert.Equal(400, (await owner.Get($"{place.Home}/wallet?cursor=nonsense")).Status);
    }

    [Fact]
    public async Task Fifty_movements_are_a_page_and_the_next_page_has_the_older_ones()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        for (var i = 1; i <= 50; i++)
        {
            (await place.Gate.Enter("top_up", $"{i}.00", $"event {i}", place.Reach.Organization)).Has(HttpStatusCode.Created);
        }

        var owner = place.As("owner");
        var first = await owner.Get($"{place.Home}/wallet");
        var older = Regex.Match(first.Text, "href=\"(?<href>[^\"]*)\">Older movements").Groups["href"].Value;
        var second = await owner.Get(WebUtility.HtmlDecode(older));

        Assert.Equal((50, "+50.00", "+1.00"), (AmountsOf(first).Count, AmountsOf(first)[0], AmountsOf(first)[^1]));
        Assert.Equal(["+1,000.00"], AmountsOf(second));
        foreach (var page in new[] { first, second })
        {
            Assert.Contains("<h3>Other movements</h3>", page.Text, StringComparison.Ordinal);
            Assert.Contains("Every movement as CSV", page.Text, StringComparison.Ordinal);
            Assert.Contains("Amount (USD)", page.Text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Older movements", second.Text, StringComparison.Ordinal);
        Assert.True(first.Text.Length < 60_000, $"{first.Text.Length} bytes");
    }

    [Fact]
    public async Task What_the_operator_wrote_is_shown_as_text_and_no_table_program_takes_it_for_a_formula_W9()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var notes = new[] { "<script>alert(1)</script>\"'", "=cmd|' /C calc'!A0", "\U0001F4B8 \u202Ehidden" };
        foreach (var (note, i) in notes.Select((note, i) => (note, i)))
        {
            var body = System.Text.Json.JsonSerializer.Serialize(
                new { kind = "top_up", amount = "1.00", external_id = $"{note}{i}", note });
            (await place.Gate.Post(body, place.Reach.Organization)).Has(HttpStatusCode.Created);
        }

        var owner = place.As("owner");
        var page = await owner.Get($"{place.Home}/wallet");
        Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
        Assert.Contains("<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;</bdi>", page.Text, StringComparison.Ordinal);
        Assert.Contains("\U0001F4B8", WebUtility.HtmlDecode(page.Text), StringComparison.Ordinal);
        var file = (await owner.Get($"{place.Home}/wallet.csv")).Text;
        Assert.Contains(",'=cmd|' /C calc'!A0,'=cmd", file, StringComparison.Ordinal);
        Assert.DoesNotContain(",=cmd", file, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_read_the_account_sees_no_link_and_is_refused()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        foreach (var role in new[] { "viewer", "project member", "project admin" })
        {
            var browser = place.As(role);
            Assert.DoesNotContain("/wallet", (await browser.Get(place.Home)).Text, StringComparison.Ordinal);
            Assert.Equal(403, (await browser.Get($"{place.Home}/wallet")).Status);
            Assert.Equal(403, (await browser.Get($"{place.Home}/wallet.csv")).Status);
        }

        Assert.Equal(404, (await place.As("stranger").Get($"{place.Home}/wallet")).Status);
        foreach (var role in new[] { "owner", "admin", "billing" })
        {
            var page = await place.As(role).Get($"{place.Home}/wallet");
            Assert.True(page.Status == 200, page.ToString());
            Assert.Contains("href=\"https://app.tensorx.ai/dashboard\">Put money in</a>", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Where_nothing_is_paid_for_there_is_a_plan_with_its_limits_and_what_is_used_of_its_quotas_TS8()
    {
        await using var place = await ConsolePagesPlace.Start("tensoras");
        var set = await place.Gate.Send(
            "PUT", $"/api/v1/organizations/{place.Reach.Organization}/quotas/knowledge_bases", RunningGate.RootKey, "{\"used\":1}");
        Assert.Equal(HttpStatusCode.OK, set.Status);
        var owner = place.As("owner");

        var page = await owner.Get($"{place.Home}/wallet");

        Assert.Contains($"href=\"{place.Home}/wallet\" aria-current=\"page\">Plan</a>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<strong><bdi>free</bdi></strong>", page.Text, StringComparison.Ordinal);
        Assert.Matches("<th scope=\"row\">rpm</th><td>requests in [^<]*</td><td class=\"number\">30</td>", page.Text);
        const string one = "<td class=\"number\">1</td>";
        Assert.Contains(
            $"<th scope=\"row\">knowledge_bases</th>{one}{one}<td><span class=\"status held\">full", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Statement", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await owner.Get($"{place.Home}/wallet.csv")).Status);
    }

    [Fact]
    public async Task Where_only_who_runs_the_gate_puts_money_in_the_page_says_so_and_has_no_button_for_it()
    {
        await using var place = await ConsolePagesPlace.Start(
            "tensorx", model => model with { Wallet = model.Wallet! with { TopUpUrl = null, DisableAt = null, LowAt = null } });

        var page = await place.As("owner").Get($"{place.Home}/wallet");

        Assert.Contains("Money is put in by who runs this API", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Put money in", page.Text, StringComparison.Ordinal);
        Assert.Contains("Requests that cost something are refused until money is put in", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10_050_000, 7_000_000, 7, "about 10 days")]
    [InlineData(1_050_000, 7_000_000, 7, "about 24 hours")]
    [InlineData(60_000, 7_000_000, 7, "less than an hour")]
    [InlineData(4_050_000, 4_000_000, 2, "about 2 days")]
    [InlineData(50_000, 1, 7, "used up")]
    [InlineData(1_000_000_000, 1, 1, "more than a year")]
    [InlineData(1_000_000_000, 0, 1, "–")]
    public void How_long_it_lasts_counts_from_the_first_day_with_a_bill_and_ends_where_keys_stop(
        long balance, long billed, int daysAgo, string said)
    {
        const long now = 20_000 * UsageRange.DayMs;
        // Today is over to the last moment, so that the days are whole.
        var range = new UsageRange(now - (7 * UsageRange.DayMs), now);
        UsageSumRow[] days = [new() { FromMs = now - (daysAgo * UsageRange.DayMs), CostMicros = billed }];

        var lasts = WalletWords.Lasts(new Engine.Wallet.Money(balance), Wallets.Rules, days, range, now);

        Assert.Equal(said, lasts.Text);
    }

    /// <summary>Input tokens at 0.20 a million.</summary>
    private static async Task Use(ConsolePagesPlace place, long tokens)
    {
        var made = await place.Gate.Send(
            "POST", $"/api/v1/projects/{place.Reach.Project}/keys", RunningGate.RootKey, "{\"name\":\"Spender\"}");
        await place.Gate.Report(await place.Gate.Check(made.String("secret"), Qwen, tokens), tokens, 0);
    }

    /// <summary>Signed in anew, after time has passed.</summary>
    private static async Task<Browser> Again(ConsolePagesPlace place, string role)
    {
        var cookie = "";
        var begun = await place.Gate.Database.Write<bool>(async scope =>
        {
            cookie = (await Reach.SignedPerson.Begin(place.Gate, scope, place.Reach[role].Person)).Cookie;
            return true;
        });
        Assert.True(begun.IsOk);
        var browser = place.As(role);
        browser.Jar.Add(new Uri(place.Gate.Address), new Cookie("tollgate", cookie, "/"));
        return browser;
    }

    private static string FigureOf(Page page, string title)
    {
        var found = Regex.Match(page.Text, $"<dt>{title}</dt><dd>(?<text>[^<]*)");
        Assert.True(found.Success, page.ToString());
        return WebUtility.HtmlDecode(found.Groups["text"].Value).Trim();
    }

    /// <summary>Day, requests and cost.</summary>
    private static List<string> DaysOf(Page page) => [.. Regex.Matches(
        page.Text,
        "<th scope=\"row\"><bdi>(?<day>[0-9-]{10})</bdi></th>\\s*<td class=\"number\">(?<count>[^<]*)</td>"
        + "(?:\\s*<td class=\"number\">(?<cost>[^<]*)</td>)*")
        .Select(found => WebUtility.HtmlDecode($"{found.Groups["day"]} {found.Groups["count"]} {found.Groups["cost"]}"))];

    private static List<string> AmountsOf(Page page)
    {
        Assert.True(page.Status == 200, page.ToString());
        var statement = page.Text[page.Text.IndexOf("aria-label=\"Statement\"", StringComparison.Ordinal)..];
        return [.. Regex.Matches(statement, "<td class=\"number(?: money-in)?\">(?<amount>[^<]*)</td>\\s*<td class=\"number\">")
            .Select(found => WebUtility.HtmlDecode(found.Groups["amount"].Value))];
    }

}
