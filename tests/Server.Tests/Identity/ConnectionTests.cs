using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>TS3, TS4: people sign in by an account elsewhere, and nobody gets into another's account by one.</summary>
public sealed class ConnectionTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TS3_somebody_new_signs_up_and_in_again_with_google(DatabaseKind kind)
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers, kind);
        await providers.Be("google-1", Email);
        var browser = place.Browser();

        var page = await browser.SignInWith("google");

        Assert.True((303, "/console") == (page.Status, page.Location), page.ToString());
        var account = await browser.Get("/account");
        Assert.Contains("Ada Lovelace", account.Text, StringComparison.Ordinal);
        Assert.Contains(Email, account.Text, StringComparison.Ordinal);
        Assert.Contains("Set a password", account.Text, StringComparison.Ordinal);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE email_key = 'ada@example.test' AND verified_at_ms > 0 "
            + "AND password_hash IS NULL AND organization_id LIKE 'org_%'"));

        // The address changes there and is somebody else's then: who it is stays.
        await providers.Be("google-1", "other@example.test", isVerified: false);
        var again = place.Browser();
        Assert.Equal("/console", (await again.SignInWith("google")).Location);
        Assert.Contains(Email, (await again.Get("/account")).Text, StringComparison.Ordinal);
        await providers.Be("google-2", Email);
        Assert.Equal("/console", (await place.Browser().SignInWith("google")).Location);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
        Assert.Equal(2, await place.Ask<long>("SELECT COUNT(*) FROM connections"));
        var rows = await place.Audit();
        Assert.Equal(2, rows.Count(row => row.Action == "connection.add"));
        Assert.All(rows, row => Assert.DoesNotContain("google-", $"{row.AfterJson}", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TS4_somebody_new_signs_up_and_in_again_with_github_by_the_primary_confirmed_address(DatabaseKind kind)
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers, kind);
        await providers.BeAtGithub(77, null, ("old@example.test", false, true), (Email, true, true));
        var browser = place.Browser();

        var page = await browser.SignInWith("github");

        Assert.True((303, "/console") == (page.Status, page.Location), page.ToString());
        Assert.Contains(Email, (await browser.Get("/account")).Text, StringComparison.Ordinal);
        Assert.Equal("/console", (await place.Browser().SignInWith("github")).Location);
        Assert.Equal("77", await place.Ask<string>("SELECT subject FROM connections WHERE connection = 'github'"));
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
    }

    [Fact]
    public async Task A_confirmed_address_connects_to_the_account_that_has_it_and_its_owner_is_told()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await place.SignedUp(Email);
        await providers.Be("google-1", "ADA@Example.Test");

        Assert.Equal("/console", (await place.Browser().SignInWith("google")).Location);

        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
        Assert.Equal(("sign-in-changed", Email), (await place.Mails()).Select(mail => (mail.Template, mail.To)).Last());
        Assert.Equal("/console", (await place.Browser().SignIn(Email, PeoplePlace.Password)).Location);
    }

    [Fact]
    public async Task A_sign_up_that_waits_ends_and_its_password_opens_nothing()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await place.Browser().SignUp(Email, PeoplePlace.Password);
        var link = await place.Link(Email);
        await providers.Be("google-1", Email);

        Assert.Equal("/console", (await place.Browser().SignInWith("google")).Location);

        Assert.Equal(410, (await place.Browser().Get(link)).Status);
        Assert.Equal(401, (await place.Browser().SignIn(Email, PeoplePlace.Password)).Status);
        await place.Browser().Fill("/forgot", ("email", Email));
        var reset = place.Browser();
        var page = await reset.Get(await place.Link(Email));
        Assert.Equal("/sign-in?done=reset", (await reset.Send(page, "/reset", ("password", "quite another one"))).Location);
        Assert.Equal("/console", (await place.Browser().SignIn(Email, "quite another one")).Location);
    }

    [Theory]
    [InlineData("google", false, "is not confirmed at Google")]
    [InlineData("google", null, "told us no e-mail address")]
    [InlineData("github", false, "is not confirmed at GitHub")]
    [InlineData("github", null, "told us no e-mail address")]
    public async Task An_address_that_is_not_confirmed_or_missing_opens_nothing_and_makes_nothing(
        string provider, bool? isVerified, string told)
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await place.SignedUp(Email);
        await providers.Be("google-1", isVerified is null ? null : Email, isVerified);
        await providers.BeAtGithub(1, "Ada", isVerified is null ? [("a@example.test", false, true)] : [(Email, true, false)]);
        var browser = place.Browser();

        var page = await browser.SignInWith(provider);

        await Refused(place, browser, page, 403, told, people: 1);
        Assert.Single(await place.Audit(), row => row.Action == "sign_in.refuse" && row.Reason == provider);
    }

    [Fact]
    public async Task Who_is_disabled_is_refused_with_an_account_elsewhere_too()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", Email);
        await place.Browser().SignInWith("google");
        await place.SetDisabled(Email, true);

        foreach (var subject in new[] { "google-1", "google-2" })
        {
            await providers.Be(subject, Email);
            var browser = place.Browser();
            var page = await browser.SignInWith("google");
            Assert.Equal((400, false), (page.Status, browser.IsSignedIn));
        }

        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM connections"));
    }

    [Fact]
    public async Task Who_says_no_there_is_told_so_and_nothing_has_changed()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", Email, denies: true);
        var browser = place.Browser();

        await Refused(place, browser, await browser.SignInWith("google"), 400, "You did not let Google tell us who you are");
    }

    [Fact]
    public async Task A_state_is_good_once_in_the_browser_that_began_and_for_a_quarter_of_an_hour()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", Email);
        var (browser, other) = (place.Browser(), place.Browser());
        var back = await ProviderVisit.Approve(await browser.Begin("google"));
        await other.Begin("google");

        await Refused(place, other, await other.Get(back), 400, "begun in another browser");
        var tampered = back.Replace("state=", "state=x", StringComparison.Ordinal);
        await Refused(place, browser, await browser.Get(tampered), 400, "begin again");
        await Refused(place, browser, await browser.Get("/sign-in/google/callback"), 400, "begin again");
        var elsewhere = back.Replace("/google/", "/github/", StringComparison.Ordinal);
        await Refused(place, browser, await browser.Get(elsewhere), 400, "begin again");
        Assert.Equal("/console", (await browser.Get(back)).Location);
        var sessions = await place.Ask<long>("SELECT COUNT(*) FROM sessions");
        Assert.Equal(400, (await browser.Get(back)).Status);
        Assert.Equal(sessions, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));

        var late = place.Browser();
        back = await ProviderVisit.Approve(await late.Begin("google"));
        place.Clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal((400, false), ((await late.Get(back)).Status, late.IsSignedIn));
    }

    [Fact]
    public async Task A_code_is_good_once_and_for_the_sign_in_that_it_was_made_for()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", Email);
        var (browser, thief) = (place.Browser(), place.Browser());
        var back = await ProviderVisit.Approve(await browser.Begin("google"));
        var stolen = await ProviderVisit.Approve(await thief.Begin("google"));

        // Put into a sign-in of somebody else's it lacks the verifier (PKCE) that it was made with.
        await Refused(place, thief, await thief.Get(With(stolen, "code", Of(back, "code"))), 400, "begin again");

        back = await ProviderVisit.Approve(await browser.Begin("google"));
        Assert.Equal("/console", (await browser.Get(back)).Location);
        var fresh = place.Browser();
        var again = await ProviderVisit.Approve(await fresh.Begin("google"));
        Assert.Equal((400, false), ((await fresh.Get(With(again, "code", Of(back, "code")))).Status, fresh.IsSignedIn));
    }

    [Theory]
    [InlineData("iss", "https://other.example.test")]
    [InlineData("aud", "another client")]
    [InlineData("azp", "another client")]
    [InlineData("nonce", "another one")]
    [InlineData("sub", "")]
    [InlineData("exp", "1")]
    public async Task An_id_token_that_is_anothers_or_of_another_time_proves_nothing(string claim, string value)
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers, lying: true);
        var claims = new JsonObject { ["email"] = Email, ["email_verified"] = true, ["sub"] = "1" };
        await providers.Lie(claims);
        var honest = place.Browser();
        Assert.Equal("/console", (await honest.SignInWith("google")).Location);
        await place.Run("DELETE FROM connections");

        claims[claim] = claim == "exp" ? JsonValue.Create(1) : JsonValue.Create(value);
        await providers.Lie(claims);
        var browser = place.Browser();
        await Refused(place, browser, await browser.SignInWith("google"), 400, "Google did not prove who you are", people: 1);
    }

    [Fact]
    public async Task Another_issuer_in_the_answer_or_an_error_of_the_provider_proves_nothing()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", Email);
        var browser = place.Browser();
        var back = await ProviderVisit.Approve(await browser.Begin("google"));
        Assert.Contains("&iss=", back, StringComparison.Ordinal);
        await Refused(place, browser, await browser.Get(With(back, "iss", "https://other.example.test")), 400, "begin again");

        await providers.Tell(new JsonObject { ["api"] = new JsonObject { ["error"] = "bad_verification_code" } });
        await Refused(place, browser, await browser.SignInWith("github"), 400, "GitHub did not prove who you are");
        await providers.Tell(new JsonObject { ["api"] = new JsonObject { ["user"] = new JsonArray(), ["emails"] = "none" } });
        await Refused(place, browser, await browser.SignInWith("github"), 503, "GitHub does not answer as it should");
    }

    [Fact]
    public async Task R19_a_provider_that_is_silent_or_gone_is_waited_for_within_a_bound_and_other_ways_in_work()
    {
        await using var providers = await SignInProviders.Start();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var (port, gone) = (((IPEndPoint)silent.LocalEndpoint).Port, new TcpListener(IPAddress.Loopback, 0));
        gone.Start();
        var gonePort = ((IPEndPoint)gone.LocalEndpoint).Port;
        gone.Dispose();
        await using var place = await PeoplePlace.Start(options: providers.Options(lying: true) with
        {
            GoogleTokenUrl = $"http://127.0.0.1:{port}/token", GithubTokenUrl = $"http://127.0.0.1:{gonePort}/token",
            ConnectionPatience = TimeSpan.FromSeconds(1),
        });
        await place.SignedUp(Email);
        var browser = place.Browser();
        var back = await ProviderVisit.Approve(await browser.Begin("google"));

        var waiting = browser.Get(back);
        Assert.Equal("/console", (await place.Browser().SignIn(Email, PeoplePlace.Password)).Location);
        Assert.False(browser.IsSignedIn);
        var page = await waiting;

        Assert.Equal(503, page.Status);
        Assert.Contains("Google does not answer as it should", page.Text, StringComparison.Ordinal);
        Assert.Equal(503, (await browser.SignInWith("github")).Status);
        Assert.False(browser.IsSignedIn);
        Assert.Equal(5, new GateOptions().ConnectionPatience.TotalSeconds);
    }

    [Fact]
    public async Task Connections_are_listed_told_in_the_export_and_gone_with_the_account()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        var browser = await place.SignedIn(Email);
        await providers.Be("google-1", "elsewhere@example.test", isVerified: false);
        var session = browser.Session;

        var page = await browser.Send(await browser.Get("/account"), "/account/connections/add");
        page = await browser.Get(await ProviderVisit.Approve(ProviderVisit.Where(page)));

        Assert.Equal("/account?done=connected", page.Location);
        Assert.NotEqual(session, browser.Session);
        Assert.Contains("elsewhere@example.test", (await browser.Get("/account")).Text, StringComparison.Ordinal);
        Assert.Contains("\"subject\":\"google-1\"", (await browser.Get("/account/export")).Text, StringComparison.Ordinal);
        Assert.Equal("/console", (await place.Browser().SignInWith("google")).Location);
        await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM connections"));
        await Refused(place, place.Browser(), await place.Browser().SignInWith("google"), 403, "is not confirmed at Google", people: 1);
    }

    [Fact]
    public async Task A_connection_is_made_by_who_began_it_freshly_signed_in_and_is_nobody_elses()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", "eve@example.test");
        await place.Browser().SignInWith("google");
        var browser = await place.SignedIn(Email);

        // Anothers account elsewhere stays the other's.
        Assert.Equal(409, (await Connect()).Status);
        await providers.Be("google-2", null);
        // Begun by one, and somebody else is signed in when the browser comes back.
        var back = await ProviderVisit.Approve(ProviderVisit.Where(await Add()));
        await browser.Send(await browser.Get("/account"), "/sign-out");
        Assert.Equal(403, (await browser.Get(back)).Status);
        await place.SignedUp("bob@example.test");
        await browser.SignIn("bob@example.test", PeoplePlace.Password);
        back = await ProviderVisit.Approve(ProviderVisit.Where(await Add()));
        await browser.Send(await browser.Get("/account"), "/sign-out");
        await browser.SignIn(Email, PeoplePlace.Password);
        Assert.Equal(403, (await browser.Get(back)).Status);
        back = await ProviderVisit.Approve(ProviderVisit.Where(await Add()));
        place.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(403, (await Add()).Status);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM connections"));

        async Task<Page> Add() =>
            await browser.Send(await browser.Get("/account"), "/account/connections/add");

        async Task<Page> Connect() => await browser.Get(await ProviderVisit.Approve(ProviderVisit.Where(await Add())));
    }

    [Fact]
    public async Task A_connection_is_removed_after_a_fresh_sign_in_but_not_the_last_way_in()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        await providers.Be("google-1", Email);
        var (browser, other) = (place.Browser(), place.Browser());
        await browser.SignInWith("google");
        await other.SignInWith("google");

        var page = await Remove("google-1");
        Assert.Equal(409, page.Status);
        Assert.Contains("Set a password first", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await Remove("google-9")).Status);
        place.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(403, (await Remove("google-1")).Status);
        await browser.SignInWith("google");
        await browser.Send(await browser.Get("/account"), "/account/password", ("password", PeoplePlace.Password));
        var session = browser.Session;
        Assert.Equal("/account?done=removed", (await Remove("google-1")).Location);

        Assert.NotEqual(session, browser.Session);
        Assert.Equal(200, (await browser.Get("/account")).Status);
        Assert.Equal(303, (await other.Get("/account")).Status);
        Assert.Equal("sign-in-changed", (await place.Mails())[^1].Template);
        Assert.Single(await place.Audit(), row => row.Action == "connection.remove");

        async Task<Page> Remove(string subject)
        {
            var token = (await browser.Get("/account")).Hidden("/sign-out").Single(field => field.Name == "form_token");
            return await browser.Post("/account/connections/remove", token, ("provider", "google"), ("subject", subject));
        }
    }

    [Fact]
    public async Task Without_a_provider_set_up_there_is_no_button_and_nothing_at_its_paths()
    {
        await using var place = await PeoplePlace.Start();
        var browser = place.Browser();
        var page = await browser.Get("/sign-in");

        Assert.DoesNotContain("Continue with", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Continue with", (await browser.Get("/sign-up")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await browser.Post("/sign-in/google", [.. page.Hidden("/sign-in")])).Status);
        Assert.Equal(404, (await browser.Get("/sign-in/google/callback")).Status);
    }

    [Fact]
    public async Task The_button_stands_on_both_pages_and_sends_to_the_address_that_is_ours_whatever_the_request_says()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await Start(providers);
        var browser = place.Browser();
        Assert.Contains("Continue with Google", (await browser.Get("/sign-up")).Text, StringComparison.Ordinal);
        var page = await browser.Send(await browser.Get("/sign-in"), "/sign-in/google");

        var address = ProviderVisit.Where(page);
        Assert.StartsWith(Uri.EscapeDataString("http://localhost:"), Of(address, "redirect_uri"), StringComparison.Ordinal);
        Assert.Equal(("S256", "code"), (Of(address, "code_challenge_method"), Of(address, "response_type")));
        Assert.DoesNotContain("secret", address, StringComparison.Ordinal);
        var cookie = page.SetCookies.Single();
        Assert.All(
            ["tollgate-oauth-", "; path=/", "; httponly", "; samesite=lax", "; max-age=900"],
            part => Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("http", page.Answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    private async Task<PeoplePlace> Start(SignInProviders providers, DatabaseKind kind = DatabaseKind.Sqlite, bool lying = false)
    {
        var place = await PeoplePlace.Start(kind, postgres, providers.Options(lying));
        await providers.Know(place);
        return place;
    }

    /// <summary>A page that says so, nobody signed in, and nothing in the database that was not there.</summary>
    private static async Task Refused(PeoplePlace place, Browser browser, Page page, int status, string told, int people = 0)
    {
        Assert.True(status == page.Status && page.Text.Contains(told, StringComparison.Ordinal), page.ToString());
        Assert.Contains("href=\"/sign-in\"", page.Text, StringComparison.Ordinal);
        Assert.False(browser.IsSignedIn);
        Assert.Equal(people, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM connections"));
    }

    private static string Of(string address, string name) => address.Split('?', '&').Single(
        part => part.StartsWith($"{name}=", StringComparison.Ordinal))[(name.Length + 1)..];

    private static string With(string address, string name, string value) =>
        address.Replace($"{name}={Of(address, name)}", $"{name}={value}", StringComparison.Ordinal);
}
