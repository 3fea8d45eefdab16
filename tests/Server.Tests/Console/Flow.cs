using Microsoft.Playwright;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Console;

/// <summary>What somebody does at the console in a real browser, step by step.</summary>
internal sealed class Flow(PeoplePlace place, Chromium chromium) : IAsyncDisposable
{
    public const string Ada = "ada@example.test";

    /// <summary>There is one for all pages of the browser.</summary>
    private static readonly SemaphoreSlim Clipboard = new(1);

    public Chromium Chromium => chromium;

    public IPage Page => chromium.Page;

    public RunningGate Gate => place.Gate;

    public string Root => $"http://localhost:{new Uri(place.Gate.Address).Port}";

    /// <summary>Where one's project is, after <see cref="Enter"/>.</summary>
    public string Home { get; set; } = "";

    public static async Task<Flow> Of(PeoplePlace place, bool hasScript = true) => new(place, await Chromium.Start(hasScript));

    /// <summary>Signs somebody up and in without any page, and opens the console; with money, where the provider has wallets.</summary>
    public static async Task<Flow> Enter(PeoplePlace place, string email, bool fund = true, bool hasScript = true)
    {
        var flow = await Of(place, hasScript);
        var browser = await place.SignedIn(email);
        await flow.Chromium.SetCookie(flow.Root, "tollgate", browser.Session!);
        if (fund)
        {
            await place.Gate.Fund(await flow.OrganizationOf(email));
        }

        await flow.Begin();
        return flow;
    }

    public Task<string> OrganizationOf(string email) =>
        place.Ask<string>($"SELECT organization_id FROM people WHERE email_key = '{email}'");

    /// <summary>Opens the console, and remembers which project it leads to.</summary>
    public async Task Begin()
    {
        await Page.GotoAsync($"{Root}/console");
        Home = new Uri(Page.Url).AbsolutePath;
    }

    public Task Open(string path) => Page.GotoAsync(Root + path);

    /// <summary>Opens the link of the newest mail to an address.</summary>
    public async Task OpenMail(string email) => await Open(new Uri(await place.Link(email)).PathAndQuery);

    public async Task SignUp(string email = Ada, string name = "Ada Example")
    {
        await Open("/sign-up");
        await Fill("Name", name);
        await Fill("E-mail address", email);
        await Fill("Password", PeoplePlace.Password);
        await Press("Make an account");
        await Sees("Look into your mail");
        await OpenMail(email);
        await Fill("Password", PeoplePlace.Password);
        await Press("Confirm");
        await Sees("Your address is confirmed");
        await SignIn(email, PeoplePlace.Password);
        await Sees("Your first request in three steps");
        await place.Gate.Fund(await OrganizationOf(email));
        Home = new Uri(Page.Url).AbsolutePath;
    }

    public async Task SignIn(string email, string password)
    {
        await Fill("E-mail address", email);
        await Fill("Password", password);
        await Press("Sign in");
    }

    /// <summary>Fills in the form of a new key, with what else is chosen in it, and sends it.</summary>
    public async Task AskKey(string name, Func<Task>? choose = null)
    {
        await Open($"{Home}/keys/new");
        await Fill("Name", name);
        await (choose?.Invoke() ?? Task.CompletedTask);
        await Press("Make the key");
    }

    /// <summary>Makes a key, and answers the secret that is shown; it stays at that page.</summary>
    public async Task<string> NewKey(string name, Func<Task>? choose = null)
    {
        await AskKey(name, choose);
        return await Secret();
    }

    public Task<string> Secret() => Page.Locator("#secret").InnerTextAsync();

    public async Task<string> MakeKey(string name, bool hasScript)
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = "Make a key" }).First.ClickAsync();
        await Fill("Name", name);
        await Press("Make the key");
        var secret = await Secret();
        Assert.Contains(secret, await Page.Locator("#snippet-0").InnerTextAsync(), StringComparison.Ordinal);
        var copy = Page.Locator("[data-copy=secret]");
        Assert.Equal(hasScript, await copy.IsVisibleAsync());
        if (hasScript)
        {
            Assert.Equal(secret, await Copied());
        }

        return secret;
    }

    /// <summary>Presses Copy beside the secret, and answers what is in the clipboard then.</summary>
    public Task<string> Copied() => Copied(() => Page.Locator("[data-copy=secret]").ClickAsync());

    /// <param name="press">What copies.</param>
    public async Task<string> Copied(Func<Task> press)
    {
        await Clipboard.WaitAsync();
        try
        {
            await press();
            await Sees("Copied");
            return await Page.EvaluateAsync<string>("navigator.clipboard.readText()");
        }
        finally
        {
            Clipboard.Release();
        }
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

    /// <summary>Makes a team and a project in it, where one is then; answers the path of its members.</summary>
    public async Task<string> MakeTeam()
    {
        await Follow("Team");
        await Fill("Name of the team", "Night shift");
        await Press("Make the team");
        await Sees("Night shift is made, and you are its owner.");
        var team = new Uri(Page.Url).AbsolutePath.Split('/')[2];
        await Open($"/console/{team}/projects/new");
        await Fill("Name", "Shared work");
        await Page.Locator("main button[type=submit]").ClickAsync();
        await Page.GetByRole(AriaRole.Heading, new() { Name = "Shared work" }).WaitForAsync();
        Home = string.Join('/', new Uri(Page.Url).AbsolutePath.Split('/').Take(3));
        return $"/console/{team}/team";
    }

    public async Task OpenKey(string name)
    {
        await Open($"{Home}/keys");
        await Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
        await Page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true }).WaitForAsync();
    }

    /// <summary>Disables the key, finds out by a request's id why it was refused, and enables it.</summary>
    public async Task<string> StopAndGoOn(string secret)
    {
        var key = Page.Url;
        await Choose("Disable");
        await Sees("Apps that use it stop working.");
        await Press("Disable this key");
        await Sees("its requests are refused from now on");
        var refused = (await place.Gate.Verify(secret)).Json;
        Assert.Equal("key_disabled", refused.GetProperty("code").GetString());
        await Page.GotoAsync($"{key[..key.IndexOf("/keys/", StringComparison.Ordinal)]}/refusals");
        await Page.GetByLabel("Request id").FillAsync(refused.GetProperty("request_id").GetString()!);
        await Press("Explain it");
        await Sees("What mends it:");
        await Page.GotoAsync(key);
        await Choose("Enable");
        await Press("Enable this key");
        await Sees("its requests pass again");
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));
        return secret;
    }

    public async Task<string> Regenerate(string secret)
    {
        var key = Page.Url.Split('?')[0];
        await Choose("Regenerate");
        await Sees("Apps using the old secret stop at once.");
        await Press("Make a new secret and stop the old one");
        var fresh = await Secret();
        Assert.NotEqual("allowed", await place.Gate.CodeOf(secret));
        Assert.Equal("allowed", await place.Gate.CodeOf(fresh));
        await Page.GotoAsync(key);
        return fresh;
    }

    public async Task End(string secret, string how, string name = "My program")
    {
        await Choose(how);
        if (how == "Delete")
        {
            await Page.GetByLabel("Type the key's name").FillAsync(name);
        }

        await Press($"{how} this key");
        await Sees(how == "Delete" ? $"{name} is deleted" : $"{name} is revoked");
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

    public Task Fill(string label, string text) => Page.GetByLabel(label, new() { Exact = true }).FillAsync(text);

    /// <summary>Presses the label of a choice.</summary>
    public Task Pick(string field, string choice) =>
        Page.Locator($".option:has(input[name='{field}'][value='{choice}']) label").ClickAsync();

    /// <summary>Opens what a form hides at first.</summary>
    public Task More() => Page.Locator("main details.more > summary").First.ClickAsync();

    public Task Choose(string action) => Page.Locator(".actions").GetByRole(AriaRole.Link, new() { Name = action, Exact = true })
        .ClickAsync();

    public async Task Press(string button) =>
        await Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    public Task Follow(string link) => Page.GetByRole(AriaRole.Link, new() { Name = link, Exact = true }).First.ClickAsync();

    public Task Sees(string text) => Page.GetByText(text).First.WaitForAsync();

    /// <summary>What a list of facts says under this title.</summary>
    public async Task<string> Fact(string title) =>
        (await Page.Locator($"dl > div:has(> dt:text-is('{title}')) > dd").First.InnerTextAsync()).Trim();

    /// <summary>The first line of a table that has this in it, cell by cell.</summary>
    public async Task<IReadOnlyList<string>> Row(string table, string text) =>
        [.. (await Line(table, text).Locator("th, td").AllInnerTextsAsync()).Select(cell => cell.Trim())];

    /// <summary>Goes where that line of the table leads.</summary>
    public Task OpenRow(string table, string text) => Line(table, text).Locator("a.row").ClickAsync();

    private ILocator Line(string table, string text) =>
        Page.Locator($"[aria-label='{table}'] tbody tr").Filter(new() { HasText = text }).First;

    public Task<string> Text() => Page.Locator("body").InnerTextAsync();

    public ValueTask DisposeAsync() => chromium.DisposeAsync();
}
