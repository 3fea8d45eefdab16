using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// Debian's Chromium without a window, spoken to by its DevTools protocol over a socket of its own, with an authenticator that it plays
/// itself. It ends with the test.
/// </summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Missing = "These tests need Chromium: install it (Debian: apt-get install chromium) and run them again.";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _profile = Directory.CreateTempSubdirectory("tollgate-chromium-");
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _asked = [];
    private readonly ConcurrentQueue<string> _complaints = [];
    private readonly Process _process;
    private TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _hearing = Task.CompletedTask;
    private long _last;
    private string? _session;

    private Chromium() => _process = new Process
    {
        StartInfo = new ProcessStartInfo("chromium",
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
            $"--user-data-dir={_profile.FullName}", "about:blank",
        ])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        },
    };

    /// <summary>What the browser had to say against pages: broken policies, faults of scripts.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    public static async Task<Chromium> Start()
    {
        var chromium = new Chromium();
        var (address, told) = (new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously), new StringBuilder());
        chromium._process.ErrorDataReceived += (_, line) =>
        {
            told.AppendLine(line.Data);
            if (line.Data?.Split("DevTools listening on ") is [_, var found])
            {
                address.TrySetResult(found);
            }
        };
        try
        {
            chromium._process.Start();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Fail(Missing);
        }

        chromium._process.BeginErrorReadLine();
        chromium._process.BeginOutputReadLine();
        await Task.WhenAny(address.Task, chromium._process.WaitForExitAsync()).WaitAsync(Patience);
        Assert.True(address.Task.IsCompleted, told.ToString());
        await chromium._socket.ConnectAsync(new Uri(await address.Task), default);
        chromium._hearing = chromium.Hear();
        await chromium.Attach();
        return chromium;
    }

    /// <summary>A page of its own, with an authenticator that knows its owner.</summary>
    private async Task Attach()
    {
        var target = (await Ask("Target.createTarget", new JsonObject { ["url"] = "about:blank" })).GetProperty("targetId").GetString();
        _session = (await Ask("Target.attachToTarget", new JsonObject { ["targetId"] = target, ["flatten"] = true }))
            .GetProperty("sessionId").GetString();
        await Ask("Page.enable");
        await Ask("Log.enable");
        await Ask("Runtime.enable");
        await Ask("WebAuthn.enable");
        await Ask("WebAuthn.addVirtualAuthenticator", new JsonObject
        {
            ["options"] = new JsonObject
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true,
                ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
    }

    /// <summary>Opens a page, and returns when all of it is there.</summary>
    public Task Open(string url) => Loading(() => Ask("Page.navigate", new JsonObject { ["url"] = url }));

    /// <summary>Does what leads to another page, and returns when all of that is there.</summary>
    public Task Leave(string script) => Loading(() => Run(script));

    /// <summary>What a script in the page comes to, as text.</summary>
    public async Task<string> Run(string script)
    {
        var result = await Ask("Runtime.evaluate", new JsonObject
        {
            ["expression"] = script, ["awaitPromise"] = true, ["returnByValue"] = true, ["userGesture"] = true,
        });
        Assert.False(result.TryGetProperty("exceptionDetails", out var fault), fault.ToString());
        return result.GetProperty("result").TryGetProperty("value", out var value) ? value.ToString() : "";
    }

    /// <summary>Shows the page as on a screen of this width, and as who likes light or dark pages sees it.</summary>
    public async Task Look(int width, bool isDark)
    {
        await Ask("Emulation.setDeviceMetricsOverride", new JsonObject
        {
            ["width"] = width, ["height"] = 900, ["deviceScaleFactor"] = 1, ["mobile"] = false,
        });
        await Ask("Emulation.setFocusEmulationEnabled", new JsonObject { ["enabled"] = true });
        await Ask("Emulation.setEmulatedMedia", new JsonObject
        {
            ["features"] = new JsonArray(
                new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" },
                new JsonObject { ["name"] = "prefers-reduced-motion", ["value"] = "reduce" }),
        });
    }

    /// <summary>All of the page, as a PNG file.</summary>
    public async Task<byte[]> Picture()
    {
        var answer = await Ask("Page.captureScreenshot", new JsonObject { ["format"] = "png", ["captureBeyondViewport"] = true });
        return Convert.FromBase64String(answer.GetProperty("data").GetString()!);
    }

    /// <summary>To the next control, as the key does it.</summary>
    public async Task Tab()
    {
        foreach (var type in new[] { "rawKeyDown", "keyUp" })
        {
            await Ask("Input.dispatchKeyEvent", new JsonObject
            {
                ["type"] = type, ["key"] = "Tab", ["code"] = "Tab", ["windowsVirtualKeyCode"] = 9,
            });
        }
    }

    public Task<string> Path() => Run("location.pathname + location.search");

    public Task SetCookie(string url, string name, string value) =>
        Ask("Network.setCookie", new JsonObject { ["url"] = url, ["name"] = name, ["value"] = value, ["httpOnly"] = true });

    public Task ForgetCookies() => Ask("Network.clearBrowserCookies");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        await _hearing;
        _socket.Dispose();
        _process.Dispose();
        _sending.Dispose();
        _profile.Delete(recursive: true);
    }

    private async Task Loading(Func<Task<JsonElement>> act)
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await act();
        await _loaded.Task.WaitAsync(Patience);
    }

    private Task Loading(Func<Task<string>> act) => Loading(async () =>
    {
        await act();
        return default(JsonElement);
    });

    private async Task<JsonElement> Ask(string method, JsonObject? parameters = null)
    {
        var (id, answer) = (Interlocked.Increment(ref _last), new TaskCompletionSource<JsonElement>(
            TaskCreationOptions.RunContinuationsAsynchronously));
        _asked[id] = answer;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (_session is not null)
        {
            call["sessionId"] = _session;
        }

        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(call.ToJsonString()), WebSocketMessageType.Text, true, default);
        }
        finally
        {
            _sending.Release();
        }

        var told = await answer.Task.WaitAsync(Patience);
        Assert.False(told.TryGetProperty("error", out var fault), $"{method}: {fault}");
        return told.GetProperty("result");
    }

    private async Task Hear()
    {
        var (buffer, message) = (new byte[65_536], new MemoryStream());
        try
        {
            while (await _socket.ReceiveAsync(buffer, default) is { MessageType: not WebSocketMessageType.Close } part)
            {
                message.Write(buffer, 0, part.Count);
                if (part.EndOfMessage)
                {
                    Take(JsonElement.Parse(message.ToArray()));
                    message.SetLength(0);
                }
            }
        }
        catch (WebSocketException)
        {
            // The browser was ended.
        }
    }

    /// <summary>Not that there is no icon, and not advice on forms.</summary>
    private static bool IsOfPolicy(JsonElement message) => message.GetProperty("method").GetString() == "Log.entryAdded"
        && message.GetProperty("params").GetProperty("entry").GetProperty("source").GetString() is "security" or "javascript";

    private void Take(JsonElement message)
    {
        if (message.TryGetProperty("id", out var id))
        {
            _asked.TryRemove(id.GetInt64(), out var answer);
            answer?.TrySetResult(message);
        }
        else if (message.GetProperty("method").GetString() == "Page.loadEventFired")
        {
            _loaded.TrySetResult();
        }
        else if (message.GetProperty("method").GetString() == "Runtime.exceptionThrown" || IsOfPolicy(message))
        {
            _complaints.Enqueue(message.GetProperty("params").ToString());
        }
    }
}
