using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>The built server as an operator runs it: a process of its own, with its output, ended by its id.</summary>
internal sealed class ServedGate : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServedGate(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    public int ExitCode => _process.ExitCode;

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>Starts and waits until it answers or ends.</summary>
    public static async Task<ServedGate> Start(
        string folder,
        string provider = "default",
        string? rootKey = null,
        string? address = null,
        string? database = null,
        IReadOnlyDictionary<string, string>? environment = null,
        params string[] more)
    {
        address ??= $"http://127.0.0.1:{FreePort()}";
        var start = Program(["serve", "--provider", provider, "--data", folder, "--urls", address, .. more]);
        start.WorkingDirectory = folder;
        start.Environment["TOLLGATE_ROOT_KEY"] = rootKey ?? "";
        start.Environment["TOLLGATE_DATABASE"] = database ?? "";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var gate = new ServedGate(new Process { StartInfo = start, EnableRaisingEvents = true }, address);
        gate._process.OutputDataReceived += (_, line) => gate.Hear(line.Data);
        gate._process.ErrorDataReceived += (_, line) => gate.Hear(line.Data);
        gate._process.Start();
        gate._process.BeginOutputReadLine();
        gate._process.BeginErrorReadLine();
        await Task.WhenAny(gate._ready.Task, gate._process.WaitForExitAsync()).WaitAsync(Patience);
        return gate;
    }

    /// <summary>Runs the program to its end: the exit code and what went to each of its outputs.</summary>
    public static Task<(int ExitCode, string Output, string Faults)> Run(params string[] arguments) => Run([], arguments);

    /// <summary>The same with variables of its own in the environment, and nobody at its standard input.</summary>
    public static async Task<(int ExitCode, string Output, string Faults)> Run(
        IEnumerable<(string Name, string Value)> environment, string[] arguments)
    {
        var start = Program(arguments);
        start.RedirectStandardInput = true;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var faults = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, output, await faults);
    }

    /// <summary>The command lines it printed, as a person would paste them, run by bash; answers what they print.</summary>
    public Task<string> Paste()
    {
        var lines = Said.Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line[4..]);
        return Paste(string.Join('\n', lines));
    }

    public static async Task<string> Paste(string lines)
    {
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "-s" },
        };
        using var bash = Process.Start(start)!;
        await bash.StandardInput.WriteAsync(lines + "\n");
        bash.StandardInput.Close();
        var faults = bash.StandardError.ReadToEndAsync();
        var printed = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync().WaitAsync(Patience);
        return printed + await faults;
    }

    /// <summary>kill -9: nothing is flushed, closed or told.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>kill -HUP.</summary>
    public async Task HangUp()
    {
        using var kill = Process.Start("kill", ["-HUP", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>What the process holds in memory now, and the most it ever held.</summary>
    public (long Bytes, long BytesMost) Memory()
    {
        var status = File.ReadAllLines($"/proc/{_process.Id}/status");
        return (Read("VmRSS:"), Read("VmHWM:"));

        long Read(string name) => 1_024 * long.Parse(
            status.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..^"kB".Length], null);
    }

    public async Task<int> WaitForExit()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static ProcessStartInfo Program(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Tollgate.Server.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var variable in start.Environment.Keys.Where(name => name.StartsWith("TOLLGATE_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        return start;
    }

    private void Hear(string? line)
    {
        lock (_said)
        {
            _said.Append(line).Append('\n');
        }

        // The last of the lines to paste; it is printed once the server listens.
        if (line?.StartsWith("    curl -s", StringComparison.Ordinal) == true && line.Contains("Bearer $KEY", StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
