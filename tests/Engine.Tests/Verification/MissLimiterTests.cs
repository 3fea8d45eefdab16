using System.Net;
using Tollgate.Engine.Tests.Fixtures;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Tests.Verification;

/// <summary>What one client network may have looked up, to the token and to the tick.</summary>
public sealed class MissLimiterTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private static readonly ClientNetwork Sprayer = ClientNetwork.Of(IPAddress.Parse("198.51.100.7"));

    [Fact]
    public void A_network_has_a_minutes_worth_at_once_and_then_one_at_a_time()
    {
        var limiter = new MissLimiter(perMinute: 600);
        long now = 1_000 * Second;
        Assert.Equal(600, Taken(limiter, Sprayer, now, tries: 1_000));
        Assert.False(limiter.TryTake(Sprayer, now + (Second / 10) - 1, out int seconds));
        Assert.Equal(1, seconds);
        Assert.Equal(1, Taken(limiter, Sprayer, now + (Second / 10), tries: 2));
        Assert.Equal(9, Taken(limiter, Sprayer, now + Second, tries: 100));
        Assert.Equal(600, Taken(limiter, Sprayer, now + (1_000 * Second), tries: 1_000));
    }

    [Fact]
    public void What_is_given_back_can_be_taken_again_and_a_full_bucket_stays_full()
    {
        var limiter = new MissLimiter(perMinute: 10);
        for (int i = 0; i < 1_000; i++)
        {
            Assert.True(limiter.TryTake(Sprayer, Second, out _));
            limiter.GiveBack(Sprayer);
        }

        for (int i = 0; i < 50; i++)
        {
            limiter.GiveBack(Sprayer);
        }

        Assert.Equal(10, Taken(limiter, Sprayer, 10_000 * Second, tries: 100));
    }

    [Theory]
    [InlineData(10, 6)]
    [InlineData(600, 1)]
    [InlineData(1_000_000, 1)]
    public void The_wait_that_is_told_is_in_whole_seconds_and_long_enough(int perMinute, int expected)
    {
        var limiter = new MissLimiter(perMinute);
        long now = Second;
        while (limiter.TryTake(Sprayer, now, out _))
        {
        }

        Assert.False(limiter.TryTake(Sprayer, now, out int seconds));
        Assert.Equal(expected, seconds);
        Assert.True(limiter.TryTake(Sprayer, now + (seconds * Second), out _));
    }

    [Fact]
    public void A_clock_that_several_threads_read_a_little_apart_harms_nobody()
    {
        var limiter = new MissLimiter(perMinute: 600);
        Assert.True(limiter.TryTake(Sprayer, 2 * Second, out _));
        Assert.Equal(599, Taken(limiter, Sprayer, 2 * Second, tries: 1_000));
        Assert.False(limiter.TryTake(Sprayer, Second, out int seconds));
        Assert.InRange(seconds, 1, 59);
    }

    [Fact]
    public void Another_network_is_not_touched_and_who_is_not_counted_is_never_refused()
    {
        var limiter = new MissLimiter(perMinute: 10);
        Assert.Equal(10, Taken(limiter, Sprayer, Second, tries: 100));
        int whole = Enumerable.Range(0, 200).Count(i =>
            Taken(limiter, ClientNetwork.Of(new IPAddress([192, 0, 2, (byte)i])), Second, tries: 100) == 10);

        // Two networks may fall into one bucket: of 201 in 65,536, one or two pairs in the worst of a thousand runs.
        Assert.InRange(whole, 194, 200);
        Assert.Equal(1_000, Taken(limiter, default, Second, tries: 1_000));
    }

    [Fact]
    public void A_spray_from_a_hundred_thousand_networks_takes_no_memory()
    {
        var limiter = new MissLimiter(perMinute: 600);
        var networks = new ClientNetwork[100_000];
        var address = new byte[16];
        address[0] = 0x20;
        for (int i = 0; i < networks.Length; i++)
        {
            BitConverter.TryWriteBytes(address.AsSpan(4), i);
            networks[i] = ClientNetwork.Of(new IPAddress(address));
        }

        Assert.Equal(0, Allocation.LeastOf(() =>
        {
            foreach (ref readonly ClientNetwork network in networks.AsSpan())
            {
                limiter.TryTake(in network, Second, out _);
            }
        }));
        Assert.Equal(100_000, networks.Distinct().Count());
        Assert.Equal(MissLimiter.BucketCountUsual, limiter.BucketCount);
    }

    [Fact]
    public async Task Many_threads_take_no_more_than_there_is()
    {
        for (int round = 0; round < 20; round++)
        {
            var limiter = new MissLimiter(perMinute: 1_000);
            int[] taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
                Task.Run(() => Taken(limiter, Sprayer, Second, tries: 1_000))));
            Assert.Equal(1_000, taken.Sum());
        }
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8::1", "2001:db8::ffff:1:2:3", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    [InlineData("::ffff:192.0.2.1", "::1:2:3:4", false)]
    public void A_network_is_an_IPv4_address_or_an_IPv6_64(string one, string other, bool isSame) =>
        Assert.Equal(isSame, ClientNetwork.Of(IPAddress.Parse(one)) == ClientNetwork.Of(IPAddress.Parse(other)));

    [Fact]
    public void Clients_without_an_address_share_one_network_and_nobody_is_another()
    {
        Assert.Equal(ClientNetwork.Of(null), ClientNetwork.Of(null));
        Assert.True(ClientNetwork.Of(null).IsCounted);
        Assert.False(default(ClientNetwork).IsCounted);
        Assert.NotEqual(ClientNetwork.Of(null), ClientNetwork.Of(IPAddress.IPv6Any));
        Assert.NotEqual(default, ClientNetwork.Of(IPAddress.IPv6Any));
    }

    [Theory]
    [InlineData(9, 16)]
    [InlineData(1_000_001, 16)]
    [InlineData(600, 0)]
    [InlineData(600, 24)]
    public void What_is_out_of_bounds_is_refused(int perMinute, int bucketCount) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new MissLimiter(perMinute, bucketCount));

    private static int Taken(MissLimiter limiter, ClientNetwork network, long now, int tries) =>
        Enumerable.Range(0, tries).Count(_ => limiter.TryTake(network, now, out _));
}
