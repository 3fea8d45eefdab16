using System.Net;
using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class AddressRuleTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.6", false)]
    [InlineData("192.0.2.6/31", "192.0.2.7", true)]
    [InlineData("192.0.2.6/31", "192.0.2.8", false)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::", false)]
    [InlineData("2001:db8::1", "2001:db8::1", true)]
    [InlineData("2001:db8::1", "2001:db8::2", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "203.0.113.9", false)]
    [InlineData("::/0", "::ffff:203.0.113.9", false)]
    [InlineData("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    public void An_address_is_inside_or_outside(string range, string address, bool inside)
    {
        Assert.True(AddressRule.TryParse([range], out AddressRule? rule, out _));
        Assert.Equal(inside, rule.Contains(IPAddress.Parse(address)));
    }

    [Fact]
    public void Any_of_several_ranges_lets_an_address_in()
    {
        Assert.True(AddressRule.TryParse(["10.0.0.0/8", "2001:db8::/32", "192.0.2.0/24"], out AddressRule? rule, out _));
        Assert.True(rule.Contains(IPAddress.Parse("192.0.2.1")));
        Assert.True(rule.Contains(IPAddress.Parse("10.0.0.1")));
        Assert.False(rule.Contains(IPAddress.Parse("192.0.3.1")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0/16")]
    [InlineData("010.0.0.0/8")]
    [InlineData("0x0a.0.0.0/8")]
    [InlineData("2001:db8::/129")]
    [InlineData("2001:db8::1/32")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[2001:db8::]/32")]
    public void A_range_that_people_and_programs_could_read_differently_is_an_error(string range)
    {
        Assert.False(AddressRule.TryParse([range, "10.0.0.0/8"], out _, out IReadOnlyList<string> errors));
        Assert.Contains($"\"{range}\"", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_wrong_range_is_told()
    {
        Assert.False(AddressRule.TryParse(["a", "10.0.0.0/8", "b"], out _, out IReadOnlyList<string> errors));
        Assert.Equal(2, errors.Count);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_rule_has_1_to_64_ranges(int count, bool good)
        => Assert.Equal(good, AddressRule.TryParse([.. Enumerable.Range(0, count).Select(i => $"10.0.{i}.0/24")], out _, out _));
}
