using System.Text.Json;
using System.Text.RegularExpressions;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Reach;

namespace Tollgate.Server.Tests.Console;

/// <summary>A gate with a team whose people are at the console, each at a browser of their own.</summary>
internal sealed partial class ConsolePagesPlace : IAsyncDisposable
{
    private readonly List<Browser> _browsers = [];

    private ConsolePagesPlace(RunningGate gate, ReachPlace reach) => (Gate, Reach) = (gate, reach);

    public RunningGate Gate { get; }

    public ReachPlace Reach { get; }

    public string Home => $"/console/{Reach.Project}";

    public string Keys => $"{Home}/keys";

    public static async Task<ConsolePagesPlace> Start(
        string provider = "default", Func<ProviderModel, ProviderModel>? with = null, GateOptions? options = null,
        string? postgres = null)
    {
        var gate = await RunningGate.Start(
            provider, (options ?? new GateOptions()) with { LogLevel = "none", HashRounds = 1_000 }, with: with, postgres: postgres);
        var expires = gate.Services.GetService(typeof(ProviderModel)) is ProviderModel { Keys.Expiry: ExpiryRule.Required }
            ? gate.Clock.GetUtcNow().AddDays(10)
            : (DateTimeOffset?)null;
        return new ConsolePagesPlace(
            gate, await ReachPlace.Make(gate, new Server.Keys.CreateKey { Name = "A test key", ExpiresAt = expires }));
    }

    /// <summary>Somebody of this role, signed in.</summary>
    public Browser As(string role)
    {
        var browser = new Browser(Gate);
        browser.Jar.Add(new Uri(Gate.Address), new System.Net.Cookie("tollgate", Reach[role].Cookie, "/"));
        _browsers.Add(browser);
        return browser;
    }

    /// <summary>Opens the form for a key and sends it with what is chosen in it beforehand, as a browser does.</summary>
    public static async Task<Page> Make(Browser browser, string keys, params (string Name, string Value)[] fields)
    {
        var form = await browser.Get($"{keys}/new");
        var chosen = Chosen().Matches(form.Text).Select(one => (one.Groups["name"].Value, one.Groups["value"].Value))
            .Where(one => fields.All(field => field.Name != one.Item1));
        return await browser.Send(form, $"{keys}/new", [.. chosen, .. fields]);
    }

    /// <summary>Has a key checked for nothing in particular, and answers the verdict with its request's id.</summary>
    public async Task<JsonElement> Check(string secret, string more = "") =>
        (await Gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, $"{{\"key\":\"{secret}\"{more}}}")).Json;

    public async ValueTask DisposeAsync()
    {
        _browsers.ForEach(browser => browser.Dispose());
        await Gate.DisposeAsync();
    }

    [GeneratedRegex("<input type=\"(?:radio|checkbox)\"[^>]* name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\" checked")]
    private static partial Regex Chosen();
}
