using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Console;

/// <summary>
/// The console in a real browser, for each company: from a stranger to a program whose requests pass, and on to its key's end.
/// </summary>
public sealed class ConsoleFlowTests
{
    private const string Ada = "ada@example.test";

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
        await keys.PressAsync("Enter");
        await chromium.Page.GetByText("Copied").WaitForAsync();

        Assert.Equal(secret, await chromium.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));
    }

    /// <summary>What somebody does at the console, step by step.</summary>
    private sealed class Flow(PeoplePlace place, Chromium chromium)
    {
        private IPage Page => chromium.Page;

        private string Root => $"http://localhost:{new Uri(place.Gate.Address).Port}";

        public async Task SignUp()
        {
            await Page.GotoAsync($"{Root}/sign-up");
            await Page.GetByLabel("Name").FillAsync("Ada Example");
            await Page.GetByLabel("E-mail address").FillAsync(Ada);
            await Page.GetByLabel("Password").FillAsync(PeoplePlace.Password);
            await Press("Make an account");
            await Page.GotoAsync(Root + new Uri(await place.Link(Ada)).PathAndQuery);
            await Page.GetByLabel("Password").FillAsync(PeoplePlace.Password);
            await Press("Confirm");
            await Page.GetByLabel("E-mail address").FillAsync(Ada);
            await Page.GetByLabel("Password").FillAsync(PeoplePlace.Password);
            await Press("Sign in");
            await Sees("Your first request in three steps");
            await place.Gate.Fund(await place.Ask<string>($"SELECT organization_id FROM people WHERE email_key = '{Ada}'"));
        }

        public async Task<string> MakeKey(string name, bool hasScript)
        {
            await Page.GetByRole(AriaRole.Link, new() { Name = "Make a key" }).First.ClickAsync();
            await Page.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
            await Press("Make the key");
            var secret = await Page.Locator("#secret").InnerTextAsync();
            Assert.Contains(secret, await Page.Locator("#snippet-0").InnerTextAsync(), StringComparison.Ordinal);
            var copy = Page.Locator("[data-copy=secret]");
            Assert.Equal(hasScript, await copy.IsVisibleAsync());
            if (hasScript)
            {
                await copy.ClickAsync();
                await Sees("Copied");
                Assert.Equal(secret, await Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
            }

            return secret;
        }

        /// <summary>The overview notices the first request, by itself or when it is asked.</summary>
        public async Task SeeRequestPass(string secret)
        {
            await Page.GotoAsync($"{Root}/console");
            await Sees("Your first request in three steps");
            Assert.Equal("allowed", await place.Gate.CodeOf(secret));
            await Page.GetByRole(AriaRole.Link, new() { Name = "Look now" }).ClickAsync();
            await Sees("Your first request passed");
            Assert.DoesNotContain(secret, await Page.ContentAsync(), StringComparison.Ordinal);
        }

        public async Task OpenKey(string name)
        {
            await Page.GotoAsync($"{Root}/console");
            await Page.GotoAsync(Page.Url.Split('?')[0] + "/keys");
            await Page.GetByRole(AriaRole.Link, new() { Name = name }).ClickAsync();
            await Page.GetByRole(AriaRole.Heading, new() { Name = name }).WaitForAsync();
        }

        /// <summary>Disables the key, finds out by a request's id why it was refused, and enables it.</summary>
        public async Task<string> StopAndGoOn(string secret)
        {
            var key = Page.Url;
            await Choose("Disable");
            await Sees("Apps that use it stop working.");
            await Press("Disable this key");
            var refused = (await place.Gate.Verify(secret)).Json;
            Assert.Equal("key_disabled", refused.GetProperty("code").GetString());
            await Page.GotoAsync($"{key[..key.IndexOf("/keys/", StringComparison.Ordinal)]}/refusals");
            await Page.GetByLabel("Request id").FillAsync(refused.GetProperty("request_id").GetString()!);
            await Press("Explain it");
            await Sees("What mends it:");
            await Page.GotoAsync(key);
            await Choose("Enable");
            await Press("Enable this key");
            Assert.Equal("allowed", await place.Gate.CodeOf(secret));
            return secret;
        }

        public async Task<string> Regenerate(string secret)
        {
            var key = Page.Url.Split('?')[0];
            await Choose("Regenerate");
            await Sees("Apps using the old secret stop at once.");
            await Press("Make a new secret and stop the old one");
            var fresh = await Page.Locator("#secret").InnerTextAsync();
            Assert.NotEqual("allowed", await place.Gate.CodeOf(secret));
            Assert.Equal("allowed", await place.Gate.CodeOf(fresh));
            await Page.GotoAsync(key);
            return fresh;
        }

        public async Task End(string secret, string how)
        {
            await Choose(how);
            if (how == "Delete")
            {
                await Page.GetByLabel("Type the key's name").FillAsync("My program");
            }

            await Press($"{how} this key");
            await Sees(how == "Delete" ? "My program is deleted" : "My program is revoked");
            Assert.NotEqual("allowed", await place.Gate.CodeOf(secret));
        }

        /// <summary>Goes from control to control until one has this name.</summary>
        public async Task TabTo(string name)
        {
            for (var i = 0; i < 60; i++)
            {
                await chromium.Tab();
                if (await chromium.Run("document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent") == name)
                {
                    return;
                }
            }

            Assert.Fail($"Tab does not come to {name}.");
        }

        private Task Choose(string action) => Page.Locator(".actions").GetByRole(AriaRole.Link, new() { Name = action, Exact = true })
            .ClickAsync();

        private async Task Press(string button) =>
            await Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

        private Task Sees(string text) => Page.GetByText(text).First.WaitForAsync();
    }
}
