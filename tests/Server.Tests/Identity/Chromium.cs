using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// A page in Debian's Chromium, without a window, with cookies of its own and an authenticator that it plays itself. One browser serves
/// all tests of a run.
/// </summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Path = "/usr/bin/chromium";
    private const string Missing = "These tests need Chromium: install it (Debian: apt-get install chromium) and run them again.";
    private const float PatienceMs = 60_000;

    private static readonly Lazy<Task<IBrowser>> Shared = new(Launch);

    private readonly ConcurrentQueue<string> _complaints = [];
    private readonly IBrowserContext _context;

    private Chromium(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    /// <summary>To press, type and read, as a person does.</summary>
    public IPage Page { get; }

    /// <summary>What the browser had to say against pages: broken policies, faults of scripts.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <param name="hasScript">Whether pages may run scripts.</param>
    /// <param name="width">Of the screen.</param>
    /// <param name="zone">Where the reader is.</param>
    public static async Task<Chromium> Start(bool hasScript = true, int width = 1280, string? zone = null)
    {
        var context = await (await Shared.Value).NewContextAsync(new BrowserNewContextOptions
        {
            TimezoneId = zone, JavaScriptEnabled = hasScript, ReducedMotion = ReducedMotion.Reduce, ColorScheme = ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = width, Height = 900 }, Permissions = ["clipboard-read", "clipboard-write"],
        });
        context.SetDefaultTimeout(PatienceMs);
        var chromium = new Chromium(context, await context.NewPageAsync());
        await chromium.Attach();
        return chromium;
    }

    /// <summary>Opens a page, and returns when all of it is there.</summary>
    public Task Open(string url) => Page.GotoAsync(url);

    /// <summary>Does what leads to another page, and returns when all of that is there.</summary>
    public Task Leave(string script) => Leave(() => Run(script));

    /// <summary>The same, by what a person does.</summary>
    public async Task Leave(Func<Task> act)
    {
        var loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Loaded(object? sender, IPage page) => loaded.TrySetResult();
        Page.Load += Loaded;
        await act();
        await loaded.Task.WaitAsync(TimeSpan.FromMilliseconds(PatienceMs));
        Page.Load -= Loaded;
    }

    /// <summary>What a script in the page comes to, as text.</summary>
    public async Task<string> Run(string script) => (await Page.EvaluateAsync<JsonElement?>(script))?.ToString() ?? "";

    /// <summary>Shows the page as on a screen of this width, and as who likes light or dark pages sees it.</summary>
    public async Task Look(int width, bool isDark)
    {
        await Page.SetViewportSizeAsync(width, 900);
        await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light });
    }

    /// <summary>All of the page, as a PNG file.</summary>
    public Task<byte[]> Picture() => Page.ScreenshotAsync(new PageScreenshotOptions { FullPage = true });

    /// <summary>To the next control, as the key does it.</summary>
    public Task Tab() => Page.Keyboard.PressAsync("Tab");

    /// <summary>Where it is, without host.</summary>
    public string Here => new Uri(Page.Url).PathAndQuery;

    public Task SetCookie(string url, string name, string value) =>
        _context.AddCookiesAsync([new Cookie { Url = url, Name = name, Value = value, HttpOnly = true }]);

    public Task ForgetCookies() => _context.ClearCookiesAsync();

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private static async Task<IBrowser> Launch()
    {
        Assert.True(File.Exists(Path), Missing);
        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Path,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
    }

    /// <summary>An authenticator that knows its owner, and an ear for what the browser says against the page.</summary>
    private async Task Attach()
    {
        Page.PageError += (_, fault) => _complaints.Enqueue(fault);
        var tools = await _context.NewCDPSessionAsync(Page);
        tools.Event("Log.entryAdded").OnEvent += (_, told) =>
        {
            // Not that there is no icon, and not advice on forms.
            if (told?.GetProperty("entry").GetProperty("source").GetString() is "security" or "javascript")
            {
                _complaints.Enqueue(told.ToString()!);
            }
        };
        await tools.SendAsync("Log.enable");
        await tools.SendAsync("WebAuthn.enable");
        await tools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true,
                ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
    }
}
