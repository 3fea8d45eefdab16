using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Tollgate.Bench;

/// <summary>A server in a process of its own on one core, from the line that names its address until it is ended by its number.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    public const int Core = 0;

    private readonly Process _process;

    private ServerProcess(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    /// <summary>What the process has used of its core so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory.</summary>
    public long Bytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts <c>dotnet ASSEMBLY ARGUMENTS</c> and waits until it says where it listens.</summary>
    public static Task<ServerProcess> Start(string assembly, string[] arguments, params (string Name, string Value)[] environment) =>
        Start(null, assembly, arguments, environment);

    /// <summary>The same, on the core of those who drive the servers: what stands behind both sides of a comparison.</summary>
    public static Task<ServerProcess> StartBehind(string assembly, params string[] arguments) =>
        Start(LoadRun.Core, null, assembly, arguments);

    /// <summary>The same, held to a limit.</summary>
    public static Task<ServerProcess> Start(
        MemoryLimit? limit, string assembly, string[] arguments, params (string Name, string Value)[] environment) =>
        Start(Core, limit, assembly, arguments, environment);

    private static async Task<ServerProcess> Start(
        int core, MemoryLimit? limit, string assembly, string[] arguments, params (string Name, string Value)[] environment)
    {
        string[] command =
        [
            "taskset", "-c", core.ToString(CultureInfo.InvariantCulture), "dotnet",
            Path.Combine(AppContext.BaseDirectory, assembly), .. arguments,
        ];
        command = limit?.Wrap(command) ?? command;
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        var said = new List<string>();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (Listening().Match(line) is { Success: true } match)
            {
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return new ServerProcess(process, match.Value);
            }
        }

        throw new InvalidOperationException($"{assembly} did not start: {string.Join('\n', said)}");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Listening();
}
