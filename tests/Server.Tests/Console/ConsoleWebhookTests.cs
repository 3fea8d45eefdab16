using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Client;
using Tollgate.Server.Console.Webhooks;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Webhooks;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Console;

/// <summary>Webhooks at the console: did it arrive?</summary>
public sealed class ConsoleWebhookTests
{
    private const string Url = "https://example.com/tollgate";

    [Fact]
    public async Task A_webhook_is_made_its_secret_is_in_that_answer_alone_and_a_test_event_arrives_signed_by_it()
    {
        await using var receiver = await Receiver.Start();
        await using var place = await Start();
        var owner = place.As("owner");
        Assert.Contains("There are no webhooks yet", (await owner.Get(Home(place))).Text, StringComparison.Ordinal);

        var made = await Make(place, owner, receiver.Url, ("description", "My server"));
        Assert.True(made.Status == 200, made.ToString());
        var secret = SecretOf(made);
        Assert.Contains("no-store", made.Answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        var webhook = await Only(place, owner);
        Assert.DoesNotContain(secret, (await owner.Get(Home(place))).Text, StringComparison.Ordinal);
        var sent = await owner.Send(await owner.Get(webhook), $"{webhook}/test");
        Assert.Equal($"{webhook}?done=test", sent.Location);
        await receiver.Arrived();
        await place.Gate.Services.GetRequiredService<WebhookCourier>().Idle();

        Assert.Equal(WebhookCheck.Valid, WebhookSignature.Verify(
            receiver.Only.Headers.GetValueOrDefault, receiver.Only.Body, [secret], place.Gate.Clock.GetUtcNow()));
        var page = await owner.Get(sent.Location!);
        Assert.Contains("A test event is on its way", page.Text, StringComparison.Ordinal);
        Assert.Contains("<span class=\"status good\">delivered</span>", page.Text, StringComparison.Ordinal);
        Assert.Contains("My server", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, page.Text, StringComparison.Ordinal);
        var delivery = await owner.Get(DeliveryOf(page));
        Assert.Contains(receiver.Only.Id, delivery.Text, StringComparison.Ordinal);
        Assert.Contains("webhook.test", WebUtility.HtmlDecode(delivery.Text), StringComparison.Ordinal);
        Assert.Single(Regex.Matches((await owner.Get(Home(place))).Text, "<td><time"));
    }

    [Fact]
    public async Task What_failed_is_seen_with_its_answer_and_sent_again_one_or_all_since_a_time()
    {
        await using var receiver = await Receiver.Start();
        await using var place = await Start();
        var owner = place.As("owner");
        await Make(place, owner, receiver.Url);
        var webhook = await Only(place, owner);
        receiver.Status = 500;
        await owner.Send(await owner.Get(webhook), $"{webhook}/test");
        await receiver.Arrived();
        await Settle(place);
        var page = await owner.Get($"{webhook}?status=pending");
        Assert.Contains("<span class=\"status bad\">failing</span>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<td>500</td>", page.Text, StringComparison.Ordinal);
        var delivery = DeliveryOf(page);
        Assert.Contains("No delivery is like that", (await owner.Get($"{webhook}?status=failed")).Text, StringComparison.Ordinal);

        receiver.Status = 204;
        var again = await owner.Send(await owner.Get(delivery), $"{delivery}/again");
        Assert.Equal($"{delivery}?done=again", again.Location);
        place.Gate.Clock.Advance(TimeSpan.FromMinutes(1));
        await receiver.Arrived();
        await Settle(place);
        Assert.Contains("status good\">delivered", (await owner.Get(delivery)).Text, StringComparison.Ordinal);

        await Fail(place);
        var replay = await owner.Fill($"{webhook}/replay", ("since", "2026-01-01T00:00"));
        Assert.Equal($"{webhook}?done=replay&count=1", replay.Location);
        Assert.Contains("1 event is on the way again", (await owner.Get(replay.Location!)).Text, StringComparison.Ordinal);
        await receiver.Arrived();
        Assert.Equal($"{webhook}?done=replay&count=0", (await owner.Fill($"{webhook}/replay", ("since", "2026-03-01"))).Location);
        var wrong = await owner.Fill($"{webhook}/replay", ("since", "last week"));
        Assert.Equal(422, wrong.Status);
        Assert.Contains("id=\"since-fault\"", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"last week\"", wrong.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_is_changed_disabled_enabled_given_a_new_secret_and_deleted_each_with_words_before_and_after()
    {
        await using var place = await Start();
        var owner = place.As("owner");
        await Make(place, owner, Url);
        var webhook = await Only(place, owner);

        Assert.Contains($"value=\"{Url}\"", (await owner.Get($"{webhook}/change")).Text, StringComparison.Ordinal);
        var changed = await owner.Fill(
            $"{webhook}/change", ("url", Url + "/2"), ("events", "key.revoked"), ("events", "key.expiring"), ("description", ""));
        Assert.Equal($"{webhook}?done=change", changed.Location);
        var page = await owner.Get(webhook);
        Assert.Contains("key.revoked", page.Text, StringComparison.Ordinal);
        Assert.Contains(Url + "/2", page.Text, StringComparison.Ordinal);
        Assert.Contains("key.revoked, key.expiring", (await owner.Get(Home(place))).Text, StringComparison.Ordinal);

        Assert.Contains("Nothing is sent to it from now on", (await owner.Get($"{webhook}/disable")).Text, StringComparison.Ordinal);
        Assert.Equal($"{webhook}?done=disable", (await owner.Fill($"{webhook}/disable")).Location);
        page = await owner.Get(webhook);
        Assert.Contains("status held\">disabled", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Send a test event", page.Text, StringComparison.Ordinal);
        Assert.Equal(409, (await owner.Get($"{webhook}/disable")).Status);
        Assert.Equal($"{webhook}?done=enable", (await owner.Fill($"{webhook}/enable")).Location);

        var refused = await owner.Fill($"{webhook}/rotate", ("grace_hours", "999"));
        Assert.Equal(422, refused.Status);
        Assert.Contains("from 0 to 168", refused.Text, StringComparison.Ordinal);
        var first = SecretOf(await owner.Fill($"{webhook}/rotate", ("grace_hours", "2")));
        Assert.Contains("signs too, until", (await owner.Get(webhook)).Text, StringComparison.Ordinal);
        var second = await owner.Fill($"{webhook}/rotate", ("grace_hours", "0"));
        Assert.Contains("The old one has stopped", second.Text, StringComparison.Ordinal);
        Assert.NotEqual(first, SecretOf(second));

        Assert.Contains("This cannot be undone", (await owner.Get($"{webhook}/delete")).Text, StringComparison.Ordinal);
        Assert.Equal($"{Home(place)}?done=delete", (await owner.Fill($"{webhook}/delete")).Location);
        Assert.Equal(404, (await owner.Get(webhook)).Status);
        Assert.Contains("There are no webhooks yet", (await owner.Get(Home(place))).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://example.com/", "must begin with https://")]
    [InlineData("https://127.0.0.1/", "must lead to a public address")]
    [InlineData("", "must be an address")]
    public async Task What_is_wrong_with_the_form_is_told_beside_its_field_and_what_was_typed_is_kept(string url, string said)
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");

        var page = await owner.Fill($"{Home(place)}/new", ("url", url), ("events", "key.revoked"), ("description", "Typed with care"));

        Assert.Equal(422, page.Status);
        Assert.Contains("id=\"url-fault\"", page.Text, StringComparison.Ordinal);
        Assert.Contains(said, page.Text, StringComparison.Ordinal);
        Assert.Contains("Typed with care", page.Text, StringComparison.Ordinal);
        Assert.Matches("value=\"key.revoked\" checked", page.Text);
        var none = await owner.Fill($"{Home(place)}/new", ("url", Url));
        Assert.Equal(422, none.Status);
        Assert.Contains("Choose at least one event", none.Text, StringComparison.Ordinal);
        Assert.Contains("There are no webhooks yet", (await owner.Get(Home(place))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_manage_webhooks_sees_none_and_no_form_of_theirs_nor_one_without_its_token_changes_anything_W7()
    {
        await using var place = await Start();
        var owner = place.As("owner");
        await Make(place, owner, Url);
        var webhook = await Only(place, owner);
        string[] posts =
        [
            $"{Home(place)}/new", $"{webhook}/test", $"{webhook}/change", $"{webhook}/disable", $"{webhook}/rotate", $"{webhook}/replay",
            $"{webhook}/delete", $"{webhook}/deliveries/dlv_0000000000000000000000/again",
        ];
        foreach (var role in new[] { "viewer", "project member", "billing" })
        {
            var browser = place.As(role);
            var home = await browser.Get(place.Home);
            Assert.DoesNotContain("/webhooks", home.Text, StringComparison.Ordinal);
            Assert.Equal(403, (await browser.Get(Home(place))).Status);
            Assert.Equal(403, (await browser.Get(webhook)).Status);
            var token = home.Hidden("/sign-out").Single(field => field.Name == "form_token");
            foreach (var path in posts)
            {
                var sent = await browser.Post(path, token, ("url", Url), ("events", "*"), ("since", "2026-01-01"));
                Assert.True(sent.Status == 403, $"{role} {path}: {sent}");
            }
        }

        foreach (var path in posts)
        {
            Assert.Equal(400, (await owner.Post(path, ("url", Url), ("events", "*"))).Status);
        }

        Assert.Contains("status good\">enabled", (await owner.Get(webhook)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await place.As("stranger").Get(Home(place))).Status);
        Assert.Equal(404, (await owner.Get($"{Home(place)}/whk_0000000000000000000000")).Status);
        Assert.Equal(404, (await owner.Get($"{webhook}/deliveries/dlv_0000000000000000000000")).Status);
        Assert.Equal(404, (await owner.Get($"{webhook}/nonsense")).Status);
    }

    [Fact]
    public async Task A_projects_admin_has_the_webhooks_of_the_project_alone_and_an_owner_those_of_all_TL12()
    {
        await using var receiver = await Receiver.Start();
        await using var place = await Start();
        var (admin, owner, whole) = (place.As("project admin"), place.As("owner"), $"/console/{place.Reach.Organization}/webhooks");
        Assert.Contains($"href=\"{Home(place)}\"", (await admin.Get(place.Home)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("wallet.low", (await admin.Get($"{Home(place)}/new")).Text, StringComparison.Ordinal);
        Assert.Contains("wallet.low", (await owner.Get($"{whole}/new")).Text, StringComparison.Ordinal);
        Assert.Equal(200, (await Make(place, admin, receiver.Url)).Status);
        Assert.Equal(200, (await owner.Fill($"{whole}/new", ("url", Url), ("events", "*"))).Status);

        var own = await Only(place, admin);
        var all = await owner.Get(whole);
        Assert.Equal(2, Regex.Count(all.Text, "class=\"row\""));
        Assert.Contains("<bdi>The project</bdi></td>", all.Text, StringComparison.Ordinal);
        Assert.Contains("<bdi>all projects</bdi></td>", all.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"{whole}\"", (await owner.Get(Home(place))).Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"href=\"{whole}\"", (await admin.Get(Home(place))).Text, StringComparison.Ordinal);
        var foreign = Regex.Matches(all.Text, "href=\"(?<href>[^\"]*)\"><bdi>https://example").Single().Groups["href"].Value
            .Replace(whole, Home(place), StringComparison.Ordinal);
        foreach (var path in new[] { foreign, $"{foreign}/delete" })
        {
            Assert.Equal(404, (await admin.Get(path)).Status);
        }

        var token = (await admin.Get(place.Home)).Hidden("/sign-out").Single(field => field.Name == "form_token");
        Assert.Equal(404, (await admin.Post($"{foreign}/delete", token)).Status);
        Assert.Equal(403, (await admin.Get(whole)).Status);
        Assert.Equal(403, (await admin.Post($"{whole}/new", token, ("url", Url), ("events", "*"))).Status);
        Assert.Equal(404, (await admin.Post($"/console/{place.Reach.OtherProject}/webhooks/new", token, ("url", Url))).Status);
        Assert.Equal(2, Regex.Count((await owner.Get(whole)).Text, "class=\"row\""));

        await ConsolePagesPlace.Make(owner, $"/console/{place.Reach.OtherProject}/keys", ("name", "Elsewhere"));
        await ConsolePagesPlace.Make(owner, place.Keys, ("name", "Here"));
        await receiver.Arrived();
        Assert.Equal("Here", receiver.Only.Json.GetProperty("data").GetProperty("name").GetString());
        Assert.Equal($"{Home(place)}?done=delete", (await admin.Fill($"{own}/delete")).Location);
    }

    [Fact]
    public async Task Hostile_texts_are_written_as_text_everywhere_W9()
    {
        const string hostile = "</bdi><script>alert(1)</script>\"'\U0001F511\u202E";
        await using var receiver = await Receiver.Start();
        await using var place = await Start();
        var owner = place.As("owner");
        await Make(place, owner, receiver.Url + "?q='<script>", ("description", hostile));
        var webhook = await Only(place, owner);
        await ConsolePagesPlace.Make(owner, place.Keys, ("name", "<script>alert(2)</script>"));
        await receiver.Arrived();
        await Settle(place);

        var page = await owner.Get(webhook);
        foreach (var shown in new[]
        {
            page, await owner.Get($"{webhook}/change"), await owner.Get(DeliveryOf(page)),
            await owner.Fill($"{Home(place)}/new", ("url", hostile), ("description", hostile)),
            await owner.Fill($"{webhook}/replay", ("since", hostile)), await owner.Fill($"{webhook}/rotate", ("grace_hours", hostile)),
        })
        {
            Assert.DoesNotContain("<script>alert", shown.Text, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;", shown.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_event_of_the_catalogue_has_its_words_and_the_lines_that_verify_are_those_of_the_guide()
    {
        Assert.Equal(WebhookEvents.Names.Order(), WebhookWords.Events.Keys.Order());
        var guide = File.ReadAllText(Path.Combine(Repository.Root, "docs/guides/webhooks.md")).ReplaceLineEndings("\n");
        Assert.All(VerifySnippets.All, snippet => Assert.Contains(snippet.Code.ReplaceLineEndings("\n"), guide, StringComparison.Ordinal));
        Assert.All(AttemptErrors.All, error => Assert.NotEqual(error, WebhookWords.ErrorOf(error)));
    }

    private static string Home(ConsolePagesPlace place) => $"{place.Home}/webhooks";

    private static Task<ConsolePagesPlace> Start() => ConsolePagesPlace.Start(
        options: new GateOptions { WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.0/8" });

    private static Task<Page> Make(ConsolePagesPlace place, Browser browser, string url, params (string Name, string Value)[] more) =>
        browser.Fill($"{Home(place)}/new", [("url", url), ("events", "*"), .. more]);

    /// <summary>The page of the one webhook in the list.</summary>
    private static async Task<string> Only(ConsolePagesPlace place, Browser browser) =>
        Assert.Single(Regex.Matches((await browser.Get(Home(place))).Text, "class=\"row\" href=\"(?<href>[^\"]*)\"")).Groups["href"].Value;

    private static string DeliveryOf(Page page)
    {
        var found = Regex.Match(page.Text, "href=\"(?<href>[^\"]*/deliveries/dlv_[^\"]*)\"");
        Assert.True(found.Success, page.ToString());
        return found.Groups["href"].Value;
    }

    private static string SecretOf(Page page)
    {
        var found = Regex.Match(page.Text, "<code id=\"secret\"[^>]*>(?<secret>whsec_[^<]*)</code>");
        Assert.True(found.Success, page.ToString());
        return WebUtility.HtmlDecode(found.Groups["secret"].Value);
    }

    /// <summary>What was sent is written down.</summary>
    private static Task Settle(ConsolePagesPlace place) => place.Gate.Services.GetRequiredService<WebhookCourier>().Idle();

    /// <summary>As ten attempts would leave it.</summary>
    private static async Task Fail(ConsolePagesPlace place) => Assert.True((await place.Gate.Database.Write<int>(async scope =>
        await scope.Execute("UPDATE webhook_deliveries SET state = 2, error = 'status', response_status = 500"))).IsOk);
}
