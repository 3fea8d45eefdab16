using Microsoft.Playwright;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>
/// What the Tensoras documentation promises of signing in and of keys, as a person at the pages meets it, against
/// <c>providers/tensoras.yaml</c> alone; Google is a real provider of sign-in, GitHub its stand-in.
/// </summary>
public sealed class TensorasRowTests(TensorasRowTests.Place place) : IClassFixture<TensorasRowTests.Place>
{
    private const string Ended = "The link was used, has ended, or is none.";
    private const string Other = "a quite different one";

    [Fact]
    public async Task Sign_up_takes_a_name_an_address_and_8_characters_and_nobody_signs_in_before_the_mails_link_TS1()
    {
        const string email = "ts1@example.test";
        await using var at = await Flow.Of(place.People);
        await at.Open("/sign-up");
        await at.Fill("Name", "Ada Example");
        await at.Fill("E-mail address", email);
        await at.Fill("Password", "7 chars");
        await at.Press("Make an account");
        await at.Page.Locator("#password-fault").WaitForAsync();
        Assert.Contains("8", await at.Page.Locator("#password-fault").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(email, await at.Page.GetByLabel("E-mail address").InputValueAsync());
        Assert.DoesNotContain(await place.People.Mails(), mail => mail.To == email);

        await at.Fill("Password", PeoplePlace.Password);
        await at.Press("Make an account");
        await at.Sees("Look into your mail");
        await at.Follow("Sign in");
        await at.SignIn(email, PeoplePlace.Password);
        await at.Page.Locator(".faults").WaitForAsync();
        await at.Open("/console");
        Assert.Equal("/sign-in", at.Chromium.Here);

        await at.OpenMail(email);
        await at.Fill("Password", PeoplePlace.Password);
        await at.Press("Confirm");
        await at.Sees("Your address is confirmed. Sign in now.");
        await at.SignIn(email, PeoplePlace.Password);
        await at.Sees("Your first request in three steps");
        await IsMe(at, "Ada Example", email);
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task A_forgotten_password_is_replaced_by_a_link_in_a_mail_that_works_once_and_for_an_hour_TS2()
    {
        const string email = "ts2@example.test";
        await place.People.SignedUp(email);
        await using var at = await Flow.Of(place.People);
        await AskReset(at, email);
        place.People.Clock.Advance(TimeSpan.FromMinutes(61));
        await at.OpenMail(email);
        await at.Sees(Ended);

        await AskReset(at, email);
        place.People.Clock.Advance(TimeSpan.FromMinutes(59));
        var link = await place.People.Link(email);
        await at.OpenMail(email);
        await at.Fill("New password", Other);
        await at.Press("Change the password");
        await at.Sees("Your password is changed. Sign in with it now.");
        await at.SignIn(email, PeoplePlace.Password);
        await at.Page.Locator(".faults").WaitForAsync();
        await at.SignIn(email, Other);
        await at.Sees("Overview");

        await at.Open(new Uri(link).PathAndQuery);
        await at.Sees(Ended);
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task Google_signs_in_and_makes_the_account_from_its_profile_where_there_is_none_TS3()
    {
        await place.Providers.Be("google-ts3", "ts3@example.test", name: "Grace Google");
        await using var at = await Flow.Of(place.People);
        await at.Open("/sign-in");
        await at.Press("Continue with Google");
        await at.Sees("Your first request in three steps");
        await IsMe(at, "Grace Google", "ts3@example.test");
        await SignOut(at);

        await at.Press("Continue with Google");
        await at.Sees("Overview");
        Assert.Equal(1, await place.People.Ask<long>("SELECT COUNT(*) FROM people WHERE email_key = 'ts3@example.test'"));
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task GitHub_signs_in_and_makes_the_account_from_its_profile_where_there_is_none_TS4()
    {
        await place.Providers.BeAtGithub(4_004, "Hanna Hub", ("ts4@example.test", true, true));
        await using var at = await Flow.Of(place.People);
        await at.Open("/sign-up");
        await at.Press("Continue with GitHub");
        await at.Sees("Your first request in three steps");
        await IsMe(at, "Hanna Hub", "ts4@example.test");
        await SignOut(at);

        await at.Press("Continue with GitHub");
        await at.Sees("Overview");
        Assert.Equal(1, await place.People.Ask<long>("SELECT COUNT(*) FROM people WHERE email_key = 'ts4@example.test'"));
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task A_link_in_a_mail_signs_in_once_and_for_15_minutes_TS5()
    {
        const string email = "ts5@example.test";
        await place.People.SignedUp(email);
        await using var at = await Flow.Of(place.People);
        await AskMagic(at, email);
        place.People.Clock.Advance(TimeSpan.FromMinutes(16));
        await at.OpenMail(email);
        await at.Sees(Ended);

        await AskMagic(at, email);
        place.People.Clock.Advance(TimeSpan.FromMinutes(14));
        await at.OpenMail(email);
        await at.Sees("Sign in only if it was you who asked for the link.");
        await at.OpenMail(email);
        await at.Press("Sign in");
        await at.Sees("Your first request in three steps");

        await SignOut(at);
        await at.OpenMail(email);
        await at.Sees(Ended);
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task A_key_has_exactly_one_scope_which_is_all_unless_another_is_chosen_TS8()
    {
        await using var at = await Flow.Enter(place.People, "ts8@example.test");
        await at.NewKey("As it is");
        await at.OpenKey("As it is");
        Assert.Equal("all", await at.Fact("Scopes"));

        var secret = await at.NewKey("Only infers", async () =>
        {
            await at.Pick("scopes", "rag");
            await at.Pick("scopes", "inference");
            Assert.Equal(1, await at.Page.Locator("input[name=scopes]:checked").CountAsync());
        });
        await at.OpenKey("Only infers");
        Assert.Equal("inference", await at.Fact("Scopes"));
        Assert.Equal(403, (int)(await place.People.Gate.Send("POST", "/v1/knowledge-bases", secret, "{}")).Status);

        // Two, or none, by a page that was changed.
        await at.AskKey("Two scopes", () => at.Chromium.Run(
            "document.querySelectorAll('[name=scopes]').forEach((one, i) => { one.type = 'checkbox'; one.checked = i < 2; }); ''"));
        await at.Sees("The key was not made.");
        await at.Page.Locator("#scopes-fault").WaitForAsync();
        await at.Open($"{at.Home}/keys");
        Assert.Equal(2, await at.Page.Locator("[aria-label=Keys] tbody tr").CountAsync());
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task A_key_is_made_with_name_and_scope_copied_once_its_usage_seen_and_revoked_at_once_and_for_good_TS10()
    {
        await using var at = await Flow.Enter(place.People, "ts10@example.test");
        var secret = await at.NewKey("My assistant", () => at.Pick("scopes", "inference"));
        Assert.Matches("^tns_[A-Za-z0-9]+$", secret);
        Assert.Equal(secret, await at.Copied());
        var gate = place.People.Gate;
        await gate.Report(await gate.Check(secret, "llama-3.3-70b", 120, 40), 120, 40);

        await at.OpenKey("My assistant");
        Assert.DoesNotContain(secret, await at.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal("just now", await at.Fact("Last used"));
        Assert.Equal(["llama-3.3-70b", "1", "0", "120", "40"], (await at.Row("By model", "llama-3.3-70b")).Take(5));

        await at.Choose("Revoke");
        await at.Sees("Nothing brings it back.");
        await at.Pick("reason", "superseded");
        await at.Press("Revoke this key");
        await at.Sees("My assistant is revoked, for good.");
        Assert.Equal("key_revoked", await gate.CodeOf(secret));
        Assert.Equal(0, await at.Page.Locator(".actions").CountAsync());
        Assert.Equal(["llama-3.3-70b", "1", "0", "120", "40"], (await at.Row("By model", "llama-3.3-70b")).Take(5));
        Assert.Empty(at.Chromium.Complaints);
    }

    private static async Task AskReset(Flow at, string email)
    {
        await at.Open("/sign-in");
        await at.Follow("Forgot your password?");
        await at.Fill("E-mail address", email);
        await at.Press("Send the link");
        await at.Sees("Look into your mail");
    }

    private static async Task AskMagic(Flow at, string email)
    {
        await at.Open("/sign-in");
        await at.Follow("Sign in by a link in a mail");
        await at.Fill("E-mail address", email);
        await at.Press("Send the link");
        await at.Sees("Look into your mail");
    }

    private static async Task IsMe(Flow at, string name, string email)
    {
        await at.Follow("Security");
        await at.Page.GetByRole(AriaRole.Heading, new() { Name = "Security", Exact = true }).WaitForAsync();
        var text = await at.Text();
        Assert.Contains(name, text, StringComparison.Ordinal);
        Assert.Contains(email, text, StringComparison.Ordinal);
    }

    private static async Task SignOut(Flow at)
    {
        await at.Open("/account");
        await at.Press("Sign out");
        await at.Sees("You are signed out.");
    }

    /// <summary>The gate that the tests share, and those who sign people in for it; each test has people of its own.</summary>
    public sealed class Place : IAsyncLifetime
    {
        internal SignInProviders Providers { get; private set; } = null!;

        internal PeoplePlace People { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Providers = await SignInProviders.Start();
            People = await PeoplePlace.Start(options: Providers.Options(), provider: "tensoras");
            await Providers.Know(People);
        }

        public async ValueTask DisposeAsync()
        {
            await People.DisposeAsync();
            await Providers.DisposeAsync();
        }
    }
}
