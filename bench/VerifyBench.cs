using System.Globalization;

namespace Tollgate.Bench;

/// <summary>
/// The promise: <c>POST /api/v1/verify</c> over 1 M keys serves at least 0.85 of what a bare Kestrel serves on the same core. Both
/// servers live
/// through the whole run on core 0 and are driven in turns from core 1, so that a disturbance meets both; a ratio is of two neighbours.
/// </summary>
internal static class VerifyBench
{
    internal const string Bare = "bare Kestrel, GET, a text";
    private const string BarePost = "bare Kestrel, the same POST, its body unread";
    private const string AsRoot = "verify, the root key asks";
    private const string AsKey = "verify, a key with the right `verify` asks";

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        int keys = options.Number("--keys", 1_000_000);
        int rounds = options.Number("--rounds", 11);
        int seconds = options.Number("--seconds", 3);
        string? kept = options.Text("--data");
        string folder = kept ?? Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            var page = new ResultPage("verify", "POST /api/v1/verify against a bare Kestrel");
            SeededKeys seeded = await SeededKeys.Make(folder, keys);
            using ServerProcess bare = await ServerProcess.Start("bench.dll", ["bare"]);
            using ServerProcess gate = await ServerProcess.Start(
                "Tollgate.Server.dll",
                ["serve", "--provider", "default", "--urls", "http://127.0.0.1:0", "--data", folder],
                ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey),
                ("TOLLGATE_LOG_LEVEL", "information"),
                ("TOLLGATE_REQUEST_THREADS", options.Text("--request-threads") ?? "inline"));
            long empty = gate.Bytes;
            await seeded.Warm(gate);
            long full = gate.Bytes;
            var sides = Sides(bare, gate, seeded);
            Dictionary<string, List<LoadRun>> runs = await Measure(sides, gate, rounds, seconds);
            Tell(page, runs, rounds, seconds);
            await TellLong(page, runs, sides.Single(side => side.Name == AsRoot), gate, options.Number("--long", 60));
            page.Add("");
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"Memory: {empty >> 20} MiB resident when empty, {full >> 20} MiB with {keys:N0} keys loaded: "
            + $"{(full - empty) / (double)keys:F0} bytes a key."));
            page.Save(options.Text("--results"));
            return 0;
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static (string Name, Func<int, Task<LoadRun>> Drive)[] Sides(ServerProcess bare, ServerProcess gate, SeededKeys seeded)
    {
        return
        [
            (Bare, seconds => LoadRun.Drive(bare, "/", "get.lua", seconds)),
            (AsRoot, seconds => Post(gate, SeededKeys.RootKey, seconds)),
            (AsKey, seconds => Post(gate, seeded.CallerSecret, seconds)),
            (BarePost, seconds => Post(bare, SeededKeys.RootKey, seconds)),
        ];

        Task<LoadRun> Post(ServerProcess server, string caller, int seconds) => LoadRun.Drive(
            server, "/api/v1/verify", "verify.lua", seconds,
            seeded.SecretsFile, seeded.SecretLength.ToString(CultureInfo.InvariantCulture), caller);
    }

    /// <summary>
    /// Drives all sides in turns, each when nothing waits to be booked. Two rounds pass before anything is written down: compiling in tiers
    /// takes some seconds under load.
    /// </summary>
    internal static async Task<Dictionary<string, List<LoadRun>>> Measure(
        (string Name, Func<int, Task<LoadRun>> Drive)[] sides, ServerProcess gate, int rounds, int seconds)
    {
        var runs = sides.ToDictionary(side => side.Name, _ => new List<LoadRun>(), StringComparer.Ordinal);
        await Booking.End(gate);
        for (int round = -2; round < rounds; round++)
        {
            foreach ((string name, Func<int, Task<LoadRun>> drive) in sides)
            {
                LoadRun run = await drive(seconds);
                TimeSpan booking = await Booking.End(gate);
                if (round >= 0)
                {
                    runs[name].Add(run with { BookingMicroseconds = booking.TotalMicroseconds / run.Asked });
                }
            }
        }

        return runs;
    }

    /// <summary>One run that is longer than the spool: booking goes on beside it.</summary>
    internal static async Task TellLong(
        ResultPage page, Dictionary<string, List<LoadRun>> runs, (string Name, Func<int, Task<LoadRun>> Drive) side, ServerProcess gate,
        int seconds)
    {
        double bare = Spread.Of(runs[Bare].Select(run => run.RequestsPerSecond)).Median;
        LoadRun run = await side.Drive(seconds);
        await Booking.End(gate);
        page.Add("");
        page.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"{side.Name}, {seconds} s without a pause, which is more than the spool holds: {run.RequestsPerSecond:N0} a second, "
            + $"{run.RequestsPerSecond / bare:F2} of the bare server's median, {run.Refused:P1} refused."));
    }

    internal static void Tell(ResultPage page, Dictionary<string, List<LoadRun>> runs, int rounds, int seconds)
    {
        page.Add($"Server on core {ServerProcess.Core}, wrk on core {LoadRun.Core}, "
            + $"{LoadRun.Connections} keep-alive connections, {rounds} rounds of "
            + $"{seconds} s each in turns, random keys. Medians, with the least and the most; ratios are of neighbours in one round.");
        page.Add("A round begins when nothing waits to be booked. What it notes is booked mostly after it; what that takes is told apart.");
        page.Add("");
        page.Add("| what | requests/s | ratio | refused | CPU µs a request | CPU ratio | and to book it, µs | p50 µs | p99 µs |");
        page.Add("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        List<LoadRun> bare = runs[Bare];
        foreach ((string name, List<LoadRun> mine) in runs)
        {
            string rate = Spread.Of(mine.Select(run => run.RequestsPerSecond)).ToText("N0");
            string ratio = Spread.Of(mine.Zip(bare, (my, its) => my.RequestsPerSecond / its.RequestsPerSecond)).ToText("F2");
            string cpu = Spread.Of(mine.Select(run => run.CpuMicroseconds)).ToText("F1");
            string cpuRatio = Spread.Of(mine.Zip(bare, (my, its) => my.CpuMicroseconds / its.CpuMicroseconds)).ToText("F2");
            string p50 = Spread.Of(mine.Select(run => (double)run.P50Microseconds)).ToText("F0");
            string p99 = Spread.Of(mine.Select(run => (double)run.P99Microseconds)).ToText("F0");
            string refused = Spread.Of(mine.Select(run => run.Refused)).ToText("P1");
            string booking = Spread.Of(mine.Select(run => run.BookingMicroseconds)).ToText("F1");
            page.Add($"| {name} | {rate} | {ratio} | {refused} | {cpu} | {cpuRatio} | {booking} | {p50} | {p99} |");
        }
    }
}
