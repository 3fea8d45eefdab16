using System.Diagnostics;
using System.Globalization;

namespace Tollgate.Bench;

/// <summary>One run of wrk on the core that the server does not have, over 64 connections that stay open.</summary>
internal sealed record LoadRun(double RequestsPerSecond, double CpuMicroseconds, long P50Microseconds, long P99Microseconds)
{
    public const int Core = 1;
    public const int Connections = 64;

    /// <summary>
    /// Drives <paramref name="server"/> for some seconds. Any answer but a 2xx, and any broken connection, fails the run.
    /// </summary>
    public static Task<LoadRun> Drive(ServerProcess server, string path, string script, int seconds, params string[] scriptArguments) =>
        Drive(server, path, script, seconds, Connections, scriptArguments);

    /// <summary>The same over another number of connections.</summary>
    public static async Task<LoadRun> Drive(
        ServerProcess server, string path, string script, int seconds, int connections, string[] scriptArguments)
    {
        string file = Path.Combine(AppContext.BaseDirectory, script);
        var start = new ProcessStartInfo(
            "taskset",
            [
                "-c", Text(Core), "wrk", "-t1", $"-c{Text(connections)}", $"-d{Text(seconds)}s", "-s", file, server.Address + path,
                "--", .. scriptArguments,
            ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        TimeSpan cpu = server.Cpu;
        using Process wrk = Process.Start(start)!;
        string output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        cpu = server.Cpu - cpu;

        // The scripts print: tollgate REQUESTS MICROSECONDS ERRORS P50 P99
        string[] fields = output.Split('\n').FirstOrDefault(line => line.StartsWith("tollgate ", StringComparison.Ordinal))?.Split(' ')
            ?? throw new InvalidOperationException($"wrk did not finish: {output}");
        double[] numbers = [.. fields[1..].Select(field => double.Parse(field, CultureInfo.InvariantCulture))];
        return numbers[2] == 0 && numbers[0] > 0
            ? new LoadRun(numbers[0] * 1e6 / numbers[1], cpu.TotalMicroseconds / numbers[0], (long)numbers[3], (long)numbers[4])
            : throw new InvalidOperationException($"{numbers[2]} of {numbers[0]} requests failed: {output}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
