using System.Net;
using System.Text.RegularExpressions;
using Dapper;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using DatabaseKind = Tollgate.Server.Storage.DatabaseKind;

namespace Tollgate.Server.Tests.Console;

/// <summary>Keys at the console, by forms and without script.</summary>
public sealed partial class ConsoleKeyTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Somebody_who_is_signed_in_comes_from_the_root_to_the_console_and_everybody_else_to_the_providers_own_answer()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");

        Assert.Equal("/console", (await owner.Get("/")).Location);
        var first = await owner.Get("/console");
        Assert.Equal(303, first.Status);
        Assert.StartsWith("/console/prj_", first.Location, StringComparison.Ordinal);
        using var stranger = new Browser(place.Gate);
        Assert.Equal("/sign-in", (await stranger.Get("/console")).Location);
        Assert.Equal("/sign-in", (await stranger.Get(place.Keys)).Location);
        Assert.StartsWith(
            "application/", (await stranger.Get("/")).Answer.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_made_in_one_form_and_its_secret_is_in_that_answer_alone_TX2()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");

        var made = await ConsolePagesPlace.Make(owner, place.Keys, ("name", "My program"));

        Assert.True(made.Status == 200, made.ToString());
        var secret = SecretOf(made);
        Assert.Contains("no-store", made.Answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        foreach (var language in new[] { "curl", "Python", "JavaScript", "C#" })
        {
            Assert.Contains($"<summary>{language}</summary>", made.Text, StringComparison.Ordinal);
        }

        Assert.True(made.Text.Split(secret).Length > 5, "The snippets are filled in.");
        Assert.Equal("allowed", (await place.Check(secret)).GetProperty("code").GetString());
        var list = await owner.Get(place.Keys);
        Assert.Contains("My program", list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, (await owner.Get(KeyHref(list, "My program"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_makes_one_key_and_one_that_was_wrong_is_sent_again()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var form = await owner.Get($"{place.Keys}/new");
        var before = await Count(place);

        Assert.Equal(422, (await owner.Send(form, $"{place.Keys}/new", ("name", ""))).Status);
        Assert.Equal(200, (await owner.Send(form, $"{place.Keys}/new", ("name", "Once"))).Status);
        var again = await owner.Send(form, $"{place.Keys}/new", ("name", "Once"));

        Assert.Equal(409, again.Status);
        Assert.Contains("This form was sent before", again.Text, StringComparison.Ordinal);
        Assert.Equal(before + 1, await Count(place));
    }

    [Fact]
    public async Task A_key_gets_another_name_and_a_wrong_one_is_told_and_kept_to_mend()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");
        await ConsolePagesPlace.Make(owner, place.Keys, ("name", "A program"), ("description", "At night"));
        var key = KeyHref(await owner.Get(place.Keys), "A program");
        Assert.Contains("At night", (await owner.Get($"{key}/rename")).Text, StringComparison.Ordinal);

        var wrong = await owner.Fill($"{key}/rename", ("name", "ab"), ("description", "By day"));
        Assert.Equal(422, wrong.Status);
        Assert.Contains("must have 3 to 50 characters", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("By day", wrong.Text, StringComparison.Ordinal);
        Assert.Equal($"{key}?done=rename", (await owner.Fill($"{key}/rename", ("name", "Another <b>"), ("description", ""))).Location);

        var page = await owner.Get(key);
        Assert.Contains("Another &lt;b&gt;", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("At night", page.Text, StringComparison.Ordinal);
        Assert.Equal(403, (await place.As("viewer").Get($"{key}/rename")).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_tells_for_how_long_its_old_secret_was_not_used_and_what_its_limits_count_now(DatabaseKind kind)
    {
        await using var place = await ConsolePagesPlace.Start(
            postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var owner = place.As("owner");
        var old = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "A program")));
        var key = KeyHref(await owner.Get(place.Keys), "A program");
        var fresh = SecretOf(await owner.Fill($"{key}/rotate", ("grace_hours", "24")));
        place.Gate.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Contains("unused for 5 minutes", (await owner.Get(key)).Text, StringComparison.Ordinal);

        await place.Check(old);
        place.Gate.Clock.Advance(TimeSpan.FromMinutes(2));
        await place.Check(fresh);
        var page = await owner.Get(key);

        Assert.Contains("unused for 2 minutes", page.Text, StringComparison.Ordinal);
        Assert.Matches("requests in 60 seconds</td><td class=\"number\">1</td>", page.Text);
    }

    [Fact]
    public async Task What_is_wrong_with_a_form_is_told_beside_its_field_and_what_was_typed_is_kept_TX1()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");

        var page = await ConsolePagesPlace.Make(owner, place.Keys, ("name", "ab"), ("description", "Typed with care"));

        Assert.Equal(422, page.Status);
        Assert.Contains("id=\"name-fault\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("must have 3 to 50 characters", page.Text, StringComparison.Ordinal);
        Assert.Contains("Typed with care", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("value=\"ab\" />", (await owner.Get(place.Keys)).Text, StringComparison.Ordinal);
        var made = await ConsolePagesPlace.Make(owner, place.Keys, ("name", "abc"));
        Assert.Matches("^sk-.{48}$", SecretOf(made));
    }

    [Theory]
    [InlineData("tensorlake", false)]
    [InlineData("default", true)]
    public async Task The_form_has_a_field_for_an_expiry_only_where_keys_have_one_TL4(string provider, bool has)
    {
        await using var place = await ConsolePagesPlace.Start(provider);

        var form = await place.As("owner").Get($"{place.Keys}/new");

        Assert.Equal(has, form.Text.Contains("name=\"expires_at\"", StringComparison.Ordinal));
        var sent = await ConsolePagesPlace.Make(place.As("owner"), place.Keys, ("name", "A program"), ("expires_at", "2099-01-01"));
        Assert.Equal(has ? 200 : 422, sent.Status);
    }

    [Fact]
    public async Task Two_keys_of_a_project_work_side_by_side_until_the_old_one_is_deleted_TL6()
    {
        await using var place = await ConsolePagesPlace.Start("tensorlake");
        var owner = place.As("owner");
        var old = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "Old")));
        var fresh = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "New")));
        Assert.Equal("allowed", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Equal("allowed", (await place.Check(fresh)).GetProperty("code").GetString());
        var key = KeyHref(await owner.Get(place.Keys), "Old");

        var refused = await owner.Fill($"{key}/delete", ("confirm", "Something else"));
        Assert.Equal(422, refused.Status);
        Assert.Equal("allowed", (await place.Check(old)).GetProperty("code").GetString());
        var deleted = await owner.Fill($"{key}/delete", ("confirm", "Old"));

        Assert.Equal(303, deleted.Status);
        Assert.Contains("is deleted", (await owner.Get(deleted.Location!)).Text, StringComparison.Ordinal);
        Assert.NotEqual("allowed", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Equal("allowed", (await place.Check(fresh)).GetProperty("code").GetString());
        Assert.DoesNotContain($"href=\"{key}\"", (await owner.Get(place.Keys)).Text, StringComparison.Ordinal);
        Assert.Contains("Old", (await owner.Get(key)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_disabled_enabled_and_given_a_new_secret_each_behind_a_page_that_says_what_happens_TX5_TX6()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");
        var old = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "A program")));
        var key = KeyHref(await owner.Get(place.Keys), "A program");

        Assert.Contains("Apps that use it stop working", (await owner.Get($"{key}/disable")).Text, StringComparison.Ordinal);
        Assert.Equal($"{key}?done=disable", (await owner.Fill($"{key}/disable")).Location);
        Assert.Equal("key_disabled", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Equal(409, (await owner.Get($"{key}/disable")).Status);
        Assert.Equal($"{key}?done=enable", (await owner.Fill($"{key}/enable")).Location);
        Assert.Equal("allowed", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Contains("Apps using the old secret stop at once", (await owner.Get($"{key}/regenerate")).Text, StringComparison.Ordinal);
        var fresh = SecretOf(await owner.Fill($"{key}/regenerate"));
        Assert.NotEqual("allowed", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Equal("allowed", (await place.Check(fresh)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_rotation_lets_the_old_secret_live_for_the_hours_that_are_asked_and_a_revocation_ends_both()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var old = SecretOf(await ConsolePagesPlace.Make(owner, place.Keys, ("name", "A program")));
        var key = KeyHref(await owner.Get(place.Keys), "A program");

        var refused = await owner.Fill($"{key}/rotate", ("grace_hours", "many"));
        Assert.Equal(422, refused.Status);
        Assert.Matches("name=\"grace_hours\"[^>]* value=\"many\"", refused.Text);
        var fresh = SecretOf(await owner.Fill($"{key}/rotate", ("grace_hours", "1")));

        Assert.Equal("allowed", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Contains("Old secret", (await owner.Get(key)).Text, StringComparison.Ordinal);
        place.Gate.Clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal("key_retired", (await place.Check(old)).GetProperty("code").GetString());
        Assert.Equal("allowed", (await place.Check(fresh)).GetProperty("code").GetString());
        Assert.Equal(303, (await owner.Fill($"{key}/revoke", ("reason", "compromised"))).Status);
        Assert.Equal("key_revoked", (await place.Check(fresh)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Who_may_only_look_sees_no_button_and_a_form_sent_by_hand_changes_nothing()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, viewer, billing) = (place.As("owner"), place.As("viewer"), place.As("billing"));
        var key = $"{place.Keys}/{place.Reach.Key}";
        var list = await viewer.Get(place.Keys);
        Assert.Equal(200, list.Status);
        Assert.DoesNotContain("/keys/new", list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"{key}/", (await viewer.Get(key)).Text, StringComparison.Ordinal);
        Assert.Equal(403, (await viewer.Get($"{place.Keys}/new")).Status);
        Assert.Equal(403, (await viewer.Get($"{key}/disable")).Status);
        Assert.Equal(403, (await billing.Get(place.Keys)).Status);

        foreach (var (path, fields) in new (string, (string, string)[])[]
        {
            ($"{place.Keys}/new", [("name", "By hand")]), ($"{key}/disable", []), ($"{key}/revoke", []),
            ($"{key}/delete", [("confirm", "A test key")]),
        })
        {
            var token = list.Hidden("/sign-out").Single(field => field.Name == "form_token");
            var sent = await viewer.Post(path, [token, .. fields]);
            Assert.True(sent.Status == 403, $"{path}: {sent}");
        }

        list = await owner.Get(place.Keys);
        Assert.DoesNotContain("By hand", list.Text, StringComparison.Ordinal);
        Assert.Contains("status good", list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_place_and_a_key_of_others_are_as_absent_as_what_never_was()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (stranger, owner, runner) = (place.As("stranger"), place.As("owner"), place.As("operator"));
        var never = await stranger.Get("/console/prj_0000000000000000000000");

        foreach (var browser in new[] { stranger, runner })
        {
            var page = await browser.Get(place.Keys);
            Assert.Equal(404, page.Status);
            Assert.Equal(never.Plain, page.Plain);
        }

        var other = $"/console/{place.Reach.OtherProject}/keys";
        Assert.Equal(404, (await owner.Get($"{other}/{place.Reach.Key}")).Status);
        Assert.Equal(404, (await owner.Get($"{other}/{place.Reach.Key}/disable")).Status);
        Assert.Equal(404, (await place.As("viewer").Get(other)).Status);
    }

    [Fact]
    public async Task A_form_without_its_token_and_one_from_another_site_change_nothing_W7()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var form = await owner.Get($"{place.Keys}/new");
        var disable = await owner.Get($"{place.Keys}/{place.Reach.Key}/disable");

        Assert.Equal(400, (await owner.Post($"{place.Keys}/new", ("name", "Forged"))).Status);
        Assert.Equal(400, (await owner.Post($"{place.Keys}/{place.Reach.Key}/disable")).Status);
        owner.Headers.Add("Sec-Fetch-Site", "cross-site");
        Assert.Equal(403, (await owner.Send(form, $"{place.Keys}/new", ("name", "Forged"))).Status);
        Assert.Equal(403, (await owner.Send(disable, $"{place.Keys}/{place.Reach.Key}/disable")).Status);

        var list = await place.As("owner").Get(place.Keys);
        Assert.DoesNotContain("Forged", list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("status held", list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_ends_between_the_form_and_its_sending_changes_nothing()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        var form = await owner.Get($"{place.Keys}/new");
        Assert.True((await place.Gate.Database.Write<int>(async scope => await scope.Execute("DELETE FROM sessions"))).IsOk);

        Assert.Equal("/sign-in", (await owner.Send(form, $"{place.Keys}/new", ("name", "Too late"))).Location);

        var keys = await place.Gate.Send("GET", $"/api/v1/projects/{place.Reach.Project}/keys", RunningGate.RootKey);
        Assert.DoesNotContain("Too late", keys.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_names_are_written_as_text_everywhere_W9()
    {
        const string hostile = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
        await using var place = await ConsolePagesPlace.Start();
        await place.Gate.Send("PATCH", $"/api/v1/projects/{place.Reach.Project}", RunningGate.RootKey, Named(hostile));
        await place.Gate.Send("PATCH", $"/api/v1/organizations/{place.Reach.Organization}", RunningGate.RootKey, Named("<b onclick=x>"));
        var owner = place.As("owner");
        var made = await ConsolePagesPlace.Make(owner, place.Keys, ("name", hostile), ("description", hostile));
        Assert.True(made.Status == 200, made.ToString());
        var list = await owner.Get(place.Keys);
        var key = KeyHref(list, hostile);

        var sent = Uri.EscapeDataString(hostile);
        foreach (var page in new[]
        {
            made, list, await owner.Get(key), await owner.Get($"{key}/delete"), await owner.Get(place.Home),
            await owner.Get($"{place.Home}/usage?model={sent}"), await owner.Get($"{place.Home}/refusals?request={sent}"),
            await owner.Get($"{place.Keys}?done=delete&name={sent}"),
            await ConsolePagesPlace.Make(owner, place.Keys, ("name", ""), ("description", hostile), ("allowed_addresses", hostile)),
        })
        {
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<b onclick", page.Text, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_runs_the_gate_and_is_in_a_team_leaves_a_row_with_each_look_at_it_W14()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, looks) = (place.As("owner"), "SELECT COUNT(*) FROM audit WHERE action = 'operator.look' AND actor_type = 'person'");
        await owner.Get(place.Keys);
        Assert.Equal(0, await place.Gate.Database.Read(connection => connection.ExecuteScalarAsync<long>(looks)));
        Assert.True((await place.Gate.Database.Write<int>(async scope => await scope.Execute(
            "UPDATE people SET is_operator = 1 WHERE id = @Id", new { place.Reach["owner"].Person.Id }))).IsOk);

        Assert.Equal(200, (await owner.Get(place.Keys)).Status);
        Assert.Equal(200, (await owner.Get($"{place.Home}/audit.csv")).Status);
        // What a browser fetches ahead is not shown, and is no look.
        owner.Headers.Add("Sec-Purpose", "prefetch");
        var ahead = await owner.Get(place.Keys);
        Assert.Equal(503, ahead.Status);
        Assert.DoesNotContain(place.Reach.Key, ahead.Text, StringComparison.Ordinal);

        Assert.Equal(2, await place.Gate.Database.Read(connection => connection.ExecuteScalarAsync<long>(looks)));
    }

    [Fact]
    public async Task Every_change_of_a_key_is_in_the_audit_log_under_the_persons_own_name_W14()
    {
        await using var place = await ConsolePagesPlace.Start();
        var owner = place.As("owner");
        await owner.Fill($"{place.Keys}/{place.Reach.Key}/disable");

        var log = await place.Gate.Send("GET", $"/api/v1/audit?organization_id={place.Reach.Organization}", RunningGate.RootKey);

        var entry = log.Json.GetProperty("data").EnumerateArray().First(one => one.GetProperty("action").GetString() == "key.disable");
        Assert.Contains(place.Reach["owner"].Person.Id, entry.ToString(), StringComparison.Ordinal);
    }

    private static string Named(string name) =>
        System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { ["name"] = name });

    private static string SecretOf(Page page)
    {
        var found = SecretText().Match(page.Text);
        Assert.True(found.Success, page.ToString());
        return WebUtility.HtmlDecode(found.Groups["secret"].Value);
    }

    private static string KeyHref(Page list, string name)
    {
        var found = RowLink().Matches(list.Text).FirstOrDefault(row => WebUtility.HtmlDecode(row.Groups["name"].Value) == name);
        Assert.True(found is not null, list.ToString());
        return found.Groups["href"].Value;
    }

    [GeneratedRegex("<code id=\"secret\"[^>]*>(?<secret>[^<]*)</code>")]
    private static partial Regex SecretText();

    [GeneratedRegex("<a class=\"row\" href=\"(?<href>[^\"]*)\"><bdi>(?<name>[^<]*)</bdi>")]
    private static partial Regex RowLink();

    private static Task<long> Count(ConsolePagesPlace place) =>
        place.Gate.Database.Read(connection => connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM keys"));
}
