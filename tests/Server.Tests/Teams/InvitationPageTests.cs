using System.Net;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Teams;

/// <summary>TX11: the page of an invitation, as people come to it, over real HTTP.</summary>
public sealed class InvitationPageTests(PostgresFixture postgres)
{
    private const string Ada = "ada@example.test";
    private const string Ended = "The link was used, has ended, or is none.";

    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_who_is_signed_in_opens_the_link_presses_the_button_and_is_in_the_team(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var (link, browser) = (await Invited(place, "admin"), await place.People.SignedIn(Ada));

        // As often as a mail scanner likes.
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await place.People.Browser().Get(link)).Status);
        }

        var page = await browser.Get(link);
        Assert.Equal(200, page.Status);
        foreach (var told in new[] { "The team", place.Owner.Name, "an admin", Ada, "Join the team" })
        {
            Assert.Contains(told, page.Text, StringComparison.Ordinal);
        }

        Assert.Equal("owner:owner", await place.Members());
        var other = place.People.Browser();
        await other.SignIn(Ada, PeoplePlace.Password);
        var late = await other.Get(link);
        var joined = await browser.Send(page, page.Action);
        Assert.Equal(200, joined.Status);
        Assert.Contains("You are in the team The team, as an admin.", joined.Text, StringComparison.Ordinal);
        Assert.Equal("owner:owner ada:admin", await place.Members());

        // Used twice, by whatever browser.
        Assert.Equal(410, (await other.Send(late, late.Action)).Status);
        var again = await place.People.Browser().Get(link);
        Assert.Equal(410, again.Status);
        Assert.Contains(Ended, again.Text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task W5_joining_gives_the_session_a_new_id_but_no_longer_life_and_leaves_the_others(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var (link, browser, other) = (await Invited(place), await place.People.SignedIn(Ada), place.People.Browser());
        await other.SignIn(Ada, PeoplePlace.Password);
        var before = (browser.Session, Other: other.Session, Ends: await place.People.Ask<long>("SELECT MIN(ends_at_ms) FROM sessions"));
        place.People.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(200, (await browser.Press(link)).Status);

        Assert.NotEqual(before.Session, browser.Session);
        Assert.Equal(200, (await browser.Get("/account")).Status);
        Assert.Equal((before.Other, 200), (other.Session, (await other.Get("/account")).Status));
        using var thief = place.People.Browser();
        thief.Headers.Add("Cookie", $"tollgate={before.Session}");
        Assert.Equal("/sign-in", (await thief.Get("/account")).Location);
        Assert.Equal(before.Ends, await place.People.Ask<long>("SELECT MIN(ends_at_ms) FROM sessions"));
        // Nor does it count as a new proof of who one is.
        var proved = await place.People.Ask<long>("SELECT COUNT(DISTINCT proved_at_ms) FROM sessions WHERE proved_at_ms < seen_at_ms");
        Assert.Equal(1, proved);
        Assert.Equal(2, await place.People.Ask<long>("SELECT COUNT(*) FROM sessions"));
    }

    [Fact]
    public async Task W5_who_could_not_join_keeps_the_session()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var (link, browser) = (await Invited(place), await place.People.SignedIn(Ada));
        var (page, before) = (await browser.Get(link), browser.Session);
        place.People.Clock.Advance(InvitationBook.Life - TimeSpan.FromHours(1));
        await browser.SignIn(Ada, PeoplePlace.Password);
        (page, before) = (await browser.Get(link), browser.Session);
        place.People.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(410, (await browser.Send(page, page.Action)).Status);
        Assert.Equal((before, 200), (browser.Session, (await browser.Get("/account")).Status));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_who_has_to_sign_in_first_comes_back_to_the_invitation(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        await place.People.SignedUp(Ada);
        var link = await Invited(place);
        var browser = place.People.Browser();
        var page = await browser.Get(link);
        Assert.Contains("href=\"/sign-in\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"/sign-up\"", page.Text, StringComparison.Ordinal);

        var signedIn = await browser.SignIn(Ada, PeoplePlace.Password);
        Assert.Equal(new Uri(link).AbsolutePath, signedIn.Location);
        Assert.Equal(200, (await browser.Press(signedIn.Location!)).Status);
        Assert.Equal("owner:owner ada:member", await place.Members());

        // And not a second time.
        await browser.Send(await browser.Get("/account"), "/sign-out");
        Assert.Equal("/console", (await browser.SignIn(Ada, PeoplePlace.Password)).Location);
    }

    [Fact]
    public async Task TX11_who_has_no_account_makes_one_and_comes_back()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var link = await Invited(place);
        var browser = place.People.Browser();
        await browser.Get(link);
        Assert.Equal(200, (await browser.SignUp(Ada, PeoplePlace.Password)).Status);
        Assert.Equal("/sign-in?done=verified", (await browser.Confirm(await place.People.Link(Ada))).Location);
        var back = (await browser.SignIn(Ada, PeoplePlace.Password)).Location!;
        Assert.Equal(new Uri(link).AbsolutePath, back);
        Assert.Equal(200, (await browser.Press(back)).Status);
        Assert.Equal("owner:owner ada:member", await place.Members());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_another_address_is_told_so_and_cannot_join(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var link = await Invited(place);
        var mallory = await place.People.SignedIn("mallory@example.test");
        var page = await mallory.Get(link);

        Assert.Equal(200, page.Status);
        Assert.Contains("mallory@example.test", page.Text, StringComparison.Ordinal);
        Assert.Contains("the invitation was sent to another address", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Ada, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Join the team", page.Text, StringComparison.Ordinal);

        // A form made by hand shows the same page once more.
        var token = page.Hidden("/sign-out").Single(field => field.Name == "form_token");
        var forced = await mallory.Post(new Uri(link).AbsolutePath, token);
        Assert.Equal((303, new Uri(link).AbsolutePath), (forced.Status, forced.Location));
        Assert.Equal("owner:owner", await place.Members());
        Assert.Equal(200, (await (await place.People.SignedIn(Ada)).Press(link)).Status);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_of_fifty_who_press_at_once_one_joins(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        await place.People.SignedUp(Ada);
        var link = await Invited(place);
        var browsers = new List<(Browser Browser, Identity.Page Page)>();
        for (var i = 0; i < 50; i++)
        {
            var browser = place.People.Browser();
            await browser.SignIn(Ada, PeoplePlace.Password);
            browsers.Add((browser, await browser.Get(link)));
        }

        var answers = await Task.WhenAll(browsers.Select(one => one.Browser.Send(one.Page, one.Page.Action)));

        Assert.Equal((1, 49), (answers.Count(one => one.Status == 200), answers.Count(one => one.Status == 410)));
        Assert.Equal(2, await place.Count("team_members"));
    }

    [Fact]
    public async Task TX11_a_link_that_is_late_tampered_or_none_gets_one_clear_page()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var (link, browser) = (await Invited(place), await place.People.SignedIn(Ada));
        var pages = new List<string>();
        var tampered = link[..^1] + (link[^1] == 'z' ? 'y' : 'z');
        foreach (var wrong in new[] { link[..^1], link + "x", tampered, "/invitations/x", "/invitations/" + new string('a', 43) })
        {
            var page = await browser.Get(wrong);
            Assert.Equal((wrong, 410), (wrong, page.Status));
            pages.Add(page.Plain);
        }

        var good = await browser.Get(link);
        place.Clock.Advance(InvitationBook.Life);
        var late = await browser.Get(link);
        Assert.Equal(410, late.Status);
        pages.Add(late.Plain);
        Assert.Single(pages.Distinct());
        Assert.NotEqual(200, (await browser.Send(good, good.Action)).Status);
        Assert.Equal("owner:owner", await place.Members());
    }

    [Fact]
    public async Task W1_what_the_page_says_does_not_depend_on_whether_the_address_has_an_account()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        await place.People.SignedUp(Ada);
        var known = await Invited(place);
        Assert.Equal("ok", (await place.Invite(place.Owner, "nobody@example.test")).CodeOf());
        var unknown = await place.People.Link("nobody@example.test");

        var (one, other) = (await place.People.Browser().Get(known), await place.People.Browser().Get(unknown));
        Assert.Equal((one.Status, one.Plain), (other.Status, other.Plain));
        Assert.Equal(Names(one), Names(other));

        static IEnumerable<string> Names(Identity.Page page) => page.SetCookies.Select(cookie => cookie.Split('=')[0]);
    }

    [Fact]
    public async Task W7_and_W9_a_form_of_another_site_joins_nothing_and_names_with_markup_are_text()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var link = await Invited(place);
        await place.People.Run("UPDATE organizations SET name = '<script>alert(1)</script>' WHERE name = 'The team'");
        var browser = await place.People.SignedIn(Ada);
        var page = await browser.Get(link);
        Assert.DoesNotContain("<script>", page.Text, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);

        Assert.Equal(400, (await browser.Post(page.Action)).Status);
        browser.Headers.Add("Sec-Fetch-Site", "cross-site");
        Assert.Equal(403, (await browser.Send(page, page.Action)).Status);
        Assert.Equal("owner:owner", await place.Members());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Somebody_can_be_sent_five_invitations_an_hour_by_whomever_but_the_operator(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("ok", (await place.Invite(place.Owner, Ada)).CodeOf());
        }

        Assert.Equal("too_many_tries", (await place.Invite(place.Owner, Ada)).CodeOf());
        Assert.Equal("ok", (await place.AsRoot(scope => place.Book.Invite(scope, place.TeamId, Ada, "member"))).CodeOf());
        Assert.Equal("ok", (await place.Invite(place.Owner, "bob@example.test")).CodeOf());
        place.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("ok", (await place.Invite(place.Owner, Ada)).CodeOf());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_somebody_has_sent_ends_when_he_may_send_none_any_more(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var one = await place.NewMember("one@example.test", TeamRole.Admin);
        var two = await place.NewMember("two@example.test", TeamRole.Admin);
        Assert.Equal("ok", (await place.Invite(one, "friend@example.test")).CodeOf());
        Assert.Equal("ok", (await place.Invite(two, "pal@example.test")).CodeOf());
        Assert.Equal("ok", (await place.Invite(place.Owner, Ada)).CodeOf());

        await place.As(place.Owner, scope => place.Roster.Remove(scope, place.TeamId, one.Id));
        await place.As(place.Owner, scope => place.Roster.ChangeRole(scope, place.TeamId, two.Id, "member"));

        Assert.Null(await place.Book.Look(TeamPlace.SecretOf(await place.People.Link("friend@example.test")), default));
        Assert.Null(await place.Book.Look(TeamPlace.SecretOf(await place.People.Link("pal@example.test")), default));
        Assert.NotNull(await place.Book.Look(TeamPlace.SecretOf(await place.People.Link(Ada)), default));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_the_page_says_what_moves_and_is_held_and_money_needs_a_fresh_sign_in(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, link, browser) = (place.Gate, await Invited(place), await place.People.SignedIn(Ada));
        var own = await place.People.Ask<string>($"SELECT organization_id FROM people WHERE email_key = '{Ada}'");
        var bare = await browser.Get(link);
        Assert.DoesNotContain("Joining moves", bare.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("keys are held", bare.Text, StringComparison.Ordinal);
        await gate.TopUp("10", "in", own);
        (await gate.Enter("grant", "5", "welcome", own)).Has(HttpStatusCode.Created);
        var project = (await gate.Send("POST", $"/api/v1/organizations/{own}/projects", RunningGate.RootKey, "{\"name\":\"Own\"}"))
            .String("id");
        var keys = new[] { await gate.NewPair(project: project), await gate.NewPair(project: project) };

        var page = await browser.Get(link);
        Assert.Contains("Joining moves 10.00 USD", page.Text, StringComparison.Ordinal);
        Assert.Contains("Your own 2 keys are held", page.Text, StringComparison.Ordinal);
        Assert.Contains("Join the team", page.Text, StringComparison.Ordinal);

        // The page stands open for too long: nothing is done, and it says so.
        place.Clock.Advance(SignedIn.FreshFor + TimeSpan.FromSeconds(1));
        var late = await browser.Send(page, page.Action);
        Assert.Equal((303, new Uri(link).AbsolutePath), (late.Status, late.Location));
        var stale = await browser.Get(link);
        Assert.Contains("sign in again", stale.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Join the team", stale.Text, StringComparison.Ordinal);
        Assert.Equal("owner:owner", await place.Members());
        Assert.Equal("15.00 0.00 15.00", await gate.Figures(own));

        var back = (await browser.SignIn(Ada, PeoplePlace.Password)).Location!;
        Assert.Equal(new Uri(link).AbsolutePath, back);
        Assert.Equal(200, (await browser.Press(back)).Status);
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(place.TeamId));
        Assert.Equal("key_archived", await gate.CodeOf(keys[0].Secret));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_who_makes_a_team_is_told_what_has_moved_and_is_held(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        await gate.NewPair(project: ada.Project);

        var made = (await gate.Send(
            "POST", "/api/v1/teams", RunningGate.RootKey, $"{{\"name\":\"Hers\",\"owner_id\":\"{ada.Person.Id}\"}}"))
            .Has(HttpStatusCode.Created);

        Assert.Equal(("10.00", 1), (made.String("balance_moved"), made.Json.GetProperty("keys_held").GetInt32()));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_somebody_has_sent_ends_when_he_is_suspended(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var admin = await place.NewMember("admin@example.test", TeamRole.Admin);
        Assert.Equal("ok", (await place.Invite(admin, "friend@example.test")).CodeOf());
        Assert.Equal("ok", (await place.Invite(place.Owner, Ada)).CodeOf());

        await place.People.SetDisabled("admin@example.test", true);
        await place.People.SetDisabled("admin@example.test", false);

        Assert.Null(await place.Book.Look(TeamPlace.SecretOf(await place.People.Link("friend@example.test")), default));
        Assert.NotNull(await place.Book.Look(TeamPlace.SecretOf(await place.People.Link(Ada)), default));
        Assert.Contains(await place.People.Audit(), row => row.Action == "invitation.withdraw");
    }

    private static async Task<string> Invited(TeamPlace place, string role = "member")
    {
        Assert.Equal("ok", (await place.Invite(place.Owner, Ada, role)).CodeOf());
        return await place.People.Link(Ada);
    }
}
