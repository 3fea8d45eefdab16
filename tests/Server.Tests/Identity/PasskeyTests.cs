using System.Text.RegularExpressions;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W13: passkeys, in Debian's Chromium with an authenticator that it plays itself.</summary>
public sealed partial class PasskeyTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";
    private const string Press = "document.querySelector('main form button').click(); ''";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W13_a_passkey_is_made_named_used_without_an_address_and_removed(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        await using var chromium = await Chromium.Start();
        var (browser, session) = await Make(place, chromium, "My <b>laptop</b>");

        Assert.Equal("/account?done=passkey", chromium.Here);
        Assert.Contains("My <b>laptop</b>", await chromium.Run("document.querySelector('main').innerText"), StringComparison.Ordinal);
        Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
        Assert.Contains(await place.Mails(), mail => mail is { Template: "sign-in-changed", To: Email });

        await chromium.ForgetCookies();
        await chromium.Open(Url(place, "/sign-in/passkey"));
        await chromium.Leave(Press);
        Assert.StartsWith("/console/prj_", chromium.Here, StringComparison.Ordinal);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM sessions WHERE method = 'passkey'"));
        Assert.True(await place.Ask<long>("SELECT sign_count FROM passkeys") > 1);
        Assert.Empty(chromium.Complaints);

        await chromium.Open(Url(place, "/account"));
        await chromium.Leave("document.querySelector('form[action=\"/account/passkeys/remove\"] button').click(); ''");
        Assert.Equal("/account?done=removed", chromium.Here);
        await chromium.ForgetCookies();
        await chromium.Open(Url(place, "/sign-in/passkey"));
        await chromium.Leave(Press);
        Assert.Equal("/sign-in/passkey", chromium.Here);
        Assert.Contains("The passkey proved nothing here", await chromium.Run("document.body.innerText"), StringComparison.Ordinal);
        Assert.Equal(
            ["passkey.add", "passkey.remove"],
            (await place.Audit()).Select(row => row.Action).Where(action => action.StartsWith("passkey.", StringComparison.Ordinal)));
        Assert.NotNull(session);
    }

    [Fact]
    public async Task W2_while_strangers_keep_an_account_at_its_longest_wait_its_owner_enters_by_a_passkey_without_a_second_step()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        await Make(place, chromium, "Laptop");
        await place.Run("INSERT INTO authenticators (person_no, secret, last_step, created_at_ms) "
            + "SELECT person_no, stamp, 1, 1 FROM people WHERE is_operator = 0");
        for (var i = 0; i < TryThrottle.NetworkFree + 5; i++)
        {
            await place.Browser().SignIn(Email, "not the right one");
        }

        Assert.Equal(429, (await place.Browser().SignIn(Email, PeoplePlace.Password)).Status);
        await chromium.ForgetCookies();
        await chromium.Open(Url(place, "/sign-in/passkey"));
        await chromium.Leave(Press);
        Assert.StartsWith("/console/prj_", chromium.Here, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_good_once_for_ten_minutes_and_for_who_may_sign_in()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        await Make(place, chromium, "Laptop");
        await chromium.ForgetCookies();

        var answer = await Answer();
        Assert.Equal("/console", (await Send(answer)).Location);
        Assert.Equal(401, (await Send(answer)).Status);
        answer = await Answer();
        var forged = answer.Credential.Replace("\"signature\":\"", "\"signature\":\"AAAA", StringComparison.Ordinal);
        Assert.NotEqual(answer.Credential, forged);
        Assert.Equal(401, (await Send((answer.State, forged))).Status);
        var tampered = answer.State[..^2] + (answer.State.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA");
        Assert.Equal(401, (await Send((tampered, answer.Credential))).Status);
        Assert.Equal(401, (await Send((answer.State, "{}"))).Status);
        Assert.Equal(401, (await Send((answer.State, "no JSON"))).Status);
        Assert.Equal(401, (await Send(("", ""))).Status);
        place.Clock.Advance(PasskeyCeremony.Life);
        Assert.Equal(401, (await Send(answer)).Status);
        answer = await Answer();
        await place.SetDisabled(Email, true);
        Assert.Equal(401, (await Send(answer)).Status);
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));

        async Task<(string State, string Credential)> Answer()
        {
            await chromium.Open(Url(place, "/sign-in/passkey"));
            var credential = await chromium.Run(
                """
                navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(
                    JSON.parse(document.querySelector('[data-passkey]').dataset.options)) }).then((one) => JSON.stringify(one))
                """);
            return (await chromium.Run("document.querySelector('main form').elements.state.value"), credential);
        }

        async Task<Page> Send((string State, string Credential) answer)
        {
            var browser = place.Browser();
            var token = (await browser.Get("/sign-in/passkey")).Hidden("/sign-in/passkey").First(field => field.Name == "form_token");
            return await browser.Post("/sign-in/passkey", token, ("state", answer.State), ("credential", answer.Credential));
        }
    }

    [Fact]
    public async Task A_passkey_is_made_after_a_fresh_sign_in_with_a_name_by_who_was_asked()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var browser = await SignedIn(place, chromium);
        await chromium.Open(Url(place, "/account/passkeys/add"));
        var made = await chromium.Run(
            """
            navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(
                JSON.parse(document.querySelector('[data-passkey]').dataset.options)) }).then((one) => JSON.stringify(one))
            """);
        var state = await chromium.Run("document.querySelector('main form').elements.state.value");

        // Another person sends it, with a page of its own.
        var eve = await place.SignedIn("eve@example.test");
        Assert.Equal(401, (await Send(eve, "Laptop")).Status);
        Assert.Equal(422, (await Send(browser, "")).Status);
        Assert.Equal(422, (await Send(browser, new string('n', PasskeyDoor.NameMax + 1))).Status);
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM passkeys"));
        Assert.Equal("/account?done=passkey", (await Send(browser, new string('n', PasskeyDoor.NameMax))).Location);
        Assert.Equal(401, (await Send(browser, "Once more")).Status);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM passkeys"));
        Assert.Contains("\"passkeys\":[{\"id\":", (await browser.Get("/account/export")).Text, StringComparison.Ordinal);

        var page = await browser.Get("/account");
        Assert.Equal(404, (await eve.Post("/account/passkeys/remove",
            (await eve.Get("/account")).Hidden("/sign-out").First(), page.Hidden("/account/passkeys/remove").Last())).Status);
        place.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(403, (await browser.Get("/account/passkeys/add")).Status);
        Assert.Equal(403, (await browser.Send(page, "/account/passkeys/remove")).Status);
        await browser.SignIn(Email, PeoplePlace.Password);
        await place.Run("UPDATE people SET password_hash = NULL WHERE email_key = 'ada@example.test'");
        Assert.Equal(409, (await browser.Send(await browser.Get("/account"), "/account/passkeys/remove")).Status);
        await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM passkeys"));

        async Task<Page> Send(Browser from, string name)
        {
            var token = (await from.Get("/account")).Hidden("/sign-out").First(field => field.Name == "form_token");
            return await from.Post("/account/passkeys/add", token, ("state", state), ("credential", made), ("name", name));
        }
    }

    [Fact]
    public async Task Only_the_pages_of_passkeys_run_a_script_which_is_a_file_of_ours()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        foreach (var path in new[] { "/sign-in/passkey", "/account/passkeys/add" })
        {
            var page = await browser.Get(path);
            var policy = page.Answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.EndsWith("; script-src 'self'", policy, StringComparison.Ordinal);
            var script = Script().Match(page.Text);
            Assert.Equal("", script.Groups["inline"].Value);
            var file = await browser.Get(script.Groups["src"].Value);
            Assert.Equal((200, "text/javascript"), (file.Status, file.Answer.Content.Headers.ContentType?.MediaType));
            Assert.Contains("<noscript>", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task At_an_address_of_numbers_it_is_said_that_passkeys_need_a_name()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, PublicUrl = "http://127.0.0.1:8700",
        });

        var page = await place.Browser().Get("/sign-in/passkey");

        Assert.Equal(409, page.Status);
        Assert.Contains("open this page by a name", page.Text, StringComparison.Ordinal);
    }

    private static string Url(PeoplePlace place, string path) => $"http://localhost:{new Uri(place.Gate.Address).Port}{path}";

    /// <summary>Somebody at a browser of the test, and in Chromium by the same cookie.</summary>
    private static async Task<Browser> SignedIn(PeoplePlace place, Chromium chromium)
    {
        var browser = await place.SignedIn(Email);
        await chromium.SetCookie(Url(place, "/"), "tollgate", browser.Session!);
        return browser;
    }

    private static async Task<(Browser Browser, string? Session)> Make(PeoplePlace place, Chromium chromium, string name)
    {
        var browser = await SignedIn(place, chromium);
        await chromium.Open(Url(place, "/account/passkeys/add"));
        await chromium.Run($"document.querySelector('main form').elements.name.value = '{name}'; ''");
        await chromium.Leave(Press);
        Assert.True(chromium.Here == "/account?done=passkey", await chromium.Run("document.body.innerText"));
        return (browser, browser.Session);
    }

    [GeneratedRegex("<script type=\"module\" src=\"(?<src>[^\"]+)\">(?<inline>.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Script();
}
