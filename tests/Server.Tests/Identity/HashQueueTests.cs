using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Problems;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

public sealed class HashQueueTests
{
    [Fact]
    public async Task W2_hashes_leave_half_of_the_processors_and_who_comes_when_too_many_wait_is_told_so()
    {
        using var queue = new HashQueue(new PeopleOptions { HashRounds = 1 });
        using var hasher = new HeldHasher();
        var places = Math.Max(1, Environment.ProcessorCount / 2);
        var all = Enumerable.Range(0, places).Select(i => Hash(1_000 + i)).ToList();
        for (var i = 0; i < places; i++)
        {
            Assert.True(await hasher.Entered.WaitAsync(TimeSpan.FromMinutes(1)));
        }

        all.AddRange(Enumerable.Range(0, HashQueue.WaitingMax).Select(i => Hash(i / HashQueue.WaitingPerNetwork)));
        Assert.DoesNotContain(all, hash => hash.IsCompleted);
        Assert.Equal("unavailable", (await Hash(2_000)).CodeOf());

        hasher.Go.SetResult();
        Assert.All(await Task.WhenAll(all), hash => Assert.Equal("hash", hash.Value));
        Assert.Equal(places, hasher.Most);
        Assert.Equal(places + HashQueue.WaitingMax, queue.Done);

        Task<Outcome<string>> Hash(int network) =>
            queue.Hash(hasher, new Person(), "any", NetworkOf($"10.0.{network / 250}.{network % 250}"));
    }

    [Fact]
    public async Task W2_the_system_gives_way_to_everything_else_while_it_hashes()
    {
        using var queue = new HashQueue(new PeopleOptions { HashRounds = 1 });
        var before = NicenessHasher.Own();
        var hash = await queue.Hash(new NicenessHasher(), new Person(), "any", NetworkOf("192.0.2.1"));

        Assert.Equal(Math.Min(before + 10, 19), int.Parse(hash.Value, CultureInfo.InvariantCulture));
        Assert.Equal(before, NicenessHasher.Own());
    }

    [Fact]
    public async Task W2_one_network_and_one_site_take_a_few_of_the_places_in_the_queue_and_others_come_in()
    {
        using var queue = new HashQueue(new PeopleOptions { HashRounds = 1 });
        using var hasher = new HeldHasher();
        var places = Math.Max(1, Environment.ProcessorCount / 2);
        var all = Enumerable.Range(0, places).Select(i => Hash($"10.0.0.{i}")).ToList();
        all.AddRange(Enumerable.Range(0, HashQueue.WaitingPerNetwork).Select(_ => Hash("192.0.2.1")));
        Assert.Equal("unavailable", (await Hash("192.0.2.1")).CodeOf());
        all.AddRange(Enumerable.Range(0, HashQueue.WaitingPerSite).Select(i => Hash($"2001:db8:7:{i:x}::1")));
        Assert.Equal("unavailable", (await Hash("2001:db8:7:ffff::1")).CodeOf());
        all.Add(Hash("192.0.2.2"));
        all.Add(Hash("2001:db8:8::1"));
        Assert.DoesNotContain(all, hash => hash.IsCompleted);

        hasher.Go.SetResult();
        Assert.All(await Task.WhenAll(all), hash => Assert.Equal("hash", hash.Value));
        // Who has waited waits no more.
        Assert.Equal("hash", (await Hash("192.0.2.1")).Value);

        Task<Outcome<string>> Hash(string address) => queue.Hash(hasher, new Person(), "any", NetworkOf(address));
    }

    [Fact]
    public async Task W2_a_try_that_found_the_queue_full_is_not_counted()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, TrustedProxies = "127.0.0.1",
        });
        await place.SignedUp("ada@example.test");
        var queue = place.Gate.Services.GetRequiredService<HashQueue>();
        using var hasher = new HeldHasher();
        var held = Enumerable.Range(0, Math.Max(1, Environment.ProcessorCount / 2) + HashQueue.WaitingPerNetwork)
            .Select(_ => queue.Hash(hasher, new Person(), "any", NetworkOf("192.0.2.1"))).ToList();
        var browser = place.Browser("192.0.2.1");
        for (var i = 0; i < TryThrottle.NetworkFree + 1; i++)
        {
            Assert.Equal(503, (await browser.SignIn("ada@example.test", PeoplePlace.Password)).Status);
        }

        hasher.Go.SetResult();
        await Task.WhenAll(held);
        Assert.Equal("/console", (await browser.SignIn("ada@example.test", PeoplePlace.Password)).Location);
    }

    [Fact]
    public void Mails_are_counted_by_address_and_kind_and_a_known_device_by_itself()
    {
        var clock = new ManualClock();
        var throttle = new MailThrottle(clock);
        var email = new EmailAddress("", "ada@example.test");
        Assert.Equal(MailThrottle.PerAddress, Enumerable.Range(0, 10).Count(_ => throttle.TryTake(email, LinkKind.Magic)));
        Assert.Equal(MailThrottle.PerAddress, Enumerable.Range(0, 10).Count(_ => throttle.TryTake(email, LinkKind.Reset)));
        Assert.Equal(MailThrottle.PerAddress, Enumerable.Range(0, 10).Count(_ => throttle.TryTake(email, LinkKind.Magic, "own")));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(throttle.TryTake(email, LinkKind.Magic));
    }

    [Fact]
    public void Mails_are_counted_by_network_and_site_and_one_site_does_not_stop_everybody_elses()
    {
        var clock = new ManualClock();
        var throttle = new MailThrottle(clock);
        Assert.Equal(MailThrottle.PerNetwork, Enumerable.Range(0, 100).Count(_ => throttle.TryTake(NetworkOf("192.0.2.1"))));
        Assert.True(throttle.TryTake(NetworkOf("192.0.2.1"), "own"));
        Assert.Equal(
            MailThrottle.PerSite, Enumerable.Range(0, 65_536).Count(i => throttle.TryTake(NetworkOf($"2001:db8:7:{i:x}::1"))));
        Assert.True(throttle.TryTake(NetworkOf("2001:db8:8::1")));
        Assert.True(throttle.TryTake(ClientNetwork.Of(null)));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(throttle.TryTake(NetworkOf("2001:db8:7::1")));
    }

    [Fact]
    public void Addresses_that_mails_are_counted_for_are_bounded_and_a_new_one_takes_the_place_of_the_oldest()
    {
        var throttle = new MailThrottle(new ManualClock());
        for (var i = 0; i < MailThrottle.PlacesMax; i++)
        {
            Assert.Equal(i == 1 ? 5 : 1, Enumerable.Range(0, i == 1 ? 5 : 1).Count(_ => throttle.TryTake(Numbered(i), LinkKind.Magic)));
        }

        Assert.False(throttle.TryTake(Numbered(1), LinkKind.Magic));
        Assert.True(throttle.TryTake(new EmailAddress("", "one more@example.test"), LinkKind.Magic));
        Assert.False(throttle.TryTake(Numbered(1), LinkKind.Magic));
        Assert.True(throttle.TryTake(new EmailAddress("", "and another@example.test"), LinkKind.Magic));
        Assert.True(throttle.TryTake(Numbered(1), LinkKind.Magic));

        EmailAddress Numbered(int i) => new("", $"a{i}@example.test");
    }

    private static ClientNetwork NetworkOf(string address) => ClientNetwork.Of(IPAddress.Parse(address));

    /// <summary>Holds up every hash until it is told to go on, and counts how many it holds at a time.</summary>
    /// <summary>In place of a hash, how much the thread that makes it has stepped back.</summary>
    private sealed class NicenessHasher : IPasswordHasher<Person>
    {
        public static int Own() =>
            int.Parse(File.ReadAllText("/proc/thread-self/stat").Split(") ")[^1].Split(' ')[16], CultureInfo.InvariantCulture);

        public string HashPassword(Person user, string password) => Own().ToString(CultureInfo.InvariantCulture);

        public PasswordVerificationResult VerifyHashedPassword(Person user, string hashedPassword, string providedPassword) =>
            throw new NotSupportedException();
    }

    private sealed class HeldHasher : IPasswordHasher<Person>, IDisposable
    {
        private int _held;
        private int _most;

        public SemaphoreSlim Entered { get; } = new(0);

        public TaskCompletionSource Go { get; } = new();

        public int Most => Volatile.Read(ref _most);

        public string HashPassword(Person user, string password)
        {
            var held = Interlocked.Increment(ref _held);
            InterlockedMax(held);
            Entered.Release();
            Go.Task.Wait();
            Interlocked.Decrement(ref _held);
            return "hash";
        }

        public PasswordVerificationResult VerifyHashedPassword(Person user, string hashedPassword, string providedPassword) =>
            throw new NotSupportedException();

        public void Dispose() => Entered.Dispose();

        private void InterlockedMax(int held)
        {
            for (var seen = Most; held > seen && Interlocked.CompareExchange(ref _most, held, seen) != seen; seen = Most)
            {
            }
        }
    }
}
