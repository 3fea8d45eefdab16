using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Mail;

/// <summary>
/// A real mail server, Debian's aiosmtpd, in a process of its own; see <c>sink.py</c>. It ends with the test, even when the test is killed,
/// since it reads our end of a pipe.
/// </summary>
internal sealed class MailSink : IAsyncDisposable
{
    private const string Missing =
        "These tests need aiosmtpd: install it (Debian: apt-get install python3-aiosmtpd) and run them again.";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly ConcurrentQueue<SunkMail> _mails = new();
    private readonly SemaphoreSlim _arrivals = new(0);
    private readonly SemaphoreSlim _heard = new(0);
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MailSink(Process process) => _process = process;

    public int Port { get; private set; }

    /// <summary>All that it has taken until now, in order.</summary>
    public async Task<IReadOnlyList<SunkMail>> Mails()
    {
        await _process.StandardInput.WriteLineAsync("what came?");
        await _process.StandardInput.FlushAsync();
        Assert.True(await _heard.WaitAsync(Patience, TestContext.Current.CancellationToken), "The mail server does not answer.");
        return [.. _mails];
    }

    public async Task<SunkMail> Only() => Assert.Single(await Mails());

    /// <param name="arguments">A certificate and its key, a user and a password; fewer for less.</param>
    public static async Task<MailSink> Start(params string[] arguments)
    {
        // Debian's package is Debian's Python's; another one may come first in the path.
        var python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(python, [Path.Combine(Repository.Root, "tests/Server.Tests/Mail/sink.py"), .. arguments])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            },
        };
        var (sink, faults) = (new MailSink(process), new StringBuilder());
        process.OutputDataReceived += (_, line) => sink.Hear(line.Data);
        process.ErrorDataReceived += (_, line) => faults.AppendLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Task.WhenAny(sink._port.Task, process.WaitForExitAsync()).WaitAsync(Patience);
        Assert.True(sink._port.Task.IsCompleted, Missing + faults);
        sink.Port = await sink._port.Task;
        return sink;
    }

    /// <summary>Returns when so many more have come; fails after a time that no working gate needs.</summary>
    public async Task Arrived(int more = 1)
    {
        for (var i = 0; i < more; i++)
        {
            Assert.True(await _arrivals.WaitAsync(Patience, TestContext.Current.CancellationToken), "No mail came.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _arrivals.Dispose();
        _heard.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            return;
        }

        var json = JsonElement.Parse(line);
        if (json.ValueKind == JsonValueKind.Number)
        {
            _port.SetResult(json.GetInt32());
            return;
        }

        if (json.ValueKind == JsonValueKind.String)
        {
            _heard.Release();
            return;
        }

        _mails.Enqueue(new SunkMail(
            json.GetProperty("from").GetString()!,
            [.. json.GetProperty("to").EnumerateArray().Select(to => to.GetString()!)],
            json.GetProperty("encrypted").GetBoolean(),
            json.GetProperty("user").GetString(),
            Encoding.UTF8.GetString(json.GetProperty("data").GetBytesFromBase64())));
        _arrivals.Release();
    }
}

/// <summary>A mail as it came over the wire: every byte of it, read as UTF-8.</summary>
internal sealed record SunkMail(string From, IReadOnlyList<string> To, bool IsEncrypted, string? User, string Raw)
{
    /// <summary>The head without its folds, a line a header.</summary>
    public IReadOnlyList<string> Head => Raw.Split("\r\n\r\n", 2)[0].Replace("\r\n ", " ", StringComparison.Ordinal).Split("\r\n");

    public string? Header(string name) => Head.SingleOrDefault(
        line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    /// <summary>The part of a type with its own head, as it stands there.</summary>
    public string Part(string type)
    {
        var boundary = Header("Content-Type")!.Split("boundary=")[1].Trim('"');
        return Raw.Split("--" + boundary).Single(part => part.Contains($"Content-Type: {type}", StringComparison.Ordinal));
    }
}
