using Tollgate.Server.Console.SignIn;

namespace Tollgate.Server.Tests.Identity;

public sealed class BrowserNameTests
{
    [Theory]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36", "Chrome on Windows")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge on Windows")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1", "Safari on iPhone")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.6 Safari/605.1.15", "Safari on macOS")]
    [InlineData("Mozilla/5.0 (Linux; Android 15) Chrome/142.0.0.0 Mobile Safari/537.36", "Chrome on Android")]
    [InlineData("Mozilla/5.0 (Somewhere) Firefox/1", "Firefox")]
    [InlineData("Mozilla/5.0 (Somewhere) Else/1", "Mozilla/5.0 (Somewhere) Else/1")]
    [InlineData("Firefox/1 by hand", "Firefox/1 by hand")]
    [InlineData("", "")]
    public void A_browser_is_called_what_people_call_it_and_others_what_they_say(string device, string name) =>
        Assert.Equal(name, BrowserName.Of(device));

    [Fact]
    public void A_name_has_sixty_characters_at_most()
    {
        Assert.Equal(new string('x', 60), BrowserName.Of(new string('x', 60)));
        Assert.Equal(new string('x', 57) + "...", BrowserName.Of(new string('x', 61)));
    }
}
