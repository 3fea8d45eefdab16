using System.Net;
using Microsoft.Extensions.Primitives;
using Tollgate.Server.Hosting;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>Who a request comes from, by who called and what the proxies wrote.</summary>
public sealed class TrustedProxiesTests
{
    private const string Proxies = "127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48";

    [Theory]
    // From an untrusted peer nothing is believed.
    [InlineData("203.0.113.9", "192.0.2.7", "203.0.113.9")]
    [InlineData("203.0.113.9", "10.0.0.1", "203.0.113.9")]
    [InlineData("2001:db8::9", "192.0.2.7", "2001:db8::9")]
    [InlineData("::ffff:203.0.113.9", "192.0.2.7", "::ffff:203.0.113.9")]
    // From a trusted one, the last that is no proxy; what the client itself had sent stands further left.
    [InlineData("127.0.0.1", "192.0.2.7", "192.0.2.7")]
    [InlineData("127.0.0.1", "1.1.1.1, 192.0.2.7", "192.0.2.7")]
    [InlineData("127.0.0.1", "10.0.0.1, 192.0.2.7", "192.0.2.7")]
    [InlineData("127.0.0.1", "1.1.1.1, 192.0.2.7, 10.1.2.3", "192.0.2.7")]
    [InlineData("127.0.0.1", "1.1.1.1,192.0.2.7,10.1.2.3,2001:db8:ffff::1", "192.0.2.7")]
    [InlineData("::ffff:10.0.0.9", "192.0.2.7", "192.0.2.7")]
    [InlineData("127.0.0.1", "junk, 192.0.2.7", "192.0.2.7")]
    // Every one a proxy: the first; none named: the peer.
    [InlineData("127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1")]
    [InlineData("127.0.0.1", null, "127.0.0.1")]
    // As proxies write them.
    [InlineData("127.0.0.1", "192.0.2.7:4711", "192.0.2.7")]
    [InlineData("127.0.0.1", "2001:db8::7", "2001:db8::7")]
    [InlineData("127.0.0.1", "[2001:db8::7]", "2001:db8::7")]
    [InlineData("127.0.0.1", "[2001:db8::7]:443", "2001:db8::7")]
    [InlineData("127.0.0.1", "::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("127.0.0.1", "[::ffff:192.0.2.7]:80 , ::ffff:10.0.0.1", "192.0.2.7")]
    // What a proxy wrote and is no address leaves the client unknown; nobody further left is taken for it.
    [InlineData("127.0.0.1", "192.0.2.7, unknown", null)]
    [InlineData("127.0.0.1", "192.0.2.7, junk, 10.0.0.1", null)]
    [InlineData("127.0.0.1", "", null)]
    [InlineData("127.0.0.1", "192.0.2.7,", null)]
    [InlineData("127.0.0.1", "1", null)]
    [InlineData("127.0.0.1", "192.0.2", null)]
    [InlineData("127.0.0.1", "192.000.2.7", null)]
    [InlineData("127.0.0.1", "0x7f.0.0.1", null)]
    [InlineData("127.0.0.1", "192.0.2.7:", null)]
    [InlineData("127.0.0.1", "192.0.2.7:http", null)]
    [InlineData("127.0.0.1", "192.0.2.7:1:2", null)]
    [InlineData("127.0.0.1", "[2001:db8::7", null)]
    [InlineData("127.0.0.1", "[2001:db8::7]443", null)]
    [InlineData("127.0.0.1", "[192.0.2.7]", null)]
    [InlineData("127.0.0.1", "fe80::1%eth0", null)]
    [InlineData("127.0.0.1", "2001:db8::/32", null)]
    [InlineData("127.0.0.1", "\"192.0.2.7\"", null)]
    public void The_client_is_the_last_one_named_who_is_no_trusted_proxy(string peer, string? forwarded, string? client) =>
        Assert.Equal(client, ClientOf(peer, forwarded is null ? StringValues.Empty : forwarded));

    [Fact]
    public void Several_headers_are_one_list()
    {
        Assert.Equal("192.0.2.7", ClientOf("127.0.0.1", new StringValues(["1.1.1.1, 192.0.2.7", "10.0.0.1, 10.0.0.2"])));
        Assert.Equal("192.0.2.7", ClientOf("127.0.0.1", new StringValues(["1.1.1.1", "192.0.2.7", "10.0.0.1"])));
        Assert.Equal("10.0.0.1", ClientOf("127.0.0.1", new StringValues(["10.0.0.1", "10.0.0.2"])));
    }

    [Fact]
    public void Sixteen_hops_are_followed_and_not_one_more()
    {
        string Chain(int proxies) => "192.0.2.7" + string.Concat(Enumerable.Repeat(", 10.0.0.1", proxies));
        Assert.Equal("192.0.2.7", ClientOf("127.0.0.1", Chain(TrustedProxies.HopsMax - 1)));
        Assert.Null(ClientOf("127.0.0.1", Chain(TrustedProxies.HopsMax)));
    }

    [Fact]
    public void A_connection_without_an_address_stays_without_one() =>
        Assert.Null(TrustedProxies.From(Proxies)!.ClientOf(null, "192.0.2.7"));

    [Theory]
    [InlineData("", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.0/8;2001:db8::/32 ::1", true)]
    [InlineData("10.0.0.1/8", false)]
    [InlineData("10.0.0.0/33", false)]
    [InlineData("proxy.example", false)]
    [InlineData("10.0.0.1, *", false)]
    public void A_list_is_read_whole_or_refused(string list, bool isGood)
    {
        Assert.Equal(isGood, TrustedProxies.From(list) is not null);
        var environment = new Dictionary<string, string> { ["TOLLGATE_TRUSTED_PROXIES"] = list };
        Assert.Equal(isGood, OptionsReader.Read([], environment).Faults.Count == 0);
        Assert.Equal(isGood && list.Length > 0, TrustedProxies.From(list)?.HasAny == true);
    }

    [Fact]
    public void A_list_holds_64_networks_and_not_one_more()
    {
        string List(int length) => string.Join(',', Enumerable.Range(0, length).Select(i => $"10.0.0.{i}"));
        Assert.NotNull(TrustedProxies.From(List(64)));
        Assert.Null(TrustedProxies.From(List(65)));
        var environment = new Dictionary<string, string> { ["TOLLGATE_TRUSTED_PROXIES"] = List(65) };
        var fault = Assert.Single(OptionsReader.Read([], environment).Faults);
        Assert.StartsWith("TOLLGATE_TRUSTED_PROXIES: must be at most 64 addresses and networks such as", fault, StringComparison.Ordinal);
    }

    private static string? ClientOf(string peer, StringValues forwarded) =>
        TrustedProxies.From(Proxies)!.ClientOf(IPAddress.Parse(peer), forwarded)?.ToString();
}
