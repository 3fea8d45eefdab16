using System.Globalization;
using System.Text;
using Dapper;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W4: links are good for one use and not for long.</summary>
public sealed class LinkTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";
    private const string Other = "a quite different one";

    public static TheoryData<DatabaseKind, string> Kinds
    {
        get
        {
            var cases = new TheoryData<DatabaseKind, string>();
            foreach (var kind in Databases.Both)
            {
                cases.Add(kind, "verify");
                cases.Add(kind, "anew");
                cases.Add(kind, "reset");
                cases.Add(kind, "magic");
                cases.Add(kind, "once");
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task W4_of_fifty_uses_of_one_link_at_once_exactly_one_wins(DatabaseKind kind, string what)
    {
        await using var place = await PeoplePlace.Start(kind, postgres, new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, TrustedProxies = "127.0.0.1",
        });
        var link = await Make(place, what);
        // From one network fewer would come to a hash at a time.
        var browsers = Enumerable.Range(0, 50)
            .Select(i => place.Browser(string.Create(CultureInfo.InvariantCulture, $"198.51.100.{i}"))).ToList();
        var pages = await Task.WhenAll(browsers.Select(browser => browser.Get(link)));
        Assert.All(pages, page => Assert.Equal(200, page.Status));

        var answers = await Task.WhenAll(browsers.Zip(pages, (browser, page) => browser.Send(page, page.Action, Typed(what))));

        Assert.Equal(1, answers.Count(answer => answer.Status == 303));
        // Who types a password for the link is slowed down with all others who do.
        Assert.Equal(49, answers.Count(answer => answer.Status == 410 || (what == "verify" && answer.Status == 429)));
        Assert.Equal(
            what == "once" ? 0 : 1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE email_key = 'ada@example.test'"));
        Assert.Equal(what is "magic" or "once" ? 1 : 0, browsers.Count(browser => browser.IsSignedIn));
    }

    [Theory]
    [InlineData("verify", 24 * 60)]
    [InlineData("anew", 24 * 60)]
    [InlineData("reset", 60)]
    [InlineData("magic", 15)]
    [InlineData("once", 15)]
    public async Task W4_a_link_is_good_to_its_end_and_not_after_it(string what, int minutes)
    {
        await using var place = await PeoplePlace.Start();
        var link = await Make(place, what);

        place.Clock.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromMilliseconds(1));
        var page = await place.Browser().Get(link);
        Assert.Equal(200, page.Status);

        place.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(410, (await place.Browser().Get(link)).Status);
        var browser = place.Browser();
        page = await browser.Get(what == "reset" ? "/forgot" : "/sign-in");
        var token = page.Hidden(page.Action).First();
        var used = await browser.Post(Path(link), [token, ("token", TokenOf(link)), .. Typed(what)]);
        Assert.Equal((410, false), (used.Status, browser.IsSignedIn));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("email")]
    [InlineData("reset")]
    [InlineData("disable")]
    [InlineData("other sessions")]
    public async Task W4_every_link_is_dead_after_another_password_or_address(string change)
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        await browser.Fill("/magic", ("email", Email));
        var magic = await place.Link(Email);
        await browser.Fill("/forgot", ("email", Email));
        var reset = await place.Link(Email);
        var account = await browser.Get("/account");
        await browser.Send(account, "/account/email", ("email", "new@example.test"));
        var moved = await place.Link("new@example.test");

        switch (change)
        {
            case "password":
                await browser.Send(account, "/account/password", ("current", PeoplePlace.Password), ("password", Other));
                break;
            case "email":
                await browser.Press(moved);
                break;
            case "reset":
                await browser.Send(await browser.Get(reset), "/reset", ("password", Other));
                break;
            case "other sessions":
                await browser.Send(account, "/account/sessions/end-others");
                break;
            default:
                await place.SetDisabled(Email, true);
                break;
        }

        foreach (var link in new[] { magic, reset, moved })
        {
            Assert.Equal(410, (await place.Browser().Get(link)).Status);
        }
    }

    [Fact]
    public async Task W4_a_link_names_the_configured_host_whatever_the_request_says_of_itself()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, PublicUrl = "https://console.example.test/",
        });
        var browser = place.Browser();
        browser.Headers.Host = "evil.example.test";
        browser.Headers.Add("X-Forwarded-Host", "evil.example.test");
        // The cookie is for https alone, which the jar keeps to; a proxy in front would send it on.
        var page = await browser.Get("/sign-up");
        var cookie = Assert.Single(page.SetCookies);
        Assert.StartsWith("__Host-tollgate-form=", cookie, StringComparison.Ordinal);
        Assert.Contains("; secure", cookie, StringComparison.Ordinal);
        browser.Headers.Add("Cookie", cookie.Split(';')[0]);
        await browser.Send(page, "/sign-up", ("name", "Ada"), ("email", Email), ("password", PeoplePlace.Password));

        Assert.StartsWith("https://console.example.test/verify?token=", await place.Link(Email), StringComparison.Ordinal);
        Assert.Equal("max-age=31536000", page.Answer.Headers.GetValues("Strict-Transport-Security").Single());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W4_a_link_is_256_bits_and_the_database_has_its_hash_alone(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var token = TokenOf(await Make(place, "magic"));

        Assert.True(token.Length * Math.Log2(62) >= 256);
        var hashes = await place.Gate.Database.Read(async connection =>
            (await connection.QueryAsync<byte[]>("SELECT secret_hash FROM links")).AsList());
        Assert.NotEmpty(hashes);
        Assert.All(hashes, hash =>
        {
            Assert.Equal(32, hash.Length);
            Assert.NotEqual(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(token)), hash);
        });
    }

    [Fact]
    public async Task W4_a_link_of_one_kind_or_with_a_slip_in_it_is_none_of_another_and_looking_uses_nothing_up()
    {
        await using var place = await PeoplePlace.Start();
        var link = await Make(place, "magic");
        var token = TokenOf(link);
        var slip = token[..^1] + (token[^1] == 'a' ? 'b' : 'a');

        foreach (var path in new[]
        {
            $"/verify?token={token}", $"/reset?token={token}", $"/sign-in/once/{token}", $"/magic?token={slip}", "/magic?token=",
            $"/magic?token={token}x", "/reset", "/verify?token=%00",
        })
        {
            Assert.Equal((path, 410), (path, (await place.Browser().Get(path)).Status));
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await place.Browser().Get(link)).Status);
        }

        Assert.Equal("/console", (await place.Browser().Press(link)).Location);
    }

    [Fact]
    public async Task An_address_is_sent_five_mails_an_hour_and_then_blank_ones()
    {
        await using var place = await PeoplePlace.Start();
        await place.SignedUp(Email);
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(200, (await place.Browser().Fill("/magic", ("email", Email))).Status);
        }

        // The first went to confirm the address, which is another kind.
        Assert.Equal([false, false, false, false, false, false, true], (await place.Mails()).Select(mail => mail.IsBlank));
        place.Clock.Advance(TimeSpan.FromHours(1));
        await place.Browser().Fill("/magic", ("email", Email));
        Assert.False((await place.Mails())[^1].IsBlank);
    }

    [Fact]
    public async Task A_network_causes_thirty_mails_an_hour_and_is_told_so()
    {
        await using var place = await PeoplePlace.Start();
        var browser = place.Browser();
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(200, (await browser.Fill("/forgot", ("email", $"nobody{i}@example.test"))).Status);
        }

        Assert.Equal(429, (await browser.Fill("/forgot", ("email", "nobody@example.test"))).Status);
        Assert.Equal(429, (await browser.SignUp("nobody@example.test", PeoplePlace.Password)).Status);
        Assert.Equal(30, (await place.Mails()).Count);
    }

    private static async Task<string> Make(PeoplePlace place, string what)
    {
        if (what == "once")
        {
            return (await place.Gate.Send("POST", "/api/v1/operator/links", RunningGate.RootKey)).String("url");
        }

        if (what is "verify" or "anew")
        {
            await place.Browser().SignUp(Email, PeoplePlace.Password);
            return (await place.Link(Email)).Replace("/verify?", what == "anew" ? "/verify/anew?" : "/verify?", StringComparison.Ordinal);
        }

        await place.SignedUp(Email);
        await place.Browser().Fill(what == "reset" ? "/forgot" : "/magic", ("email", Email));
        return await place.Link(Email);
    }

    private static (string, string)[] Typed(string what) => what switch
    {
        "verify" => [("password", PeoplePlace.Password)],
        "anew" => [("name", "Ada"), ("password", Other)],
        "reset" => [("password", Other)],
        _ => [],
    };

    private static string TokenOf(string link) => link.Split('=', '/')[^1];

    private static string Path(string link) => new Uri(link).AbsolutePath;
}
