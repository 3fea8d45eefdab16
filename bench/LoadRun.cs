using System.Diagnostics;
using System.Globalization;

namespace Tollgate.Bench;

/// <summary>One run of wrk on the core that the server does not have, over 64 connections that stay open.</summary>
/// <param name="Asked">Requests that were sent.</param>
/// <param name="RequestsPerSecond">Answered with 2xx.</param>
/// <param name="Refused">The share of the others.</param>
/// <param name="CpuMicroseconds">The server's, for each request.</param>
/// <param name="P50Microseconds">The median of their latencies.</param>
/// <param name="P99Microseconds">What one in a hundred exceeds.</param>
internal sealed record LoadRun(
    double Asked, double RequestsPerSecond, double Refused, double CpuMicroseconds, long P50Microseconds, long P99Microseconds)
{
    /// <summary>What was left to be done for each after the run; the server's.</summary>
    public double BookingMicroseconds { get; init; }

    public const int Core = 1;
    public const int Connections = 64;

    /// <summary>
    /// Drives <paramref name="server"/> for some seconds. A broken connection fails the run, and so does one without any 2xx.
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

        // The scripts print: tollgate REQUESTS MICROSECONDS BROKEN REFUSED P50 P99
        string[] fields = output.Split('\n').FirstOrDefault(line => line.StartsWith("tollgate ", StringComparison.Ordinal))?.Split(' ')
            ?? throw new InvalidOperationException($"wrk did not finish: {output}");
        double[] numbers = [.. fields[1..].Select(field => double.Parse(field, CultureInfo.InvariantCulture))];
        (double asked, double refused) = (numbers[0], numbers[3]);
        return numbers[2] == 0 && asked > refused
            ? new LoadRun(
                asked, (asked - refused) * 1e6 / numbers[1], refused / asked, cpu.TotalMicroseconds / asked, (long)numbers[4],
                (long)numbers[5])
            : throw new InvalidOperationException($"{numbers[2]} of {numbers[0]} requests failed: {output}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
