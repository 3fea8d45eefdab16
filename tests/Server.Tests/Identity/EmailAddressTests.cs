using Tollgate.Server.Identity;

namespace Tollgate.Server.Tests.Identity;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData(" Ada@Example.COM ", "Ada@example.com", "ada@example.com")]
    [InlineData("a+b@x.example", "a+b@x.example", "a+b@x.example")]
    [InlineData("Rene@XN--bcher-kva.example", "Rene@xn--bcher-kva.example", "rene@xn--bcher-kva.example")]
    public void An_address_is_kept_as_typed_and_compared_in_its_canonical_form(string typed, string text, string key)
    {
        Assert.True(EmailAddress.TryRead(typed, out var email));
        Assert.Equal((text, key), (email.Text, email.Key));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("@x.example")]
    [InlineData("a@")]
    [InlineData("a b@x.example")]
    [InlineData("a\u202E@x.example")]
    [InlineData("a\u0000@x.example")]
    [InlineData("a\r\nBcc: b@x.example")]
    [InlineData("\"a\"@x.example")]
    [InlineData("a@x..example")]
    [InlineData("a@-x.example")]
    [InlineData("a@x_y.example")]
    [InlineData("a@[127.0.0.1]")]
    [InlineData(".a@x.example")]
    [InlineData("a..b@x.example")]
    [InlineData("a,b@x.example")]
    [InlineData("<a@x.example>")]
    [InlineData("ren\u00E9@x.example")]
    [InlineData("Rene\u0301@x.example")]
    [InlineData("\u212Aelvin@x.example")]
    [InlineData("\u0430da@x.example")]
    [InlineData("\uFF41@x.example")]
    [InlineData("a@b\u00FCcher.example")]
    [InlineData("a@x\u3002example")]
    [InlineData("a@\u24D4xample.com")]
    public void What_is_no_plain_address_is_refused(string? typed) => Assert.False(EmailAddress.TryRead(typed, out _));

    [Fact]
    public void An_address_at_the_bound_passes_and_one_past_it_does_not()
    {
        var domain = string.Join('.', Enumerable.Repeat(new string('d', 61), 3));
        Assert.True(EmailAddress.TryRead($"{new string('a', 64)}@{domain}.xx", out _));
        Assert.False(EmailAddress.TryRead($"{new string('a', 65)}@{domain}.x", out _));
        Assert.Equal(254, $"{new string('a', 64)}@{domain}.xxx".Length);
        Assert.True(EmailAddress.TryRead($"{new string('a', 64)}@{domain}.xxx", out _));
        Assert.False(EmailAddress.TryRead($"{new string('a', 64)}@{domain}.xxxx", out _));
    }

    [Fact]
    public void What_is_read_is_never_longer_than_the_bound()
    {
        // Each of these letters would be several characters in its xn-- form.
        var domain = string.Join('.', Enumerable.Repeat(new string('\u00FC', 40), 6));
        Assert.False(EmailAddress.TryRead($"a@{domain}", out _));
        Assert.True(EmailAddress.TryRead("a@" + string.Join('.', Enumerable.Repeat(new string('D', 62), 4)), out var email));
        Assert.Equal((253, 253), (email.Text.Length, email.Key.Length));
    }
}
