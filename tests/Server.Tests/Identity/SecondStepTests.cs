using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W13: a second step by an app's codes, each good once, and recovery codes.</summary>
public sealed partial class SecondStepTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";

    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_the_standard(long seconds, string code)
    {
        var secret = Encoding.ASCII.GetBytes("12345678901234567890");

        Assert.Equal(code, TimeCode.At(secret, seconds / 30));
        Assert.Equal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", TimeCode.Text(secret));
        Assert.Equal(seconds / 30, TimeCode.Match(secret, code, seconds * 1_000));
    }

    [Fact]
    public void A_code_of_the_span_before_or_after_is_taken_and_none_further_away()
    {
        var secret = TimeCode.NewSecret();
        const long step = 50_000_000;
        foreach (var away in new[] { -2, -1, 0, 1, 2 })
        {
            Assert.Equal(
                Math.Abs(away) < 2 ? step + away : (long?)null,
                TimeCode.Match(secret, TimeCode.At(secret, step + away), step * 30_000));
        }

        Assert.Null(TimeCode.Match(secret, "", step * 30_000));
    }

    [Fact]
    public void A_recovery_code_is_read_however_it_is_typed()
    {
        var code = RecoveryCode.New();
        Assert.Matches("^[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}$", code);
        var plain = code.Replace("-", "", StringComparison.Ordinal);
        Assert.All(
            [code, plain, $" {code.ToUpperInvariant()} ", code.Replace('-', ' ')], one => Assert.Equal(plain, RecoveryCode.Read(one)));
        Assert.All(["", plain[1..], plain + "a", plain[1..] + "1", "123456"], one => Assert.Null(RecoveryCode.Read(one)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W13_of_fifty_who_use_a_code_at_once_one_finds_it(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var (_, secret, codes) = await SetUp(place);
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        var book = place.Gate.Services.GetRequiredService<SecondStepBook>();
        var id = await place.Ask<string>("SELECT id FROM people WHERE is_operator = 0");

        foreach (var (code, by) in new[] { (CodeOf(secret, place), "totp"), (codes[0], "recovery") })
        {
            var found = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => place.Gate.Database.Write<string>(async scope =>
                await book.Prove(scope, (await PersonSql.Find(scope.Connection, scope.Transaction, id))!, code) ?? "none")));
            Assert.Equal(1, found.Count(one => one.Value == by));
            Assert.Equal(49, found.Count(one => one.Value == "none"));
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W13_a_code_that_was_used_and_one_before_it_are_refused_and_the_next_span_has_another(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var (_, secret, _) = await SetUp(place);

        // The code that set it up is used.
        Assert.Equal(401, (await SignIn(place, CodeOf(secret, place))).Status);
        Assert.Equal(401, (await SignIn(place, CodeOf(secret, place, -1))).Status);
        Assert.Equal("/console", (await SignIn(place, CodeOf(secret, place, 1))).Location);
        Assert.Equal(401, (await SignIn(place, CodeOf(secret, place, 1))).Status);
        place.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("/console", (await SignIn(place, CodeOf(secret, place))).Location);
        Assert.Contains(await place.Audit(), row => row.Action == "sign_in.refuse" && row.Reason == "second step");
        Assert.Contains(await place.Audit(), row => row.Action == "sign_in.first_step" && row.Reason == "password");
        Assert.Contains(await place.Audit(), row => row.Action == "session.begin"
            && row.AfterJson!.Contains("totp\"", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W13_ten_recovery_codes_are_shown_once_kept_as_hashes_and_each_is_good_once(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var (browser, secret, codes) = await SetUp(place);
        Assert.Equal(10, codes.Distinct().Count());
        var account = await browser.Get("/account");
        Assert.Contains("Recovery codes left: 10.", account.Text, StringComparison.Ordinal);
        Assert.All(codes, code => Assert.DoesNotContain(code, account.Text, StringComparison.Ordinal));

        Assert.Equal("/console", (await SignIn(place, codes[3].ToUpperInvariant())).Location);
        Assert.Equal("sign-in-changed", (await place.Mails())[^1].Template);
        Assert.Equal(401, (await SignIn(place, codes[3])).Status);
        Assert.Equal("/console", (await SignIn(place, codes[4])).Location);
        Assert.Contains("Recovery codes left: 8.", (await browser.Get("/account")).Text, StringComparison.Ordinal);

        var page = await browser.Send(await browser.Get("/account"), "/account/second/codes");
        var others = CodesIn(page);
        Assert.Equal(10, others.Count);
        Assert.Equal(401, (await SignIn(place, codes[5])).Status);
        Assert.Equal("/console", (await SignIn(place, others[0])).Location);
        Assert.Equal(9, await place.Ask<long>("SELECT COUNT(*) FROM recovery_codes"));

        // At rest there is neither a code nor the secret of the app.
        var hash = kind == DatabaseKind.Sqlite ? "hex(code_hash)" : "encode(code_hash, 'hex')";
        Assert.Equal(64, (await place.Ask<string>($"SELECT {hash} FROM recovery_codes LIMIT 1")).Length);
        var kept = await place.Ask<byte[]>("SELECT secret FROM authenticators");
        Assert.Equal(-1, kept.AsSpan().IndexOf(secret));
    }

    [Fact]
    public async Task Every_way_to_sign_in_asks_for_the_second_step_and_none_has_a_session_before()
    {
        await using var providers = await SignInProviders.Start();
        await using var place = await PeoplePlace.Start(options: providers.Options());
        await providers.Know(place);
        var (owner, secret, _) = await SetUp(place);
        await providers.Be("google-1", Email);
        // Who has the mailbox has not the second step, and gets no way in that stays.
        var refused = await place.Browser().SignInWith("google");
        Assert.Equal(400, refused.Status);
        Assert.Contains("asks for a second step", refused.Text, StringComparison.Ordinal);
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM connections"));
        var adding = await owner.Send(await owner.Get("/account"), "/account/connections/add");
        Assert.Equal(
            "/account?done=connected", (await owner.Get(await ProviderVisit.Approve(ProviderVisit.Where(adding)))).Location);
        var sessions = await place.Ask<long>("SELECT COUNT(*) FROM sessions");

        foreach (var method in new[] { "password", "magic", "google" })
        {
            var browser = place.Browser();
            if (method == "magic")
            {
                await browser.Fill("/magic", ("email", Email));
            }

            var page = method == "password" ? await browser.SignIn(Email, PeoplePlace.Password)
                : method == "magic" ? await browser.Press(await place.Link(Email))
                : await browser.SignInWith("google");
            Assert.Equal((method, "/sign-in/second", false), (method, page.Location, browser.IsSignedIn));
            Assert.Equal("/sign-in", (await browser.Get("/account")).Location);
            Assert.Equal(sessions, await place.Ask<long>("SELECT COUNT(*) FROM sessions"));

            place.Clock.Advance(TimeSpan.FromMinutes(1));
            page = await browser.Fill("/sign-in/second", ("code", CodeOf(secret, place)));
            Assert.Equal((method, "/account", true), (method, page.Location, browser.IsSignedIn));
            Assert.DoesNotContain(browser.Jar.GetAllCookies(), cookie => cookie.Name == "tollgate-second" && cookie.Value.Length > 0);
            sessions++;
        }
    }

    [Fact]
    public async Task W5_the_session_after_the_second_step_is_new_and_the_one_before_it_is_over()
    {
        await using var place = await PeoplePlace.Start();
        var (browser, secret, _) = await SetUp(place);
        var before = browser.Session;
        place.Clock.Advance(TimeSpan.FromMinutes(1));

        await browser.SignIn(Email, PeoplePlace.Password);
        Assert.Equal(before, browser.Session);
        await browser.Fill("/sign-in/second", ("code", CodeOf(secret, place)));

        Assert.NotEqual(before, browser.Session);
        var old = place.Browser();
        old.Jar.Add(new Cookie("tollgate", before, "/", new Uri(place.Gate.Address).Host));
        Assert.Equal("/sign-in", (await old.Get("/account")).Location);
    }

    [Fact]
    public async Task The_step_waits_ten_minutes_in_the_browser_that_began_and_ends_with_the_password_of_before()
    {
        await using var place = await PeoplePlace.Start();
        var (_, secret, _) = await SetUp(place);
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        var browser = place.Browser();
        Assert.Equal("/sign-in", (await browser.Get("/sign-in/second")).Location);
        await browser.SignIn(Email, PeoplePlace.Password);
        var page = await browser.Get("/sign-in/second");
        place.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(410, (await browser.Send(page, "/sign-in/second", ("code", CodeOf(secret, place)))).Status);

        await browser.SignIn(Email, PeoplePlace.Password);
        await place.Browser().Fill("/forgot", ("email", Email));
        var reset = place.Browser();
        await reset.Send(await reset.Get(await place.Link(Email)), "/reset", ("password", "quite another one"));
        Assert.Equal(410, (await browser.Send(page, "/sign-in/second", ("code", CodeOf(secret, place)))).Status);
        Assert.False(browser.IsSignedIn);
    }

    [Fact]
    public async Task W2_wrong_codes_are_slowed_down_by_themselves_and_a_right_password_forgives_none_of_them()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, TrustedProxies = "127.0.0.1",
        });
        var (owner, secret, _) = await SetUp(place);
        await owner.Send(await owner.Get("/account"), "/sign-out");
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        var tried = 0;
        for (var minute = 0; minute < 60; minute++)
        {
            // With the password, from another network each time.
            var thief = place.Browser(string.Create(CultureInfo.InvariantCulture, $"198.51.100.{minute}"));
            Assert.Equal("/sign-in/second", (await thief.SignIn(Email, PeoplePlace.Password)).Location);
            var answer = await thief.Fill("/sign-in/second", ("code", "000000"));
            Assert.True(answer.Status is 401 or 429, answer.ToString());
            tried += answer.Status == 401 ? 1 : 0;
            place.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.InRange(tried, 3, 14);
        // The owner gets in all the same, on a browser that the account knows.
        Assert.Equal("/sign-in/second", (await owner.SignIn(Email, PeoplePlace.Password)).Location);
        Assert.Equal("/console", (await owner.Fill("/sign-in/second", ("code", CodeOf(secret, place)))).Location);
        place.Clock.Advance(TryThrottle.Most);
        var stranger = place.Browser("203.0.113.9");
        await stranger.SignIn(Email, PeoplePlace.Password);
        Assert.Equal("/console", (await stranger.Fill("/sign-in/second", ("code", CodeOf(secret, place)))).Location);
    }

    [Fact]
    public async Task It_is_set_up_and_removed_after_a_fresh_sign_in_and_ends_the_other_sessions()
    {
        await using var place = await PeoplePlace.Start();
        var (browser, other) = (await place.SignedIn(Email), place.Browser());
        await other.SignIn(Email, PeoplePlace.Password);
        var offer = await browser.Get("/account/second");
        Assert.Contains("otpauth://totp/", offer.Text, StringComparison.Ordinal);
        Assert.Contains("<svg", offer.Text, StringComparison.Ordinal);
        var (session, secret) = (browser.Session, SecretIn(offer));

        var wrong = await browser.Send(offer, "/account/second", ("code", "000000"));
        Assert.Equal(422, wrong.Status);
        Assert.Equal(secret, SecretIn(wrong));
        Assert.Contains("must be the six digits", wrong.Text, StringComparison.Ordinal);
        Assert.Equal(0, await place.Ask<long>("SELECT COUNT(*) FROM authenticators"));
        var made = await browser.Send(wrong, "/account/second", ("code", CodeOf(secret, place)));
        Assert.Equal(10, CodesIn(made).Count);
        Assert.NotEqual(session, browser.Session);
        Assert.Equal("/sign-in", (await other.Get("/account")).Location);
        Assert.Equal(("sign-in-changed", Email), (await place.Mails()).Select(mail => (mail.Template, mail.To)).Last());

        // A second one, another person's offer, and one of before.
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        offer = await browser.Get("/account/second");
        Assert.Equal(409, (await browser.Send(offer, "/account/second", ("code", CodeOf(SecretIn(offer), place)))).Status);
        var eve = await place.SignedIn("eve@example.test");
        var eves = await eve.Get("/account/second");
        var setup = offer.Hidden("/account/second").Single(field => field.Name == "setup");
        var token = eves.Hidden("/account/second").Single(field => field.Name == "form_token");
        Assert.Equal(410, (await eve.Post("/account/second", token, setup, ("code", CodeOf(SecretIn(offer), place)))).Status);

        var page = await browser.Get("/account");
        place.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(403, (await browser.Get("/account/second")).Status);
        Assert.Equal(403, (await browser.Send(page, "/account/second/remove")).Status);
        Assert.Equal(403, (await browser.Send(page, "/account/second/codes")).Status);
        await browser.SignIn(Email, PeoplePlace.Password);
        await browser.Fill("/sign-in/second", ("code", CodeOf(secret, place)));
        Assert.Equal("/account?done=removed", (await browser.Send(await browser.Get("/account"), "/account/second/remove")).Location);
        Assert.Equal(("sign-in-changed", Email), (await place.Mails()).Select(mail => (mail.Template, mail.To)).Last());
        Assert.Equal(0, await place.Ask<long>("SELECT (SELECT COUNT(*) FROM authenticators) + (SELECT COUNT(*) FROM recovery_codes)"));
        Assert.Equal("/console", (await place.Browser().SignIn(Email, PeoplePlace.Password)).Location);
        Assert.Equal(
            ["second_step.add", "second_step.remove"],
            (await place.Audit()).Select(row => row.Action).Where(action => action.StartsWith("second_step.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task It_is_told_in_the_export_gone_with_the_account_and_not_asked_of_the_operators_link()
    {
        await using var place = await PeoplePlace.Start();
        var (browser, _, _) = await SetUp(place);
        var export = (await browser.Get("/account/export")).Text;
        Assert.Contains("\"recovery_codes_left\":10", export, StringComparison.Ordinal);
        await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));
        Assert.Equal(0, await place.Ask<long>("SELECT (SELECT COUNT(*) FROM authenticators) + (SELECT COUNT(*) FROM recovery_codes)"));

        var operators = place.Browser();
        await operators.Press(await OperatorLink());
        var offer = await operators.Get("/account/second");
        await operators.Send(offer, "/account/second", ("code", CodeOf(SecretIn(offer), place)));
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM authenticators"));
        Assert.Equal("/account", (await place.Browser().Press(await OperatorLink())).Location);

        async Task<string> OperatorLink() =>
            (await place.Gate.Send("POST", "/api/v1/operator/links", RunningGate.RootKey)).String("url");
    }

    private static async Task<(Browser Browser, byte[] Secret, List<string> Codes)> SetUp(PeoplePlace place)
    {
        var browser = await place.SignedIn(Email);
        var offer = await browser.Get("/account/second");
        var secret = SecretIn(offer);
        var made = await browser.Send(offer, "/account/second", ("code", CodeOf(secret, place)));
        Assert.True(made.Status == 200, made.ToString());
        return (browser, secret, CodesIn(made));
    }

    /// <summary>On a device that nobody knows.</summary>
    private static async Task<Page> SignIn(PeoplePlace place, string code)
    {
        var browser = place.Browser();
        Assert.Equal("/sign-in/second", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
        return await browser.Fill("/sign-in/second", ("code", code));
    }

    private static string CodeOf(byte[] secret, PeoplePlace place, int away = 0) =>
        TimeCode.At(secret, (place.Clock.NowMs / 30_000) + away);

    private static byte[] SecretIn(Page page)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var bits = string.Concat(Secret().Match(page.Text).Groups["secret"].Value
            .Select(letter => Convert.ToString(alphabet.IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. bits.Chunk(8).Where(eight => eight.Length == 8).Select(eight => Convert.ToByte(new string(eight), 2))];
    }

    private static List<string> CodesIn(Page page) => [.. Codes().Matches(page.Text).Select(code => code.Groups["code"].Value)];

    [GeneratedRegex("Secret: <code>(?<secret>[A-Z2-7]{32})</code>")]
    private static partial Regex Secret();

    [GeneratedRegex("<li><code>(?<code>[a-z0-9-]+)</code>")]
    private static partial Regex Codes();
}
