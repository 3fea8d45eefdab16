using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>One's own token on one's profile, where the provider shows secrets again.</summary>
public sealed partial class ConsoleProfileTests
{
    [Fact]
    public async Task A_person_generates_the_token_and_copies_it_again_later_each_look_audited_TP1()
    {
        await using var place = await ConsolePagesPlace.Start("tensorpool");
        var (owner, profile) = (place.As("owner"), $"{place.Home}/profile");
        var overview = await owner.Get(place.Home);
        Assert.Contains($"<a class=\"button main\" href=\"{profile}\">Your API token</a>", overview.Text, StringComparison.Ordinal);
        Assert.Contains("Generate my token", (await owner.Get(profile)).Text, StringComparison.Ordinal);

        var secret = SecretOf(await Press(owner, profile, "generate"));

        Assert.StartsWith("tp_", secret, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await place.Gate.Send("GET", "/me", secret)).Status);
        Assert.Equal(0, await Reveals(place));
        place.Gate.Clock.Advance(TimeSpan.FromHours(5));
        for (var times = 1; times <= 2; times++)
        {
            var page = await owner.Get(profile);
            Assert.DoesNotContain(secret, page.Text, StringComparison.Ordinal);
            Assert.Contains("5 hours ago", page.Text, StringComparison.Ordinal);
            var shown = await Press(owner, profile, "copy");
            Assert.Equal(secret, SecretOf(shown));
            Assert.Contains("no-store", shown.Answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.Equal(times, await Reveals(place));
        }

        var row = await Audit(place);
        Assert.Equal(place.Reach["owner"].Person.Id, row[0].GetProperty("actor").GetProperty("id").GetString());
        Assert.DoesNotContain(secret, row.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_there_is_not_made_twice_and_generating_anew_stops_the_old_one_TP1()
    {
        await using var place = await ConsolePagesPlace.Start("tensorpool");
        var (owner, profile) = (place.As("owner"), $"{place.Home}/profile");
        var empty = await owner.Get(profile);
        var secret = SecretOf(await owner.Send(empty, $"{profile}/generate"));
        var again = await owner.Send(empty, $"{profile}/generate");
        Assert.Equal((303, profile), (again.Status, again.Location));

        var anew = AnewHref().Match((await owner.Get(profile)).Text).Groups["href"].Value;
        var fresh = SecretOf(await owner.Fill(anew));

        Assert.NotEqual(secret, fresh);
        Assert.Equal(HttpStatusCode.Unauthorized, (await place.Gate.Send("GET", "/me", secret)).Status);
        Assert.Equal(HttpStatusCode.OK, (await place.Gate.Send("GET", "/me", fresh)).Status);
        Assert.Equal(fresh, SecretOf(await Press(owner, profile, "copy")));
    }

    [Fact]
    public async Task A_token_is_found_behind_any_number_of_newer_keys_of_others_and_pressing_at_the_same_time_makes_one_TP1()
    {
        await using var place = await ConsolePagesPlace.Start("tensorpool");
        var (owner, profile) = (place.As("owner"), $"{place.Home}/profile");
        var empty = await owner.Get(profile);

        var pressed = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => owner.Send(empty, $"{profile}/generate")));

        var secret = SecretOf(Assert.Single(pressed, page => page.Status == 200));
        Assert.Equal(7, pressed.Count(page => page.Status == 303));
        Assert.True((await place.Gate.Database.Write<int>(async scope => await scope.Execute(
            """
            INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses,
                              metadata, limits, models, holds, created_at_ms, created_by, row_version)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
            SELECT 1000000 + i, 'key_of_somebody_else_' || i, project_no, environment, type, name, permissions, scopes,
                   rights, allowed_addresses, metadata, limits, models, 0, created_at_ms, 'per_somebody_else', row_version
            FROM n, keys WHERE created_by = @Id
            """,
            new { place.Reach["owner"].Person.Id }))).IsOk);

        Assert.Equal(secret, SecretOf(await Press(owner, profile, "copy")));
    }

    [Fact]
    public async Task Nobody_gets_at_the_token_of_somebody_else()
    {
        await using var place = await ConsolePagesPlace.Start("tensorpool");
        var profile = $"{place.Home}/profile";
        SecretOf(await Press(place.As("owner"), profile, "generate"));
        foreach (var (role, status) in new[] { ("viewer", 200), ("admin", 200), ("billing", 403), ("stranger", 404) })
        {
            var somebody = place.As(role);
            var page = await somebody.Get(profile);
            Assert.Equal((role, status), (role, page.Status));
            Assert.DoesNotContain("Show my token", page.Text, StringComparison.Ordinal);
            var token = (await somebody.Get("/account")).Hidden("/account/password").Single(field => field.Name == "form_token");
            var shown = await somebody.Post($"{profile}/copy", token);
            Assert.Equal((role, status == 200 ? 303 : status), (role, shown.Status));
        }

        var viewer = place.As("viewer");
        Assert.DoesNotContain("Generate my token", (await viewer.Get(profile)).Text, StringComparison.Ordinal);
        var own = (await viewer.Get("/account")).Hidden("/account/password").Single(field => field.Name == "form_token");
        Assert.Equal(403, (await viewer.Post($"{profile}/generate", own)).Status);
        Assert.NotEqual(303, (await place.As("owner").Post($"{profile}/copy")).Status);
        Assert.Equal(0, await Reveals(place));
    }

    [Fact]
    public async Task Where_secrets_are_shown_once_there_is_no_such_page()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");

        Assert.DoesNotContain("/profile", (await owner.Get(place.Home)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await owner.Get($"{place.Home}/profile")).Status);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("\"'><img src=x onerror=alert(1)> \U0001F600 \u202Etxt")]
    public async Task Hostile_names_are_shown_as_names_W9(string hostile)
    {
        await using var place = await ConsolePagesPlace.Start("tensorpool");
        await place.Gate.Database.Write<int>(async scope => await scope.Execute("UPDATE people SET name = @hostile", new { hostile }));
        var owner = place.As("owner");
        foreach (var page in new[] { await owner.Get($"{place.Home}/profile"), await Press(owner, $"{place.Home}/profile", "generate") })
        {
            Assert.Equal(200, page.Status);
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img src=x", page.Text, StringComparison.Ordinal);
        }
    }

    private static async Task<Page> Press(Browser browser, string profile, string what) =>
        await browser.Send(await browser.Get(profile), $"{profile}/{what}");

    private static async Task<JsonElement> Audit(ConsolePagesPlace place) =>
        (await place.Gate.Send("GET", "/api/v1/audit?action=key.reveal", RunningGate.RootKey)).Json.GetProperty("data");

    private static async Task<int> Reveals(ConsolePagesPlace place) => (await Audit(place)).GetArrayLength();

    private static string SecretOf(Page page)
    {
        var found = SecretText().Match(page.Text);
        Assert.True(found.Success, page.ToString());
        return WebUtility.HtmlDecode(found.Groups["secret"].Value);
    }

    [GeneratedRegex("<code id=\"secret\"[^>]*>(?<secret>[^<]+)</code>")]
    private static partial Regex SecretText();

    [GeneratedRegex("href=\"(?<href>[^\"]*/regenerate)\"")]
    private static partial Regex AnewHref();
}
