using System.Text.RegularExpressions;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Mail;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Console;

/// <summary>Teams at the console, by forms and without script: who is in one, as what, and how people come and go.</summary>
public sealed partial class ConsoleTeamTests
{
    [Fact]
    public async Task Who_makes_a_team_is_told_first_what_it_is_and_what_happens_to_keys_and_money_TX11()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, stranger) = (place.Gate, place.As("stranger"));
        var own = place.Reach["stranger"].Person.OrganizationId;
        await gate.TopUp("10", "in", own);
        var project = (await gate.Send("POST", $"/api/v1/organizations/{own}/projects", RunningGate.RootKey, "{\"name\":\"Own\"}"))
            .String("id");
        var key = await gate.NewPair(project: project);

        var page = await stranger.Get($"/console/{project}/team");
        Assert.Contains("A team is an organization with several people in it", page.Text, StringComparison.Ordinal);
        Assert.Contains("10.00 USD, all that you have paid in and not spent, moves", page.Text, StringComparison.Ordinal);
        Assert.Contains("Your own key is held while you are in a team", page.Text, StringComparison.Ordinal);
        Assert.Equal("allowed", await gate.CodeOf(key.Secret));
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(own));

        var long49 = await stranger.Send(page, $"/console/{project}/team/new", ("name", new string('n', 49)));
        Assert.Equal(422, long49.Status);
        Assert.Contains("id=\"name-fault\"", long49.Text, StringComparison.Ordinal);
        Assert.Contains(new string('n', 49), long49.Text, StringComparison.Ordinal);
        var made = await stranger.Send(page, $"/console/{project}/team/new", ("name", new string('n', 48)));

        var team = TeamPath().Match(made.Location!).Groups["id"].Value;
        Assert.Equal(303, made.Status);
        Assert.Contains("is made, and you are its owner", (await stranger.Get(made.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal("key_archived", await gate.CodeOf(key.Secret));
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(team));
        Assert.Equal("0.00 0.00 0.00", await gate.Figures(own));
    }

    [Fact]
    public async Task Nobody_owns_two_teams_and_the_page_says_so_instead_of_a_form_TX11plus()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var owner = place.As("owner");

        var page = await owner.Get($"{Team(place)}/new");

        Assert.Contains("You own a team already, and nobody owns two", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Make the team", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("New team</a>", page.Text, StringComparison.Ordinal);
        Assert.Equal(409, (await owner.Post($"{Team(place)}/new", Token(page), ("name", "A second"))).Status);
        Assert.Contains("New team</a>", (await place.As("member").Get(Team(place))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_leaves_is_told_how_many_keys_end_and_they_end_while_the_own_ones_come_back_TX11plus()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, admin, id) = (place.Gate, place.As("project admin"), place.Reach["project admin"].Person.Id);
        var own = place.Reach["project admin"].Person.OrganizationId;
        var project = (await gate.Send("POST", $"/api/v1/organizations/{own}/projects", RunningGate.RootKey, "{\"name\":\"Own\"}"))
            .String("id");
        Assert.Equal(200, (await ConsolePagesPlace.Make(admin, place.Keys, ("name", "Made by the leaver"))).Status);

        var asked = await admin.Get($"{Team(place)}/members/{id}/remove");
        Assert.Contains("The key that you made for the team is deleted", asked.Text, StringComparison.Ordinal);
        Assert.Contains("Your own keys work again", asked.Text, StringComparison.Ordinal);
        Assert.Contains("What you paid in stays with the team", asked.Text, StringComparison.Ordinal);
        Assert.Contains("Made by the leaver", (await admin.Get(place.Keys)).Text, StringComparison.Ordinal);
        var gone = await admin.Send(asked, $"{Team(place)}/members/{id}/remove");

        Assert.Equal($"/console/{own}/projects?done=left-team&name=The%20team", gone.Location);
        Assert.Contains("You have left The team", (await admin.Get(gone.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await admin.Get(Team(place))).Status);
        Assert.DoesNotContain("Made by the leaver", (await place.As("owner").Get(place.Keys)).Text, StringComparison.Ordinal);
        await gate.TopUp("10", "in", own);
        Assert.Equal("allowed", await gate.CodeOf((await gate.NewPair(project: project)).Secret));
    }

    [Fact]
    public async Task The_last_owner_is_offered_no_way_out_and_a_form_sent_by_hand_is_refused_TX11plus()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (owner, id) = (place.As("owner"), place.Reach["owner"].Person.Id);
        var page = await owner.Get(Team(place));
        Assert.DoesNotContain($"/members/{id}/remove", page.Text, StringComparison.Ordinal);

        Assert.Equal(409, (await owner.Post($"{Team(place)}/members/{id}/remove", Token(page))).Status);
        var demoted = await owner.Post($"{Team(place)}/members/{id}/role", Token(page), ("role", "admin"));

        Assert.Equal(409, demoted.Status);
        Assert.Contains("The last owner of a team stays its owner", demoted.Text, StringComparison.Ordinal);
        Assert.Contains("may not sign in", page.Text, StringComparison.Ordinal);
        var self = await owner.Get($"{Team(place)}/members/{id}");
        Assert.Contains("The last owner stays", self.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/remove\"", self.Text, StringComparison.Ordinal);
        Assert.Equal("owner", await RoleOf(place, "owner"));
    }

    [Theory]
    [InlineData("owner", true, true)]
    [InlineData("admin", true, false)]
    [InlineData("billing", false, false)]
    [InlineData("member", false, false)]
    [InlineData("viewer", false, false)]
    public async Task Each_role_is_offered_what_it_may_and_what_it_may_not_is_refused_by_hand_TL12plus(string role, bool manages, bool owns)
    {
        await using var place = await ConsolePagesPlace.Start();
        var (browser, other, home) = (place.As(role), place.Reach["other"].Person.Id, Team(place));

        var page = await browser.Get(home);

        Assert.Equal(200, page.Status);
        Assert.Contains(place.Reach["other"].Person.Email!, page.Text, StringComparison.Ordinal);
        foreach (var (link, isOffered) in new[]
        {
            ("/invite\"", manages), ($"/members/{other}\"", manages), ("/name\"", manages), ("/transfer\"", owns), ("/delete\"", owns),
        })
        {
            Assert.Equal(isOffered, page.Text.Contains(home + link, StringComparison.Ordinal));
        }

        foreach (var (path, isAllowed, fields) in new (string, bool, (string, string)[])[]
        {
            ("/invite", manages, [("email", "x@example.test"), ("role", "member")]),
            ($"/members/{other}/role", manages, [("role", "billing")]),
            ($"/members/{other}/remove", manages, []), ("/name", manages, [("name", "Renamed")]), ("/transfer", owns, [("person", other)]),
            ("/delete", owns, [("confirm", "Renamed")]), ("/invitations/inv_0000000000000000000000/withdraw", manages, []),
        })
        {
            if (!isAllowed)
            {
                var sent = await browser.Post(home + path, [Token(page), .. fields]);
                Assert.True(sent.Status == 403, $"{path}: {sent}");
            }
        }

        if (!manages)
        {
            Assert.Equal("member", await RoleOf(place, "other"));
            Assert.DoesNotContain("Renamed", (await place.As("owner").Get(home)).Text, StringComparison.Ordinal);
            Assert.Empty((await Invitations(place)).EnumerateArray());
        }
    }

    [Fact]
    public async Task A_team_is_as_absent_to_strangers_as_one_that_never_was_and_to_who_runs_the_gate_too()
    {
        await using var place = await ConsolePagesPlace.Start();
        foreach (var role in new[] { "stranger", "operator" })
        {
            var browser = place.As(role);
            var never = await browser.Get("/console/org_0000000000000000000000/team");
            foreach (var path in new[] { "", "/invite", "/transfer", "/delete", "/name", $"/members/{place.Reach["other"].Person.Id}" })
            {
                var page = await browser.Get(Team(place) + path);
                Assert.Equal(404, page.Status);
                Assert.Equal(never.Plain, page.Plain);
            }
        }
    }

    [Fact]
    public async Task An_invitation_is_sent_listed_and_taken_back_and_then_its_link_is_good_no_more_TX11()
    {
        await using var place = await ConsolePagesPlace.Start();
        await place.Gate.Services.GetRequiredService<MailCourier>().StopAsync(default);
        var (owner, home) = (place.As("owner"), Team(place));

        var refused = await owner.Fill($"{home}/invite", ("email", "not an address"), ("role", "billing"));
        Assert.Equal(422, refused.Status);
        Assert.Contains("id=\"email-fault\"", refused.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"not an address\"", refused.Text, StringComparison.Ordinal);
        Assert.Matches("value=\"billing\" checked", refused.Text);
        Assert.Equal(422, (await owner.Fill($"{home}/invite", ("email", "a@example.test"), ("role", "owner"))).Status);
        var member = await owner.Fill($"{home}/invite", ("email", place.Reach["other"].Person.Email!), ("role", "member"));
        Assert.Equal(409, member.Status);
        Assert.Contains("is a member already", member.Text, StringComparison.Ordinal);
        var sent = await owner.Fill($"{home}/invite", ("email", "friend@example.test"), ("role", "billing"));

        Assert.Equal($"{home}?done=invited&name=friend%40example.test", sent.Location);
        var list = await owner.Get(sent.Location!);
        Assert.Contains("An invitation to friend@example.test is on its way", list.Text, StringComparison.Ordinal);
        Assert.Contains("Take back the invitation to friend@example.test", list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("friend@example.test", (await place.As("member").Get(home)).Text, StringComparison.Ordinal);
        var link = await Link(place, "friend@example.test");
        using var friend = new Browser(place.Gate);
        Assert.Contains("Join a team", (await friend.Get(link)).Text, StringComparison.Ordinal);
        var back = Withdrawal().Match(list.Text).Groups["action"].Value;
        var withdrawn = await owner.Send(list, back);

        Assert.Contains("is taken back", (await owner.Get(withdrawn.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(410, (await friend.Get(link)).Status);
        Assert.Equal(404, (await owner.Post(back, Token(list))).Status);
        Assert.Empty((await Invitations(place)).EnumerateArray());
    }

    [Fact]
    public async Task An_address_that_was_invited_too_often_is_invited_later_and_what_was_typed_is_kept()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, home) = (place.As("owner"), Team(place));
        Page page;
        var sent = 0;
        do
        {
            page = await owner.Fill($"{home}/invite", ("email", "friend@example.test"), ("role", "billing"));
            sent++;
        }
        while (page.Status == 303 && sent < 50);

        Assert.Equal((429, 6), (page.Status, sent));
        Assert.Contains("was tried too often", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"friend@example.test\"", page.Text, StringComparison.Ordinal);
        Assert.Single((await Invitations(place)).EnumerateArray());
    }

    [Fact]
    public async Task A_role_is_changed_and_an_owner_is_made_only_by_a_fresh_sign_in()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, admin, home) = (place.As("owner"), place.As("admin"), $"{Team(place)}/members/{place.Reach["other"].Person.Id}");

        var page = await admin.Get(home);
        Assert.DoesNotContain("value=\"owner\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(403, (await admin.Post($"{home}/role", Token(page), ("role", "owner"))).Status);
        Assert.Equal(422, (await admin.Post($"{home}/role", Token(page), ("role", "king"))).Status);
        var changed = await admin.Send(page, $"{home}/role", ("role", "billing"));
        Assert.Equal($"{home}?done=role", changed.Location);
        Assert.Contains("The role is changed", (await admin.Get(changed.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal("billing", await RoleOf(place, "other"));

        page = await owner.Get(home);
        Assert.Contains("value=\"owner\"", page.Text, StringComparison.Ordinal);
        place.Gate.Clock.Advance(TimeSpan.FromMinutes(11));
        var stale = await owner.Send(page, $"{home}/role", ("role", "owner"));
        Assert.Equal(403, stale.Status);
        Assert.Contains("Sign in once more", stale.Text, StringComparison.Ordinal);
        Assert.Equal("billing", await RoleOf(place, "other"));
    }

    [Fact]
    public async Task Somebody_is_put_out_behind_a_page_that_says_what_becomes_of_their_keys()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, other) = (place.As("owner"), place.As("other"));
        var home = $"{Team(place)}/members/{place.Reach["other"].Person.Id}/remove";

        Assert.Equal(200, (await other.Get(Team(place))).Status);
        var asked = await owner.Get(home);
        Assert.Contains("keys that they made for the team go on working", asked.Text, StringComparison.Ordinal);
        var removed = await owner.Send(asked, home);

        Assert.StartsWith($"{Team(place)}?done=removed", removed.Location, StringComparison.Ordinal);
        Assert.Contains("is out of the team", (await owner.Get(removed.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await other.Get(Team(place))).Status);
        Assert.Equal(404, (await owner.Get(home)).Status);
    }

    [Fact]
    public async Task A_team_is_handed_over_by_a_fresh_sign_in_and_who_did_it_is_an_admin_then_TX11()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (owner, other, home) = (place.As("owner"), place.Reach["other"].Person.Id, Team(place));
        var form = await owner.Get($"{home}/transfer?to={other}");
        Assert.Contains("You become an admin", form.Text, StringComparison.Ordinal);
        Assert.Matches($"value=\"{other}\" checked", form.Text);
        Assert.DoesNotContain($"value=\"{place.Reach["owner"].Person.Id}\"", form.Text, StringComparison.Ordinal);

        Assert.Equal(422, (await owner.Send(form, $"{home}/transfer")).Status);
        var done = await owner.Send(form, $"{home}/transfer", ("person", other));

        Assert.Contains("is the owner now. You are: team admin.", (await owner.Get(done.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(("admin", "owner"), (await RoleOf(place, "owner"), await RoleOf(place, "other")));
        Assert.Equal(403, (await owner.Post($"{home}/transfer", Token(form), ("person", other))).Status);
    }

    [Fact]
    public async Task Handing_over_and_deleting_lead_to_a_fresh_sign_in_where_the_last_one_is_long_ago()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, other, home) = (place.As("owner"), place.Reach["other"].Person.Id, Team(place));
        var (handing, deleting) = (await owner.Get($"{home}/transfer"), await owner.Get($"{home}/delete"));
        place.Gate.Clock.Advance(TimeSpan.FromMinutes(11));

        foreach (var page in new[]
        {
            await owner.Get($"{home}/transfer"), await owner.Get($"{home}/delete"),
            await owner.Send(handing, $"{home}/transfer", ("person", other)),
            await owner.Send(deleting, $"{home}/delete", ("confirm", "The team")),
        })
        {
            Assert.Equal(403, page.Status);
            Assert.Contains("Sign in once more", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal(("owner", "member"), (await RoleOf(place, "owner"), await RoleOf(place, "other")));
    }

    [Fact]
    public async Task A_team_is_deleted_by_its_name_after_it_was_said_what_becomes_of_keys_people_and_money_TX11plus()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (gate, owner, home) = (place.Gate, place.As("owner"), Team(place));
        var own = place.Reach["owner"].Person.OrganizationId;
        var secret = (await gate.NewPair(project: place.Reach.Project)).Secret;
        var paid = (await gate.Figures(place.Reach.Organization)).Split(' ')[0];

        var asked = await owner.Get($"{home}/delete");
        Assert.Contains("2 keys with them", asked.Text, StringComparison.Ordinal);
        Assert.Contains("All 9 members leave it", asked.Text, StringComparison.Ordinal);
        Assert.Equal("1000.00", paid);
        Assert.Contains("1,000.00 USD, what was paid in and is not spent, moves to your own balance", asked.Text, StringComparison.Ordinal);
        var wrong = await owner.Send(asked, $"{home}/delete", ("confirm", "the team"));
        Assert.Equal(422, wrong.Status);
        Assert.Contains("id=\"confirm-fault\"", wrong.Text, StringComparison.Ordinal);
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var deleted = await owner.Send(asked, $"{home}/delete", ("confirm", "The team"));

        Assert.Equal($"/console/{own}/projects?done=deleted-team&name=The%20team", deleted.Location);
        Assert.Contains("The team is deleted", (await owner.Get(deleted.Location!)).Text, StringComparison.Ordinal);
        Assert.NotEqual("allowed", await gate.CodeOf(secret));
        Assert.StartsWith($"{paid} ", await gate.Figures(own), StringComparison.Ordinal);
        Assert.Equal(404, (await place.As("member").Get(home)).Status);
    }

    [Fact]
    public async Task A_team_and_an_organization_of_ones_own_get_another_name_with_a_bound_of_each()
    {
        await using var place = await ConsolePagesPlace.Start("tensorx");
        var (owner, stranger, home) = (place.As("owner"), place.As("stranger"), Team(place));

        var refused = await owner.Fill($"{home}/name", ("name", new string('n', 49)));
        Assert.Equal(422, refused.Status);
        Assert.Contains(new string('n', 49), refused.Text, StringComparison.Ordinal);
        var renamed = await owner.Fill($"{home}/name", ("name", "Research"));
        Assert.Contains("It is called Research now", (await owner.Get(renamed.Location!)).Text, StringComparison.Ordinal);

        var own = $"/console/{place.Reach["stranger"].Person.OrganizationId}";
        Assert.Contains($"{own}/team/name", (await stranger.Get($"{own}/projects")).Text, StringComparison.Ordinal);
        renamed = await stranger.Fill($"{own}/team/name", ("name", new string('n', 49)));
        Assert.Equal($"{own}/projects?done=renamed", renamed.Location);
        var page = await stranger.Get($"{own}/projects");
        Assert.Equal(404, (await stranger.Post($"{own}/team/delete", Token(page), ("confirm", new string('n', 49)))).Status);
    }

    [Fact]
    public async Task Where_the_provider_has_no_teams_none_is_offered_and_those_that_there_are_invite_nobody()
    {
        await using var place = await ConsolePagesPlace.Start(with: provider => provider with { Teams = null });
        var (owner, stranger, own) = (place.As("owner"), place.As("stranger"), place.Reach["stranger"].Person.OrganizationId);

        var projects = await stranger.Get($"/console/{own}/projects");
        Assert.DoesNotContain("/team\"", projects.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("New team", projects.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await stranger.Get($"/console/{own}/team")).Status);
        Assert.Equal(404, (await stranger.Post($"/console/{own}/team/new", Token(projects), ("name", "By hand"))).Status);

        var page = await owner.Get(Team(place));
        Assert.Equal(200, page.Status);
        Assert.DoesNotContain("/invite", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await owner.Post(
            $"{Team(place)}/invite", Token(page), ("email", "x@example.test"), ("role", "member"))).Status);
    }

    [Fact]
    public async Task A_form_without_its_token_and_one_from_another_site_change_nothing_W7()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, home, other) = (place.As("owner"), Team(place), place.Reach["other"].Person.Id);
        var page = await owner.Get(home);
        (string Path, (string, string)[] Fields)[] all =
        [
            ("/new", [("name", "Forged")]), ("/invite", [("email", "forged@example.test"), ("role", "member")]),
            ($"/members/{other}/role", [("role", "billing")]), ($"/members/{other}/remove", []), ("/transfer", [("person", other)]),
            ("/name", [("name", "Forged")]), ("/delete", [("confirm", "The team")]),
            ("/invitations/inv_0000000000000000000000/withdraw", []),
        ];

        foreach (var (path, fields) in all)
        {
            Assert.Equal(400, (await owner.Post(home + path, fields)).Status);
        }

        owner.Headers.Add("Sec-Fetch-Site", "cross-site");
        foreach (var (path, fields) in all)
        {
            Assert.Equal(403, (await owner.Post(home + path, [Token(page), .. fields])).Status);
        }

        page = await place.As("owner").Get(home);
        Assert.DoesNotContain("orged", page.Text, StringComparison.Ordinal);
        Assert.Equal(("owner", "member"), (await RoleOf(place, "owner"), await RoleOf(place, "other")));
    }

    [Fact]
    public async Task Every_change_of_a_team_is_in_the_audit_log_under_the_persons_own_name_W14()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, home, other) = (place.As("owner"), Team(place), place.Reach["other"].Person.Id);
        await owner.Fill($"{home}/invite", ("email", "friend@example.test"), ("role", "member"));
        await owner.Send(await owner.Get($"{home}/members/{other}"), $"{home}/members/{other}/role", ("role", "billing"));
        await owner.Fill($"{home}/members/{other}/remove");
        await owner.Fill($"{home}/name", ("name", "Research"));
        await owner.Fill($"{place.Home}/project/name", ("name", "Search"));

        var log = await place.Gate.Send("GET", $"/api/v1/audit?organization_id={place.Reach.Organization}", RunningGate.RootKey);

        foreach (var action in new[] { "invitation.create", "member.role", "member.remove", "organization.change", "project.change" })
        {
            var entry = log.Json.GetProperty("data").EnumerateArray().First(one => one.GetProperty("action").GetString() == action);
            Assert.Contains(place.Reach["owner"].Person.Id, entry.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Hostile_names_are_written_as_text_everywhere_W9()
    {
        const string hostile = "\u202e\U0001f98a<script>alert(1)</script>\"'><img src=x>";
        await using var place = await ConsolePagesPlace.Start();
        await place.Gate.Services.GetRequiredService<MailCourier>().StopAsync(default);
        var (owner, home, other) = (place.As("owner"), Team(place), place.Reach["other"].Person.Id);
        Assert.True((await place.Gate.Database.Write<int>(
            async scope => await scope.Execute("UPDATE people SET name = @hostile", new { hostile }))).IsOk);
        Assert.Equal(303, (await owner.Fill($"{home}/name", ("name", "<script>alert(1)</script>"))).Status);
        await owner.Fill($"{home}/invite", ("email", "\"<script>\"@example.test"), ("role", "member"));

        var sent = Uri.EscapeDataString(hostile);
        foreach (var page in new[]
        {
            await owner.Get(home), await owner.Get($"{home}?done=removed&name={sent}"), await owner.Get($"{home}/members/{other}"),
            await owner.Get($"{home}/members/{other}/remove"), await owner.Get($"{home}/transfer"), await owner.Get($"{home}/delete"),
            await owner.Get($"{home}/name"), await owner.Fill($"{home}/invite", ("email", hostile), ("role", hostile)),
            await owner.Fill($"{home}/name", ("name", hostile + hostile)), await owner.Get($"{home}/new"),
        })
        {
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img", page.Text, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);
        }
    }

    private static string Team(ConsolePagesPlace place) => $"/console/{place.Reach.Organization}/team";

    private static (string Name, string Value) Token(Page page) => page.Hidden("/sign-out").Single(field => field.Name == "form_token");

    private static async Task<string?> RoleOf(ConsolePagesPlace place, string who) =>
        (await place.Gate.Send("GET", $"/api/v1/organizations/{place.Reach.Organization}/members", RunningGate.RootKey))
            .Json.GetProperty("data").EnumerateArray()
            .Single(one => one.GetProperty("person_id").GetString() == place.Reach[who].Person.Id).GetProperty("role").GetString();

    private static async Task<System.Text.Json.JsonElement> Invitations(ConsolePagesPlace place) =>
        (await place.Gate.Send("GET", $"/api/v1/organizations/{place.Reach.Organization}/invitations", RunningGate.RootKey))
            .Json.GetProperty("data");

    /// <summary>The link in the newest mail to an address.</summary>
    private static async Task<string> Link(ConsolePagesPlace place, string email)
    {
        var outbox = place.Gate.Services.GetRequiredService<MailOutbox>();
        var rows = await place.Gate.Database.Read(
            connection => connection.QueryAsync<QueuedMail>("SELECT * FROM mail_outbox ORDER BY mail_no"));
        var letter = rows.Select(row => outbox.Open(row)!).Last(one => one.To == email);
        return letter.Plain.Split("\r\n").First(line => line.StartsWith("http", StringComparison.Ordinal));
    }

    [GeneratedRegex("^/console/(?<id>org_[0-9A-Za-z]{22})/team")]
    private static partial Regex TeamPath();

    [GeneratedRegex("<form method=\"post\" action=\"(?<action>[^\"]*/withdraw)\"")]
    private static partial Regex Withdrawal();
}
