using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Verification;
using Page = Tollgate.Server.Tests.Identity.Page;

namespace Tollgate.Server.Tests.Console;

/// <summary>A key is tried at the console: the same check, limits and bill as of any request.</summary>
public sealed partial class ConsoleTryTests
{
    [Fact]
    public async Task A_message_is_answered_with_tokens_cost_headers_and_time_and_counts_like_a_request_of_the_key_TX9()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");
        var before = await Balance(place);
        var page = await Try(owner, place, ("message", "Count to three"), ("model", "deepseek-v3"));

        Assert.True(page.Status == 200, page.ToString());
        Assert.Contains("class=\"answer\"", page.Text, StringComparison.Ordinal);
        Assert.NotEqual("", Answer().Match(page.Text).Groups["text"].Value);
        var id = RequestId(page);
        var log = (await place.Gate.Send("GET", $"/api/v1/requests/{id}", RunningGate.RootKey)).Json.GetProperty("request");
        Assert.Equal(place.Reach.Key, log.GetProperty("key_id").GetString());
        Assert.Equal("A test key", log.GetProperty("key_name").GetString());
        Assert.Equal("deepseek-v3", log.GetProperty("model").GetString());
        var tokens = $"{log.GetProperty("input_tokens")} in, {log.GetProperty("output_tokens")} out";
        Assert.Equal(tokens, Fact(page, "Tokens"));
        Assert.NotEqual("0", log.GetProperty("output_tokens").ToString());
        Assert.EndsWith("USD", Fact(page, "Cost"), StringComparison.Ordinal);
        Assert.EndsWith(" ms", Fact(page, "Time"), StringComparison.Ordinal);
        Assert.Equal(id, Fact(page, "X-Request-Id"));
        Assert.Contains("X-RateLimit", page.Text, StringComparison.OrdinalIgnoreCase);
        var cost = decimal.Parse(log.GetProperty("cost").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(cost > 0);
        Assert.Equal(before - cost, await Balance(place));
        Assert.Contains("A test key", (await owner.Get(place.Home)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_trial_is_audited_with_the_person_the_key_and_the_model()
    {
        await using var place = await ConsolePagesPlace.Start();
        var page = await Try(place.As("owner"), place);

        var row = Assert.Single((await Audit(place)).EnumerateArray());
        Assert.Equal(place.Reach["owner"].Person.Id, row.GetProperty("actor").GetProperty("id").GetString());
        Assert.Equal(place.Reach.Key, row.GetProperty("target").GetProperty("id").GetString());
        Assert.Equal("echo", row.GetProperty("after").GetProperty("model").GetString());
        Assert.Equal(RequestId(page), row.GetProperty("request_id").GetString());
    }

    [Fact]
    public async Task A_trial_and_a_program_share_the_keys_limits_and_a_refusal_tells_code_cause_cure_and_steps()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var made = await ConsolePagesPlace.Make(owner, place.Keys, ("name", "Limited"), ("limits/rpm", "2"));
        var (secret, key) = (WebUtility.HtmlDecode(SecretText().Match(made.Text).Groups["secret"].Value), TriedKey(made));
        Assert.Equal(200, (int)(await Chat(place, secret)).Status);
        Assert.Contains("class=\"answer\"", (await Try(owner, place, ("key", key))).Text, StringComparison.Ordinal);

        var refused = await Try(owner, place, ("key", key), ("message", "What I typed"));

        Assert.Equal(200, refused.Status);
        Assert.Contains("It was refused", refused.Text, StringComparison.Ordinal);
        Assert.Contains("rpm: 0 of 2 left", refused.Text, StringComparison.Ordinal);
        Assert.Contains("What mends it", refused.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"/docs/errors/rate_limited\"", refused.Text, StringComparison.Ordinal);
        Assert.Contains("What I typed", refused.Text, StringComparison.Ordinal);
        Assert.NotEqual("", Fact(refused, "Retry-After"));
        var steps = WebUtility.HtmlDecode(StepsHref().Match(refused.Text).Groups["href"].Value);
        Assert.Contains("What mends it", (await owner.Get(steps)).Text, StringComparison.Ordinal);
        Assert.Equal(429, (int)(await Chat(place, secret)).Status);
    }

    [Fact]
    public async Task Where_events_are_asked_for_the_answer_streams_and_the_page_tells_what_it_used()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        owner.Headers.Accept.ParseAdd("text/event-stream");

        var stream = await Try(owner, place);

        Assert.Equal("text/event-stream; charset=utf-8", stream.Answer.Content.Headers.ContentType!.ToString());
        var events = stream.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("event: headers\ndata: ", events[0], StringComparison.Ordinal);
        var headers = JsonElement.Parse(events[0].Split("data: ")[1]).EnumerateArray()
            .ToDictionary(one => one[0].GetString()!, one => one[1].GetString()!, StringComparer.OrdinalIgnoreCase);
        Assert.Equal("data: [DONE]", events[^1]);
        Assert.Contains("\"delta\"", events[1], StringComparison.Ordinal);
        var used = await owner.Get($"{place.Home}/try?request={headers["X-Request-Id"]}");
        Assert.Contains(" out", Fact(used, "Tokens"), StringComparison.Ordinal);
        Assert.Equal("200", Fact(used, "Status"));
        owner.Headers.Accept.Clear();
        Assert.Contains("A test key", (await owner.Get($"{place.Home}/usage?by=key")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_of_a_stream_is_a_page_like_without_script()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        Assert.Equal(303, (await owner.Fill($"{place.Keys}/{place.Reach.Key}/disable")).Status);
        owner.Headers.Accept.ParseAdd("text/event-stream");

        var refused = await Try(owner, place);

        Assert.Equal("text/html; charset=utf-8", refused.Answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("Enable the key", refused.Text, StringComparison.Ordinal);
        Assert.Contains("step by step", refused.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_empty_wallet_refuses_a_trial_as_it_refuses_a_program_TX12()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var balance = await Balance(place);
        var taken = await place.Gate.Send(
            "POST", $"/api/v1/organizations/{place.Reach.Organization}/wallet/entries", RunningGate.RootKey,
            $"{{\"kind\":\"adjustment\",\"amount\":\"-{balance}\",\"external_id\":\"all of it\"}}");
        Assert.True((int)taken.Status is 200 or 201, taken.Text);

        var refused = await Try(place.As("owner"), place, ("model", "deepseek-v3"));

        Assert.Contains("It was refused", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("class=\"answer\"", refused.Text.Split("<template")[0], StringComparison.Ordinal);
        Assert.Equal(0, await Balance(place));
    }

    [Fact]
    public async Task The_loan_ends_with_the_request_and_a_secret_of_one_is_worth_nothing_after_it()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (ring, feed) = (place.Gate.Services.GetRequiredService<KeyRing>(), place.Gate.Services.GetRequiredService<KeyFeed>());
        var gate = place.Gate.Services.GetRequiredService<Gate>();
        var lent = await place.Gate.Database.Write<KeyLoan>(
            scope => ring.Lend(scope, place.Reach.Key, "echo"), MutationContext.Of(Caller.Root));
        using (var loan = lent.Value)
        {
            Assert.Equal(VerdictCode.Allowed, await Code(loan.Secret));
            Assert.DoesNotContain(loan.Secret, loan.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(VerdictCode.KeyUnknown, await Code(lent.Value.Secret));
        Assert.True(feed.Lent.HasRoomFor(lent.Value.Key));

        async Task<VerdictCode> Code(string secret)
        {
            var bytes = System.Text.Encoding.ASCII.GetBytes(secret);
            return (await gate.Settle(gate.CheckCaller(bytes, null), default, () => gate.CheckCaller(bytes, null))).Code;
        }
    }

    [Fact]
    public async Task So_many_keys_of_an_organization_are_lent_at_a_time_and_no_more_and_others_have_their_own_room()
    {
        await using var place = await ConsolePagesPlace.Start();
        var ring = place.Gate.Services.GetRequiredService<KeyRing>();
        var loans = new List<KeyLoan>();
        while (loans.Count < LentKeys.PerOrganizationMax)
        {
            loans.Add((await Lend(place.Reach.Key)).Value);
        }

        Assert.Equal("unavailable", (await Lend(place.Reach.Key)).Problem!.Code.Code);
        loans.Add((await Lend((await place.Gate.NewPair()).Id)).Value);
        var busy = await Try(place.As("owner"), place);
        Assert.Equal(503, busy.Status);
        loans.ForEach(loan => loan.Dispose());
        Assert.Contains("class=\"answer\"", (await Try(place.As("owner"), place)).Text, StringComparison.Ordinal);

        Task<Server.Problems.Outcome<KeyLoan>> Lend(string key) => place.Gate.Database.Write<KeyLoan>(
            scope => ring.Lend(scope, key, "echo"), MutationContext.Of(Caller.Root));
    }

    [Fact]
    public async Task A_key_is_found_behind_any_number_of_newer_ones_that_have_ended()
    {
        await using var place = await ConsolePagesPlace.Start();
        Assert.True((await place.Gate.Database.Write<int>(async scope => await scope.Execute(
            """
            INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses,
                              metadata, limits, models, holds, revoked_at_ms, created_at_ms, created_by, row_version)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
            SELECT 1000000 + i, 'key_that_has_ended_' || i, project_no, environment, type, 'Ended', permissions, scopes, rights,
                   allowed_addresses, metadata, limits, models, 0, 1, created_at_ms, created_by, row_version
            FROM n, keys WHERE id = @Key
            """,
            new { place.Reach.Key }))).IsOk);

        var page = await place.As("owner").Get($"{place.Home}/try");

        Assert.Contains($"value=\"{place.Reach.Key}\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("key_that_has_ended", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_organizations_together_have_a_bound_of_loans_too()
    {
        await using var place = await ConsolePagesPlace.Start();
        var ring = place.Gate.Services.GetRequiredService<KeyRing>();
        var (lent, key) = (place.Gate.Services.GetRequiredService<KeyFeed>().Lent, place.Reach.Key);
        var one = (await place.Gate.Database.Write<KeyLoan>(
            scope => ring.Lend(scope, key, "echo"), MutationContext.Of(Caller.Root))).Value;
        var loans = new List<KeyLoan> { one };
        for (var i = 0; loans.Count < LentKeys.LoansMax; i++)
        {
            Assert.True(lent.HasRoomFor(one.Key with { OrganizationId = $"org_{i}" }));
            var loan = new KeyLoan(lent, one.Key with { OrganizationId = $"org_{i}" }, $"a secret of the tests {i}");
            lent.Begin(loan);
            loans.Add(loan);
        }

        Assert.False(lent.HasRoomFor(one.Key with { OrganizationId = "org_another" }));
        loans.ForEach(loan => loan.Dispose());
        Assert.True(lent.HasRoomFor(one.Key));
    }

    [Fact]
    public async Task Who_manages_no_key_sees_no_link_and_a_form_sent_by_hand_sends_nothing()
    {
        await using var place = await ConsolePagesPlace.Start();
        foreach (var (role, status) in new[]
        {
            ("viewer", 403), ("billing", 403), ("stranger", 404), ("operator", 404), ("project member", 403),
        })
        {
            var somebody = place.As(role);
            var home = await somebody.Get("/console/" + place.Reach.Project);
            Assert.DoesNotContain("/try\"", home.Text, StringComparison.Ordinal);
            Assert.Equal((role, status), (role, (await somebody.Get($"{place.Home}/try")).Status));
            var token = await TokenOf(somebody);
            var sent = await somebody.Post(
                $"{place.Home}/try", token, ("key", place.Reach.Key), ("model", "echo"), ("message", "By hand"));
            Assert.Equal((role, status), (role, sent.Status));
        }

        var owner = place.As("owner");
        Assert.NotEqual(200, (await owner.Post($"{place.Home}/try", ("key", place.Reach.Key), ("model", "echo"), ("message", "x"))).Status);
        var other = await Try(owner, place, ("key", "key_0000000000000000000000"));
        Assert.Equal(404, other.Status);
        Assert.Equal(404, (await owner.Send(
            await owner.Get($"{place.Home}/try"), $"{place.Home}/try", ("model", "echo"), ("message", "x"), ("key", "x"))).Status);
        Assert.Equal(0, (await Audit(place)).GetArrayLength());
        Assert.Contains($"href=\"{place.Home}/try\"", (await owner.Get(place.Home)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tensorlake")]
    [InlineData("tensorone")]
    [InlineData("tensorpool")]
    public async Task A_provider_without_chats_has_no_such_page(string provider)
    {
        await using var place = await ConsolePagesPlace.Start(provider);
        var owner = place.As("owner");

        Assert.DoesNotContain("Try it</a>", (await owner.Get(place.Home)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await owner.Get($"{place.Home}/try")).Status);
    }

    [Fact]
    public async Task What_is_wrong_with_the_form_is_told_beside_the_field_and_nothing_is_sent()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        foreach (var (field, value) in new[]
        {
            ("model", "no-such-model"), ("model", ""), ("message", " "), ("message", new string('x', 1_001)), ("tokens", "0"),
            ("tokens", "many"), ("tokens", "1000001"),
        })
        {
            var page = await Try(owner, place, (field, value));
            Assert.Equal((field, 422), (field, page.Status));
            Assert.Contains($"id=\"{field}-fault\"", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await Audit(place)).GetArrayLength());
        var most = await Try(owner, place, ("message", new string('\u4E2D', 1_000)));
        Assert.True(most.Status == 200, most.ToString());
        Assert.Contains(new string('\u4E2D', 1_000), WebUtility.HtmlDecode(most.Text), StringComparison.Ordinal);
        var few = await Try(owner, place, ("message", "one two three four five six"), ("tokens", "3"));
        Assert.EndsWith(" 3 out", Fact(few, "Tokens"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_for_some_models_offers_these_alone()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var key = TriedKey(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "Small"), ("models", "echo-small")));

        var page = await owner.Get($"{place.Home}/try?key={key}");

        var offered = ModelOption().Matches(page.Text.Split("id=\"model\"")[1].Split("</select>")[0]);
        Assert.Equal(["echo-small"], offered.Select(one => one.Groups["name"].Value));
        Assert.Equal(422, (await Try(owner, place, ("key", key), ("model", "echo"))).Status);
        Assert.Equal("echo-small", Fact(await Try(owner, place, ("key", key), ("model", "echo-small")), "Model"));
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("\"'><img src=x onerror=alert(1)>")]
    [InlineData("\U0001F600 \u202Etxt.exe")]
    public async Task Hostile_texts_are_shown_as_texts_W9(string hostile)
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var key = TriedKey(await ConsolePagesPlace.Make(owner, place.Keys, ("name", hostile)));
        foreach (var page in new[]
        {
            await owner.Get($"{place.Home}/try"), await Try(owner, place, ("key", key), ("message", hostile)),
            await Try(owner, place, ("key", key), ("model", hostile), ("message", hostile)),
            await owner.Get($"{place.Home}/try?key={Uri.EscapeDataString(hostile)}&request={Uri.EscapeDataString(hostile)}"),
        })
        {
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img src=x", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_secret_and_the_first_run_lead_here()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, empty) = (place.As("owner"), $"/console/{place.Reach.OtherProject}");
        Assert.Contains($"href=\"{empty}/keys/new\"", (await owner.Get($"{empty}/try")).Text, StringComparison.Ordinal);

        var made = await ConsolePagesPlace.Make(owner, $"{empty}/keys", ("name", "First"));

        Assert.Contains($"href=\"{empty}/try?key={TriedKey(made)}\"", made.Text, StringComparison.Ordinal);
        Assert.Contains($"<a href=\"{empty}/try\">Send one from here</a>", (await owner.Get(empty)).Text, StringComparison.Ordinal);
    }

    /// <summary>Opens the page and sends its form with the first model, unless another is given.</summary>
    private static async Task<Page> Try(Browser browser, ConsolePagesPlace place, params (string Name, string Value)[] fields)
    {
        var path = $"{place.Home}/try";
        var page = await browser.Get(path);
        Assert.True(page.Status == 200, page.ToString());
        // The form that chooses a key comes before it.
        var form = page with { Text = page.Text.Split("<div data-stream").ElementAtOrDefault(1) ?? "" };
        (string Name, string Value)[] usual = [.. form.Hidden(path), ("model", "echo"), ("message", "Hello"), ("tokens", "")];
        return await browser.Post(path, [.. usual.Where(one => fields.All(field => field.Name != one.Name)), .. fields]);
    }

    private static async Task<(string, string)> TokenOf(Browser browser) =>
        (await browser.Get("/account")).Hidden("/account/password").Single(field => field.Name == "form_token");

    private static Task<Answer> Chat(ConsolePagesPlace place, string secret) => place.Gate.Send(
        "POST", "/v1/chat/completions", secret, "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}");

    private static async Task<JsonElement> Audit(ConsolePagesPlace place) =>
        (await place.Gate.Send("GET", "/api/v1/audit?action=key.try", RunningGate.RootKey)).Json.GetProperty("data");

    private static async Task<decimal> Balance(ConsolePagesPlace place) => decimal.Parse(
        (await place.Gate.Send("GET", $"/api/v1/organizations/{place.Reach.Organization}/wallet", RunningGate.RootKey)).String("balance"),
        System.Globalization.CultureInfo.InvariantCulture);

    private static string Fact(Page page, string title)
    {
        var row = page.Text.Split($"<dt>{title}</dt>");
        Assert.True(row.Length > 1, $"No {title} in {page}");
        return WebUtility.HtmlDecode(Tag().Replace(row[1].Split("</div>")[0], "")).Trim();
    }

    private static string RequestId(Page page) => Fact(page, "Request");

    private static string TriedKey(Page made) => TryHref().Match(made.Text).Groups["id"].Value;

    [GeneratedRegex("<p id=\"answer\"[^>]*>(?<text>[^<]*)</p>")]
    private static partial Regex Answer();

    [GeneratedRegex("/try\\?key=(?<id>key_[0-9A-Za-z]+)\"")]
    private static partial Regex TryHref();

    [GeneratedRegex("href=\"(?<href>[^\"]*/refusals\\?request=[^\"]*)\"")]
    private static partial Regex StepsHref();

    [GeneratedRegex("<option value=\"(?<name>[^\"]*)\"")]
    private static partial Regex ModelOption();

    [GeneratedRegex("<code id=\"secret\"[^>]*>(?<secret>[^<]+)</code>")]
    private static partial Regex SecretText();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
