using System.Globalization;
using System.Net;
using Tollgate.Engine.Verification;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W2, W15: guessing is slowed down, and nobody is locked out.</summary>
public sealed class TryThrottleTests
{
    private const string Email = "ada@example.test";

    private static readonly ClientNetwork Network = NetworkOf("192.0.2.1");

    [Fact]
    public async Task W2_ten_thousand_tries_over_a_thousand_accounts_from_fifty_addresses_get_few_guesses_and_the_person_gets_in()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, TrustedProxies = "127.0.0.1",
        });
        await place.SignedUp(Email);
        var before = place.Hashes;
        var attackers = Enumerable.Range(0, 50)
            .Select(i => place.Browser(string.Create(CultureInfo.InvariantCulture, $"198.51.100.{i}"))).ToList();
        await Parallel.ForEachAsync(attackers, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (attacker, _) =>
        {
            var page = await attacker.Get("/sign-in");
            var at = attackers.IndexOf(attacker);
            for (var i = 0; i < 200; i++)
            {
                var account = ((at * 200) + i) % 1_000;
                var email = account == 0 ? Email : string.Create(CultureInfo.InvariantCulture, $"person{account}@example.test");
                var answer = await attacker.Send(page, "/sign-in", ("email", email), ("password", $"guess number {i}"));
                Assert.True(answer.Status is 401 or 429, answer.ToString());
            }
        });

        var refused = (await place.Audit()).Where(row => row.Action == "sign_in.refuse").ToList();
        Assert.Equal(50 * TryThrottle.NetworkFree, place.Hashes - before);
        Assert.Equal(place.Hashes - before, refused.Count);
        var ada = refused.Count(row => row.TargetId != "unknown");
        Assert.InRange(ada, 0, 10);
        var person = place.Browser("203.0.113.7");
        await person.Fill("/magic", ("email", Email));
        Assert.Equal("/console", (await person.Press(await place.Link(Email))).Location);
    }

    [Fact]
    public void W2_an_account_gets_ten_tries_at_most_in_a_quarter_of_an_hour_and_one_each_quarter_from_then_on()
    {
        var clock = new ManualClock();
        var throttle = new TryThrottle(clock);
        var (tries, i) = (0, 0);
        for (var second = 0; second < 15 * 60; second++)
        {
            tries += throttle.TryTake("a", NetworkOf($"198.51.100.{i++ % 200}"), out _) ? 1 : 0;
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(tries, 3, 10);
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.True(throttle.TryTake("a", Network, out _));
        Assert.False(throttle.TryTake("a", Network, out var seconds));
        Assert.Equal(900, seconds);
        clock.Advance(TryThrottle.Most - TimeSpan.FromSeconds(1));
        Assert.False(throttle.TryTake("a", Network, out seconds));
        Assert.Equal(1, seconds);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(throttle.TryTake("a", Network, out _));
    }

    [Fact]
    public void A_refused_try_is_not_counted_and_a_right_one_starts_anew()
    {
        var clock = new ManualClock();
        var throttle = new TryThrottle(clock);
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.True(throttle.TryTake("a", Network, out _));
        }

        for (var i = 0; i < 100; i++)
        {
            Assert.False(throttle.TryTake("a", Network, out var seconds));
            Assert.Equal(4, seconds);
        }

        Assert.True(throttle.TryTake("b", Network, out _));
        throttle.Forgive("a", Network);
        Assert.True(throttle.TryTake("a", Network, out _));
    }

    [Fact]
    public void A_network_has_twenty_tries_before_the_first_wait_and_a_whole_prefix_is_one_network()
    {
        var clock = new ManualClock();
        var throttle = new TryThrottle(clock);
        for (var i = 0; i < TryThrottle.NetworkFree; i++)
        {
            Assert.True(throttle.TryTake($"account {i}", NetworkOf($"2001:db8::{i:x}"), out _));
        }

        Assert.False(throttle.TryTake("another", NetworkOf("2001:db8::ffff"), out _));
        Assert.True(throttle.TryTake("another", NetworkOf("2001:db8:0:1::1"), out _));
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.True(throttle.TryTake("another still", NetworkOf("2001:db8::ffff"), out _));
    }

    [Fact]
    public void A_thousand_tries_at_once_are_no_way_around()
    {
        var throttle = new TryThrottle(new ManualClock());
        var taken = 0;
        Parallel.For(0, 1_000, i =>
        {
            if (throttle.TryTake("a", NetworkOf($"198.51.100.{i % 200}"), out _))
            {
                Interlocked.Increment(ref taken);
            }
        });

        Assert.Equal(TryThrottle.AccountFree, taken);
    }

    [Fact]
    public void Places_are_bounded_and_a_newcomer_beyond_takes_the_place_of_what_ends_first()
    {
        var clock = new ManualClock();
        var throttle = new TryThrottle(clock);
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.True(throttle.TryTake("guessed at", Network, out _));
        }

        clock.Advance(TimeSpan.FromSeconds(3));
        for (var i = 0; i < TryThrottle.PlacesMax - 1; i++)
        {
            Assert.True(throttle.TryTake($"account {i}", NetworkOf(new IPAddress(i).ToString()), out _));
        }

        // Came first, but ends last. Each newcomer is counted by itself.
        var taken = Enumerable.Range(0, 1_000).Count(i => throttle.TryTake($"newcomer {i}", NetworkOf($"10.0.0.{i % 200}"), out _));
        Assert.Equal(1_000, taken);
        Assert.False(throttle.TryTake("guessed at", NetworkOf("203.0.113.9"), out _));
    }

    [Fact]
    public void What_ends_makes_room_and_the_oldest_of_what_ends_goes_first()
    {
        var counts = new Counts<string, int>(3, 2);
        counts.Set("long", 1, endsAt: 100, row: 1, now: 0);
        counts.Set("short", 2, endsAt: 50, row: 0, now: 0);
        counts.Set("later", 3, endsAt: 60, row: 0, now: 10);
        counts.Change("short", value => value + 10);
        Assert.Equal((1, 12, 3), (counts.Find("long", 20), counts.Find("short", 20), counts.Find("later", 20)));

        counts.Set("one more", 4, endsAt: 70, row: 0, now: 20);
        Assert.Equal((1, 0, 3), (counts.Find("long", 20), counts.Find("short", 20), counts.Find("later", 20)));
        Assert.Equal(4, counts.Find("one more", 20));
        Assert.Equal((0, 3), (counts.Find("later", 60), counts.Held));

        counts.Set("last", 5, endsAt: 160, row: 0, now: 110);
        Assert.Equal((5, 2), (counts.Find("last", 110), counts.Held));
    }

    [Fact]
    public void One_site_with_all_its_networks_does_not_stop_everybody_elses_tries()
    {
        var throttle = new TryThrottle(new ManualClock());
        var taken = Enumerable.Range(0, 65_536).Count(i => throttle.TryTake($"account {i}", NetworkOf($"2001:db8:7:{i:x}::1"), out _));

        Assert.Equal(TryThrottle.SiteFree, taken);
        Assert.True(throttle.TryTake("another", NetworkOf("2001:db8:8::1"), out _));
    }

    [Fact]
    public void A_known_device_is_counted_by_itself_and_a_try_that_was_none_is_given_back()
    {
        var clock = new ManualClock();
        var throttle = new TryThrottle(clock);
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.True(throttle.TryTake("a", Network, out _));
        }

        Assert.False(throttle.TryTake("a", NetworkOf("203.0.113.9"), out _));
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.True(throttle.TryTake("a", Network, out _, "own"));
        }

        Assert.False(throttle.TryTake("a", Network, out _, "own"));
        throttle.Forgive("a", Network, "own");
        Assert.True(throttle.TryTake("a", Network, out _, "own"));
        Assert.False(throttle.TryTake("a", NetworkOf("203.0.113.9"), out _));
        throttle.GiveBack("a", Network);
        Assert.True(throttle.TryTake("a", NetworkOf("203.0.113.9"), out _));
        Assert.False(throttle.TryTake("a", NetworkOf("203.0.113.9"), out _));
    }

    [Fact]
    public async Task W2_strangers_who_guess_and_ask_for_mails_keep_the_owner_out_of_nothing_on_a_device_of_the_owners()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, TrustedProxies = "127.0.0.1",
        });
        var owner = await place.SignedIn(Email);
        await owner.Send(await owner.Get("/account"), "/sign-out");
        Assert.False(owner.IsSignedIn);
        await place.SignedUp("eve@example.test");
        var stranger = place.Browser("198.51.100.1");
        await stranger.SignIn("eve@example.test", PeoplePlace.Password);
        await stranger.Send(await stranger.Get("/account"), "/sign-out");
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.Equal(401, (await stranger.SignIn(Email, "not the right one")).Status);
        }

        for (var i = 0; i < MailThrottle.PerAddress + 1; i++)
        {
            Assert.Equal(200, (await stranger.Fill("/magic", ("email", Email))).Status);
        }

        Assert.Equal((MailThrottle.PerAddress, 1), await Magics());
        // Whose own account knows a browser is a stranger to others.
        Assert.Equal(429, (await stranger.SignIn(Email, PeoplePlace.Password)).Status);
        Assert.Equal(429, (await place.Browser("203.0.113.7").SignIn(Email, PeoplePlace.Password)).Status);

        Assert.Equal("/console", (await owner.SignIn(Email, PeoplePlace.Password)).Location);
        await owner.Send(await owner.Get("/account"), "/sign-out");
        Assert.Equal(200, (await owner.Fill("/magic", ("email", Email))).Status);
        Assert.Equal((MailThrottle.PerAddress + 1, 1), await Magics());
        await place.Browser("203.0.113.7").Fill("/forgot", ("email", Email));
        Assert.Contains(await place.Mails(), mail => mail is { To: Email, IsBlank: false, Template: "reset-password" });

        // A known device is slowed down as well.
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.Equal(401, (await owner.SignIn(Email, "not the right one")).Status);
        }

        Assert.Equal(429, (await owner.SignIn(Email, PeoplePlace.Password)).Status);

        async Task<(int, int)> Magics()
        {
            var all = (await place.Mails()).Where(mail => mail.To == Email && mail.Template == "magic-link").ToList();
            return (all.Count(mail => !mail.IsBlank), all.Count(mail => mail.IsBlank));
        }
    }

    [Fact]
    public async Task A_device_is_known_by_a_cookie_of_ours_alone()
    {
        await using var place = await PeoplePlace.Start();
        var owner = await place.SignedIn(Email);
        var cookie = owner.Jar.GetAllCookies().Single(one => one.Name == "tollgate-device");
        Assert.True(cookie.HttpOnly);
        var forged = place.Browser();
        forged.Jar.Add(new Cookie("tollgate-device", cookie.Value[..^1] + (cookie.Value[^1] == '0' ? '1' : '0'), "/", cookie.Domain));
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.Equal(401, (await forged.SignIn(Email, "not the right one")).Status);
        }

        Assert.Equal(429, (await place.Browser().SignIn(Email, PeoplePlace.Password)).Status);
        Assert.Equal(429, (await forged.SignIn(Email, PeoplePlace.Password)).Status);
        // Who signs in on a known device keeps it, under the same name.
        var page = await owner.SignIn(Email, PeoplePlace.Password);
        Assert.Equal("/console", page.Location);
        var set = page.SetCookies.Single(one => one.StartsWith("tollgate-device=", StringComparison.Ordinal));
        Assert.Contains("; max-age=31536000;", set, StringComparison.Ordinal);
        Assert.Equal(cookie.Value, owner.Jar.GetAllCookies().Single(one => one.Name == "tollgate-device").Value);
    }

    [Fact]
    public async Task W15_what_an_untrusted_peer_says_of_its_address_changes_neither_waits_nor_the_audit_log_nor_the_list_of_sessions()
    {
        await using var place = await PeoplePlace.Start();
        await place.SignedUp(Email);
        for (var i = 0; i < TryThrottle.AccountFree; i++)
        {
            Assert.Equal(401, (await Spoofed(i).SignIn(Email, "not the right one")).Status);
        }

        Assert.Equal(429, (await Spoofed(9).SignIn(Email, PeoplePlace.Password)).Status);
        place.Clock.Advance(TimeSpan.FromSeconds(4));
        var browser = Spoofed(10);
        Assert.Equal("/console", (await browser.SignIn(Email, PeoplePlace.Password)).Location);
        Assert.DoesNotContain("198.51.100.", (await browser.Get("/account")).Text, StringComparison.Ordinal);
        Assert.All(
            (await place.Audit()).Where(row => row.Action is "sign_in.refuse" or "session.begin"),
            row => Assert.Equal("127.0.0.1", row.Address));

        Browser Spoofed(int i) => place.Browser(string.Create(CultureInfo.InvariantCulture, $"198.51.100.{i}"));
    }

    private static ClientNetwork NetworkOf(string address) => ClientNetwork.Of(IPAddress.Parse(address));
}
