using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Console;

/// <summary>
/// The console in a real browser, for each company: from a stranger to a program whose requests pass, and on to its key's end.
/// </summary>
public sealed class ConsoleFlowTests
{
    [Theory]
    [InlineData("tensorlake", true, 1280)]
    [InlineData("tensorx", true, 1280)]
    [InlineData("tensorone", true, 1280)]
    [InlineData("tensoras", true, 1280)]
    [InlineData("tensorpool", true, 1280)]
    [InlineData("tensorx", false, 360)]
    [InlineData("tensoras", false, 360)]
    public async Task A_stranger_signs_up_makes_a_key_sees_a_request_pass_and_one_refused_and_ends_the_key_TS1_TX2(
        string provider, bool hasScript, int width)
    {
        await using var place = await PeoplePlace.Start(provider: provider);
        await using var chromium = await Chromium.Start(hasScript, width);
        var flow = new Flow(place, chromium);
        var rules = place.Gate.Services.GetRequiredService<ProviderModel>().Keys;

        await flow.SignUp();
        var secret = await flow.MakeKey("My program", hasScript);
        await flow.SeeRequestPass(secret);
        await flow.OpenKey("My program");
        if (rules.Offers(KeyOperations.Disable))
        {
            secret = await flow.StopAndGoOn(secret);
        }

        if (rules.Offers(KeyOperations.Regenerate))
        {
            secret = await flow.Regenerate(secret);
        }

        await flow.End(secret, rules.Offers(KeyOperations.Delete) ? "Delete" : "Revoke");
        Assert.Empty(chromium.Complaints);
    }

    [Theory]
    [InlineData("Pacific/Auckland", true, "Jan 2, 2026, 4:04 PM")]
    [InlineData("America/New_York", true, "Jan 1, 2026, 10:04 PM")]
    [InlineData("Pacific/Auckland", false, "2 Jan 2026, 03:04 UTC")]
    public async Task Times_are_read_in_the_readers_zone_and_without_script_in_one_that_is_named(string zone, bool hasScript, string read)
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start(hasScript, zone: zone);
        var flow = new Flow(place, chromium);
        await flow.SignUp();

        await flow.Open($"{flow.Home}/audit");

        var times = await chromium.Page.Locator("td time").AllInnerTextsAsync();
        Assert.Contains(read, times.Select(time => time.Replace('\u202f', ' ')));
    }

    [Fact]
    public async Task A_key_is_made_and_copied_with_the_keyboard_alone()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var (flow, keys) = (new Flow(place, chromium), chromium.Page.Keyboard);
        await flow.SignUp();

        await flow.TabTo("Make a key");
        await keys.PressAsync("Enter");
        await chromium.Page.GetByRole(AriaRole.Heading, new() { Name = "Make a key", Exact = true }).WaitForAsync();
        await flow.TabTo("Name");
        await keys.TypeAsync("By keys alone");
        await keys.PressAsync("Enter");
        var secret = await chromium.Page.Locator("#secret").InnerTextAsync();
        await flow.TabTo("Copy");

        Assert.Equal(secret, await flow.Copied(() => keys.PressAsync("Enter")));
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));
    }

    [Fact]
    public async Task A_key_is_disabled_enabled_tried_and_revoked_with_the_keyboard_alone()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var (flow, keys) = (new Flow(place, chromium), chromium.Page.Keyboard);
        await flow.SignUp();
        var secret = await flow.NewKey("By keys alone");

        await Go("Keys", "By keys alone");
        await Go("By keys alone", "Change it");
        await Go("Disable", "Apps that use it stop working.");
        await Go("Disable this key", "its requests are refused from now on");
        Assert.Equal("key_disabled", await place.Gate.CodeOf(secret));
        await Go("Enable", "Enable this key");
        await Go("Enable this key", "its requests pass again");
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));

        await Go("Try it", "Does my key work, now?");
        await flow.TabTo("Message");
        await keys.TypeAsync("Hello by keys");
        await flow.TabTo("Send");
        await keys.PressAsync("Enter");
        await chromium.Page.Locator(".answer", new() { HasText = "Hello by keys" }).WaitForAsync();

        await Go("Keys", "By keys alone");
        await Go("By keys alone", "Change it");
        await Go("Revoke", "Revoke this key");
        await Go("Revoke this key", "is revoked");
        Assert.Equal("key_revoked", await place.Gate.CodeOf(secret));
        Assert.Empty(chromium.Complaints);

        async Task Go(string what, string next)
        {
            await flow.TabTo(what);
            await keys.PressAsync("Enter");
            await flow.Sees(next);
        }
    }
}
