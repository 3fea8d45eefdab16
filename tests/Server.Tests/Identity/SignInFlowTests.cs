using System.Buffers.Binary;
using System.Net;
using System.Text.Json;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>Signing up, in and out, and the ways back in, as a person at a browser goes them.</summary>
public sealed class SignInFlowTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";
    private const string Other = "a quite different one";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Who_signs_up_confirms_the_address_and_signs_in_has_an_organization_and_a_project(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = place.Browser();

        var page = await browser.SignUp(Email, PeoplePlace.Password, "Ada <b>Lovelace</b> \U0001F600");
        Assert.Contains("Look into your mail", page.Text, StringComparison.Ordinal);
        Assert.Equal(("verify-email", 1), ((await place.Mails())[0].Template, (await place.Mails()).Count));

        page = await browser.SignIn(Email, PeoplePlace.Password);
        Assert.Equal((401, false), (page.Status, browser.IsSignedIn));
        page = await browser.Confirm(await place.Link(Email));
        Assert.Equal("/sign-in?done=verified", page.Location);
        page = await browser.SignIn("ADA@Example.TEST", PeoplePlace.Password);
        Assert.Equal("/console", page.Location);

        page = await browser.Get("/account");
        Assert.DoesNotContain("<b>", page.Text, StringComparison.Ordinal);
        Assert.Contains("Ada <b>Lovelace</b> \U0001F600", WebUtility.HtmlDecode(page.Text), StringComparison.Ordinal);
        Assert.Equal(2, await place.Ask<long>("SELECT COUNT(*) FROM organizations"));
        Assert.Equal(1, await place.Ask<long>(
            """
            SELECT COUNT(*) FROM people p JOIN organizations o ON o.id = p.organization_id JOIN projects j
            ON j.organization_no = o.organization_no WHERE p.email_key = 'ada@example.test' AND o.is_operator = 0
            """));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_forgotten_password_is_replaced_by_a_link_which_ends_every_session_and_is_told_by_mail(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var before = await place.SignedIn(Email);
        var browser = place.Browser();

        await browser.Fill("/forgot", ("email", Email));
        var link = await place.Link(Email);
        var page = await browser.Get(link);
        page = await browser.Send(page, "/reset", ("password", "short"));
        Assert.Equal(422, page.Status);
        page = await browser.Send(page, "/reset", ("password", Email));
        Assert.Equal(422, page.Status);
        page = await browser.Send(page, "/reset", ("password", Other));
        Assert.Equal("/sign-in?done=reset", page.Location);

        Assert.Equal("/sign-in", (await before.Get("/account")).Location);
        Assert.Equal(401, (await browser.SignIn(Email, PeoplePlace.Password)).Status);
        Assert.Equal("/console", (await browser.SignIn(Email, Other)).Location);
        Assert.Equal("password-changed", (await place.Mails())[^1].Template);
        Assert.Equal(410, (await browser.Get(link)).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_confirmed_address_has_the_password_of_the_sign_up_whose_link_was_used_and_no_other(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var (stranger, browser) = (place.Browser(), place.Browser());
        await stranger.SignUp("ADA@example.test", "the stranger chose it", "Stranger");
        var first = await place.Link("ADA@example.test");
        await browser.SignUp(Email, PeoplePlace.Password, "Ada");
        await stranger.SignUp("Ada@example.test", "the stranger again", "Stranger");
        var third = await place.Link("Ada@example.test");
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM organizations"));

        Assert.Equal("/sign-in?done=verified", (await browser.Confirm(await place.Link(Email))).Location);

        Assert.Equal(401, (await stranger.SignIn(Email, "the stranger chose it")).Status);
        Assert.Equal(401, (await stranger.SignIn(Email, "the stranger again")).Status);
        Assert.Equal("/console", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
        // As the mail had it that was answered, not as a stranger wrote it.
        Assert.Equal(Email, await place.Ask<string>("SELECT email FROM people WHERE is_operator = 0"));
        Assert.Equal("Ada", await place.Ask<string>("SELECT name FROM people WHERE is_operator = 0"));
        Assert.Equal(410, (await stranger.Get(first)).Status);
        Assert.Equal(410, (await stranger.Get(third)).Status);
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM links WHERE password_hash IS NOT NULL"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_link_by_mail_signs_in_who_has_an_account_and_a_sign_up_that_waits_is_none(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = place.Browser();
        await browser.SignUp(Email, PeoplePlace.Password);
        var first = await place.Link(Email);
        foreach (var path in new[] { "/magic", "/forgot" })
        {
            Assert.Equal(200, (await browser.Fill(path, ("email", Email))).Status);
            Assert.True((await place.Mails())[^1].IsBlank);
        }

        await browser.Confirm(first);
        await browser.Fill("/magic", ("email", Email));
        var link = await place.Link(Email);
        Assert.Contains("/magic?token=", link, StringComparison.Ordinal);
        Assert.Equal("/console", (await browser.Press(link)).Location);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_sign_up_makes_nobody_once_the_address_has_become_another_persons(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn("other@example.test");
        await place.Browser().SignUp(Email, PeoplePlace.Password);
        var first = await place.Link(Email);
        var late = place.Browser();
        var page = await late.Get(first);
        await browser.Send(await browser.Get("/account"), "/account/email", ("email", Email));
        await browser.Press(await place.Link(Email));

        Assert.Equal(410, (await place.Browser().Get(first)).Status);
        Assert.Equal(410, (await late.Send(page, page.Action, ("password", PeoplePlace.Password))).Status);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE is_operator = 0"));
        Assert.Equal(2, await place.Ask<long>("SELECT COUNT(*) FROM organizations"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Signing_out_ends_the_session_and_not_only_the_cookie(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn(Email);
        var cookie = browser.Session;

        var page = await browser.Send(await browser.Get("/account"), "/sign-out");
        Assert.Equal(("/sign-in?done=out", false), (page.Location, browser.IsSignedIn));

        browser.Headers.Add("Cookie", $"tollgate={cookie}");
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Another_password_needs_the_present_one_ends_other_sessions_and_gives_this_one_a_new_id(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn(Email);
        var other = place.Browser();
        await other.SignIn(Email, PeoplePlace.Password);
        var cookie = browser.Session;
        var account = await browser.Get("/account");

        var page = await browser.Send(account, "/account/password", ("current", "not the present one"), ("password", Other));
        Assert.Equal(401, page.Status);
        Assert.Contains("not your present password", page.Text, StringComparison.Ordinal);
        page = await browser.Send(account, "/account/password", ("current", PeoplePlace.Password), ("password", "12345678"));
        Assert.Equal(422, page.Status);
        page = await browser.Send(account, "/account/password", ("current", PeoplePlace.Password), ("password", Other));
        Assert.Equal("/account?done=password", page.Location);

        Assert.NotEqual(cookie, browser.Session);
        Assert.Equal(200, (await browser.Get("/account")).Status);
        Assert.Equal("/sign-in", (await other.Get("/account")).Location);
        Assert.Equal("/account", (await other.SignIn(Email, Other)).Location);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Another_address_counts_from_when_its_link_is_used_and_the_one_before_is_told(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        await place.SignedUp("taken@example.test");
        var browser = await place.SignedIn(Email);
        var account = await browser.Get("/account");

        await browser.Send(account, "/account/email", ("email", "Taken@example.test"));
        Assert.True((await place.Mails())[^1].IsBlank);
        Assert.Equal(422, (await browser.Send(account, "/account/email", ("email", "no address"))).Status);
        var page = await browser.Send(account, "/account/email", ("email", "new@example.test"));
        Assert.Equal("/account?done=email", page.Location);
        Assert.Contains(Email, (await browser.Get("/account")).Text, StringComparison.Ordinal);

        page = await browser.Press(await place.Link("new@example.test"));
        Assert.Equal("/sign-in?done=verified", page.Location);
        Assert.Equal((Email, "email-changed"), ((await place.Mails())[^1].To, (await place.Mails())[^1].Template));
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        Assert.Equal(401, (await browser.SignIn(Email, PeoplePlace.Password)).Status);
        Assert.Equal("/account", (await browser.SignIn("new@example.test", PeoplePlace.Password)).Location);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_link_to_another_address_works_in_a_session_of_its_own_person_alone(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var stranger = await place.SignedIn("other@example.test");
        var browser = await place.SignedIn(Email);
        await browser.Send(await browser.Get("/account"), "/account/email", ("email", "new@example.test"));
        var link = await place.Link("new@example.test");

        foreach (var other in new[] { stranger, place.Browser() })
        {
            var page = await other.Press(link);
            Assert.Equal(403, page.Status);
            Assert.Contains("Sign in to your account in this browser", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal("/sign-in?done=verified", (await browser.Press(link)).Location);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_deleted_account_leaves_no_address_no_way_in_and_no_working_key(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn(Email);
        var project = await place.Ask<string>(
            """
            SELECT j.id FROM people p JOIN organizations o ON o.id = p.organization_id
            JOIN projects j ON j.organization_no = o.organization_no WHERE p.email_key = 'ada@example.test'
            """);
        var secret = await place.Gate.NewSecret(project: project);
        var account = await browser.Get("/account");

        var export = JsonElement.Parse((await browser.Get("/account/export")).Text);
        Assert.Equal(Email, export.GetProperty("email").GetString());
        Assert.Equal(1, export.GetProperty("sessions").GetArrayLength());
        Assert.Contains(export.GetProperty("audit").EnumerateArray(), row => row.GetProperty("action").GetString() == "session.begin");

        Assert.Equal(422, (await browser.Send(account, "/account/delete", ("confirm", "no"))).Status);
        Assert.Equal("/sign-in?done=deleted", (await browser.Send(account, "/account/delete", ("confirm", "delete"))).Location);

        Assert.Equal(401, (await browser.SignIn(Email, PeoplePlace.Password)).Status);
        var verdict = await place.Gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, $"{{\"key\":\"{secret}\"}}");
        Assert.NotEqual("allowed", verdict.String("code"));
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE email IS NOT NULL OR password_hash IS NOT NULL"));
        // The address is free again.
        await place.SignedUp(Email, Other);
    }

    [Fact]
    public async Task The_first_operator_signs_in_by_a_link_once_and_gives_itself_an_address_and_a_password()
    {
        await using var place = await PeoplePlace.Start();
        var made = await place.Gate.Send("POST", "/api/v1/operator/links", RunningGate.RootKey);
        Assert.Equal(201, (int)made.Status);
        var link = made.String("url");
        Assert.StartsWith("http://localhost:", link, StringComparison.Ordinal);
        var browser = place.Browser();

        Assert.Equal("/account", (await browser.Press(link)).Location);
        Assert.Equal(410, (await browser.Get(link)).Status);
        var account = await browser.Get("/account");
        Assert.Contains("operator of this gate", account.Text, StringComparison.Ordinal);
        Assert.Equal(
            "/account?done=password", (await browser.Send(account, "/account/password", ("password", PeoplePlace.Password))).Location);
        // Forms are bound to the session, and another password makes another one.
        Assert.Equal(400, (await browser.Send(account, "/account/email", ("email", "operator@example.test"))).Status);
        account = await browser.Get("/account");
        await browser.Send(account, "/account/email", ("email", "operator@example.test"));
        await browser.Press(await place.Link("operator@example.test"));
        Assert.Equal("/console", (await browser.SignIn("operator@example.test", PeoplePlace.Password)).Location);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people"));
    }

    [Fact]
    public async Task Passwords_are_kept_as_PBKDF2_with_SHA512_of_220000_rounds()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions { LogLevel = "none" });
        await place.SignedIn(Email);

        var hash = Convert.FromBase64String(await place.Ask<string>("SELECT password_hash FROM people WHERE email IS NOT NULL"));
        Assert.Equal(1, hash[0]);
        Assert.Equal(2, BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(1)));
        Assert.Equal(220_000, BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(5)));
        Assert.Equal(8, PasswordRules.LengthMin);
    }

    [Theory]
    [InlineData("", "a@example.test", PeoplePlace.Password, "name")]
    [InlineData("x\u0007", "a@example.test", PeoplePlace.Password, "name")]
    [InlineData("Ada", "a example.test", PeoplePlace.Password, "email")]
    [InlineData("Ada", "a@example.test", "1234567", "password")]
    [InlineData("Ada", "a@example.test", "password1", "password")]
    public async Task What_cannot_be_taken_is_told_beside_its_field_and_nothing_is_half_done(
        string name, string email, string password, string field)
    {
        await using var place = await PeoplePlace.Start();
        var page = await place.Browser().SignUp(email, password, name);

        Assert.Equal(422, page.Status);
        Assert.Contains($"id=\"{field}-fault\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(password, page.Text, StringComparison.Ordinal);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM organizations"));
        Assert.Empty(await place.Mails());
    }

    [Fact]
    public async Task Addresses_that_differ_in_case_are_one_and_one_with_other_letters_is_told_how_to_write_it()
    {
        await using var place = await PeoplePlace.Start();
        var first = place.Browser();
        await first.SignUp("Rene@xn--bcher-kva.example", PeoplePlace.Password);
        await first.Confirm(await place.Link("Rene@xn--bcher-kva.example"));

        await place.Browser().SignUp("RENE@XN--BCHER-KVA.example", "another password for it");

        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE email IS NOT NULL"));
        Assert.Equal("/console", (await place.Browser().SignIn("rene@xn--Bcher-kva.example", PeoplePlace.Password)).Location);
        foreach (var path in new[] { "/sign-up", "/forgot", "/magic" })
        {
            var page = await place.Browser().Fill(
                path, ("name", "Some One"), ("email", "ren\u00E9@b\u00FCcher.example"), ("password", PeoplePlace.Password));
            Assert.Equal((path, 422), (path, page.Status));
            Assert.Contains("Write a domain that has such letters in its xn-- form.", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal(401, (await place.Browser().SignIn("ren\u00E9@b\u00FCcher.example", PeoplePlace.Password)).Status);
    }
}
