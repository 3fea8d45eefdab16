using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W5, W6: sessions.</summary>
public sealed class SessionTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";

    [Fact]
    public async Task W5_a_cookie_that_was_set_before_is_nobodys_and_each_sign_in_gives_a_new_one()
    {
        await using var place = await PeoplePlace.Start();
        await place.SignedUp(Email);
        var browser = place.Browser();
        var preset = new string('x', 43);
        browser.Jar.Add(new Uri(place.Gate.Address), new Cookie("tollgate", preset));

        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        await browser.SignIn(Email, PeoplePlace.Password);
        var first = browser.Session;
        await browser.SignIn(Email, PeoplePlace.Password);

        Assert.Equal(3, new[] { preset, first, browser.Session }.Distinct().Count());
        // The one from before has ended: it is not merely forgotten by this browser.
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));
        var thief = place.Browser();
        thief.Headers.Add("Cookie", $"tollgate={first}");
        Assert.Equal("/sign-in", (await thief.Get("/account")).Location);
    }

    [Fact]
    public async Task W5_the_session_has_a_new_id_after_a_link_and_after_another_password()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        var seen = new List<string?> { browser.Session };

        await browser.Fill("/magic", ("email", Email));
        await browser.Press(await place.Link(Email));
        seen.Add(browser.Session);
        await browser.Send(
            await browser.Get("/account"), "/account/password", ("current", PeoplePlace.Password), ("password", "a quite different one"));
        seen.Add(browser.Session);

        Assert.Equal(3, seen.Distinct().Count());
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W6_sessions_are_listed_with_device_and_address_and_ended_one_by_one_or_all(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn(Email);
        var (second, third) = (place.Browser(), place.Browser());
        second.Headers.UserAgent.Clear();
        second.Headers.UserAgent.ParseAdd("Second-Device/2");
        await second.SignIn(Email, PeoplePlace.Password);
        await third.SignIn(Email, PeoplePlace.Password);

        var account = await browser.Get("/account");
        Assert.Contains("Second-Device/2", account.Text, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", account.Text, StringComparison.Ordinal);
        var id = await place.Ask<string>("SELECT id FROM sessions WHERE device = 'Second-Device/2'");
        var page = await browser.Post(
            "/account/sessions/end", account.Hidden("/account/sessions/end-others").First(), ("session", id));
        Assert.Equal("/account?done=ended", page.Location);
        Assert.Equal("/sign-in", (await second.Get("/account")).Location);
        Assert.Equal(200, (await third.Get("/account")).Status);

        await browser.Send(account, "/account/sessions/end-others");
        Assert.Equal("/sign-in", (await third.Get("/account")).Location);
        Assert.Equal(200, (await browser.Get("/account")).Status);
    }

    [Fact]
    public async Task W6_nobody_ends_a_session_of_another()
    {
        await using var place = await PeoplePlace.Start();
        var victim = await place.SignedIn("victim@example.test");
        var id = await place.Ask<string>("SELECT id FROM sessions");
        var browser = await place.SignedIn(Email);
        var token = (await browser.Get("/account")).Hidden("/sign-out").First();

        Assert.Equal(404, (await browser.Post("/account/sessions/end", token, ("session", id))).Status);
        Assert.Equal(200, (await victim.Get("/account")).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W6_what_a_session_was_about_to_do_when_it_was_ended_is_not_done(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var thief = await place.SignedIn(Email);
        var owner = place.Browser();
        await using var services = place.Gate.Services.CreateAsyncScope();
        var sessions = services.ServiceProvider.GetRequiredService<SessionBook>();
        var people = services.ServiceProvider.GetRequiredService<People>();
        // As a request stands that is past the look at its session and not yet in its write.
        var who = await sessions.Find(thief.Session, TestContext.Current.CancellationToken);
        var visit = Visit.Of(new DefaultHttpContext());
        Assert.True(EmailAddress.TryRead("thief@example.test", out var address));
        await owner.Fill("/forgot", ("email", Email));
        await owner.Send(await owner.Get(await place.Link(Email)), "/reset", ("password", "a quite different one"));
        await owner.SignIn(Email, "a quite different one");

        var outcomes = new[]
        {
            (await people.AskEmail(visit, who!, address, thief.Session)).Problem,
            (await sessions.EndOthers(visit, who!, thief.Session)).Problem,
            (await people.Delete(visit, who!, thief.Session)).Problem,
            // Nor by the cookie of a session that is good: the person has changed since.
            (await people.AskEmail(visit, who!, address, owner.Session)).Problem,
        };

        Assert.All(outcomes, problem => Assert.Equal("proof_needed", problem?.Code.Code));
        Assert.DoesNotContain(await place.Mails(), mail => mail.To == "thief@example.test");
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM links WHERE kind = 'email'"));
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE deleted_at_ms IS NOT NULL"));
        Assert.Equal(200, (await owner.Get("/account")).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W6_disabling_a_person_makes_the_next_request_nobodys(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn(Email);
        Assert.Equal(200, (await browser.Get("/account")).Status);

        await place.SetDisabled(Email, true);

        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        Assert.Equal(401, (await browser.SignIn(Email, PeoplePlace.Password)).Status);
        await place.SetDisabled(Email, false);
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        Assert.Equal("/account", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
    }

    [Fact]
    public async Task W6_a_session_ends_when_it_was_not_used_for_twelve_hours()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);

        place.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await browser.Get("/account")).Status);
        place.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await browser.Get("/account")).Status);
        place.Clock.Advance(TimeSpan.FromHours(12));
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
    }

    [Fact]
    public async Task W6_a_session_ends_after_seven_days_however_it_is_used()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        for (var i = 0; i < 16; i++)
        {
            place.Clock.Advance(TimeSpan.FromHours(10));
            Assert.Equal(200, (await browser.Get("/account")).Status);
        }

        place.Clock.Advance(TimeSpan.FromHours(8));
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
    }

    [Fact]
    public async Task W6_both_spans_are_options()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, SessionIdleHours = 1, SessionDays = 1,
        });
        var browser = await place.SignedIn(Email);
        for (var i = 0; i < 47; i++)
        {
            place.Clock.Advance(TimeSpan.FromMinutes(30));
            Assert.Equal(200, (await browser.Get("/account")).Status);
        }

        place.Clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        await browser.SignIn(Email, PeoplePlace.Password);
        place.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
    }

    [Fact]
    public async Task W12_what_changes_rights_asks_for_a_sign_in_of_the_last_ten_minutes()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        var account = await browser.Get("/account");
        place.Clock.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromMilliseconds(1));

        foreach (var (path, fields) in new (string, (string, string)[])[]
        {
            ("/account/password", [("current", PeoplePlace.Password), ("password", "a quite different one")]),
            ("/account/email", [("email", "new@example.test")]),
            ("/account/delete", [("confirm", "delete")]),
        })
        {
            Assert.Equal((path, 403), (path, (await browser.Send(account, path, fields)).Status));
        }

        Assert.Equal("/console", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
        Assert.Equal("/account?done=email", (await browser.Send(
            await browser.Get("/account"), "/account/email", ("email", "new@example.test"))).Location);
    }

    [Fact]
    public async Task W12_another_password_is_no_new_proof()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        place.Clock.Advance(TimeSpan.FromMinutes(9));
        var page = await browser.Send(
            await browser.Get("/account"), "/account/password", ("current", PeoplePlace.Password), ("password", "a quite different one"));
        Assert.Equal("/account?done=password", page.Location);

        place.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(403, (await browser.Send(await browser.Get("/account"), "/account/email", ("email", "new@example.test"))).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_sign_in_on_another_device_is_told_by_mail_once_and_not_that_of_another_version(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        await place.SignedIn(Email);
        Assert.DoesNotContain(await place.Mails(), mail => mail.Template == "sign-in-notice");
        foreach (var (device, notices) in new[]
        {
            ("Test-Browser/2", 0), ("Other/1.0", 1), ("Other/1.1", 1), ("Test-Browser/3", 1), ("Third", 2),
        })
        {
            var browser = place.Browser();
            browser.Headers.UserAgent.Clear();
            browser.Headers.UserAgent.ParseAdd(device);
            Assert.Equal("/console", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
            Assert.Equal((device, notices), (device, (await place.Mails()).Count(mail => mail.Template == "sign-in-notice")));
        }
    }

    [Fact]
    public async Task A_person_has_a_hundred_sessions_at_most_and_the_oldest_ends()
    {
        await using var place = await PeoplePlace.Start();
        var first = await place.SignedIn(Email);
        for (var i = 0; i < 100; i++)
        {
            await place.Browser().SignIn(Email, PeoplePlace.Password);
        }

        Assert.Equal(100, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));
        Assert.Equal("/sign-in", (await first.Get("/account")).Location);
    }
}
