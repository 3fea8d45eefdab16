using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>TS1, W4: what the link of a sign-up asks for, so that nobody has an account by what a stranger typed.</summary>
public sealed class ConfirmTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";
    private const string Strangers = "the stranger chose it";
    private const string Own = "a quite different one";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TS1_the_link_alone_makes_nobody_and_with_the_password_of_the_sign_up_it_does(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = place.Browser();
        await browser.SignUp(Email, PeoplePlace.Password);
        var link = await place.Link(Email);

        foreach (var typed in new[] { "", "not the right one", new string('x', 300) })
        {
            var page = await browser.Confirm(link, typed);
            Assert.Equal(401, page.Status);
            Assert.Contains("id=\"password-fault\"", page.Text, StringComparison.Ordinal);
            Assert.Contains("not the password that was chosen", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("not the right one", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
        Assert.Equal(401, (await browser.SignIn(Email, PeoplePlace.Password)).Status);
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("/sign-in?done=verified", (await browser.Confirm(link)).Location);
        Assert.Equal("/console", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Who_is_mailed_by_a_strangers_sign_up_takes_the_account_with_a_name_and_a_password_of_its_own(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var (stranger, browser) = (place.Browser(), place.Browser());
        await stranger.SignUp(Email, Strangers, "Stranger");
        var link = await place.Link(Email);
        var page = await browser.Get(link);
        Assert.Contains(Email, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Stranger", page.Text, StringComparison.Ordinal);
        var anew = "/verify/anew" + new Uri(link).Query;
        Assert.Contains($"href=\"{anew}\"", page.Text, StringComparison.Ordinal);

        page = await browser.Get(anew);
        Assert.DoesNotContain("Stranger", page.Text, StringComparison.Ordinal);
        foreach (var (name, password, field) in new[]
        {
            ("", Own, "name"), ("Ada", "short", "password"), ("Ada", Email, "password"), ("Ada Augusta", "augusta!", "password"),
        })
        {
            var refused = await browser.Send(page, page.Action, ("name", name), ("password", password));
            Assert.Equal((422, field), (refused.Status, field));
            Assert.Contains($"id=\"{field}-fault\"", refused.Text, StringComparison.Ordinal);
        }

        Assert.Equal("/sign-in?done=verified", (await browser.Send(page, page.Action, ("name", "Ada"), ("password", Own))).Location);

        Assert.Equal(401, (await stranger.SignIn(Email, Strangers)).Status);
        Assert.Equal("/console", (await browser.SignIn(Email, Own)).Location);
        Assert.Equal("Ada", await place.Ask<string>("SELECT name FROM people WHERE is_operator = 0"));
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM links WHERE password_hash IS NOT NULL"));
        Assert.Equal(410, (await stranger.Get(link)).Status);
        Assert.Equal(410, (await stranger.Get(anew)).Status);
    }

    [Fact]
    public async Task Wrong_passwords_for_a_sign_up_are_counted_over_all_links_of_its_address_and_slow_down_no_sign_in()
    {
        await using var place = await PeoplePlace.Start();
        var browser = place.Browser();
        await browser.SignUp(Email, Strangers);
        var first = await place.Link(Email);
        await browser.SignUp(Email, PeoplePlace.Password);
        var second = await place.Link(Email);
        Assert.Equal(401, (await browser.Confirm(first, "wrong 1")).Status);
        Assert.Equal(401, (await browser.Confirm(second, "wrong 2")).Status);
        Assert.Equal(401, (await browser.Confirm(second, "wrong 3")).Status);
        var hashes = place.Hashes;

        var page = await browser.Confirm(second);
        Assert.Equal((429, "4"), (page.Status, page.Answer.Headers.GetValues("Retry-After").Single()));
        Assert.Contains("Try again in 4 seconds.", page.Text, StringComparison.Ordinal);
        Assert.Equal(hashes, place.Hashes);
        // The way out stays open, and so does the door of who has an account.
        Assert.Equal(200, (await browser.Get("/verify/anew" + new Uri(second).Query)).Status);
        Assert.Equal(401, (await browser.SignIn(Email, "wrong 4")).Status);

        place.Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal("/sign-in?done=verified", (await browser.Confirm(second)).Location);
    }

    [Fact]
    public async Task W14_a_wrong_password_for_a_sign_up_is_told_without_what_was_typed()
    {
        await using var place = await PeoplePlace.Start();
        await place.Browser().SignUp(Email, PeoplePlace.Password);
        await place.Browser().Confirm(await place.Link(Email), "not the right one");

        var row = (await place.Audit())[^1];
        Assert.Equal(
            ("sign_in.refuse", "nobody", "unknown", "password of a sign-up"), (row.Action, row.ActorType, row.TargetId, row.Reason));
        Assert.Equal("127.0.0.1", row.Address);
    }

    [Fact]
    public async Task A_link_that_is_none_makes_no_hash()
    {
        await using var place = await PeoplePlace.Start();
        await place.Browser().SignUp(Email, PeoplePlace.Password);
        var hashes = place.Hashes;
        foreach (var path in new[] { "/verify", "/verify/anew" })
        {
            var browser = place.Browser();
            var form = (await browser.Get("/sign-in")).Hidden("/sign-in").First();
            foreach (var secret in new[] { "", "x", new string('a', 43) })
            {
                var page = await browser.Post(path, form, ("token", secret), ("name", "Ada"), ("password", Own));
                Assert.Equal((path, secret, 410), (path, secret, page.Status));
            }
        }

        Assert.Equal(hashes, place.Hashes);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_password_of_a_sign_up_counts_also_when_passwords_are_hashed_in_more_rounds_since(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        await place.Browser().SignUp(Email, PeoplePlace.Password);
        // In one round, as of a gate that was set up so before.
        await place.Run($"UPDATE links SET password_hash = '{InOneRound()}' WHERE password_hash IS NOT NULL");

        Assert.Equal("/sign-in?done=verified", (await place.Browser().Confirm(await place.Link(Email))).Location);
        Assert.Equal("/console", (await place.Browser().SignIn(Email, PeoplePlace.Password)).Location);
    }

    private static string InOneRound() => new Microsoft.AspNetCore.Identity.PasswordHasher<object>(
        Microsoft.Extensions.Options.Options.Create(new Microsoft.AspNetCore.Identity.PasswordHasherOptions { IterationCount = 1 }))
        .HashPassword(new object(), PeoplePlace.Password);
}
