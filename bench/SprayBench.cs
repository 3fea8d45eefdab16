using System.Diagnostics;
using System.Globalization;

namespace Tollgate.Bench;

/// <summary>
/// The promise: under a limit of 512 MB and a spray of ten million well-formed keys that do not exist, half of them from one network and
/// half from a million, valid keys' p99 stays under 10 ms and memory stays flat. The gate runs on core 0, the load in a process of its own
/// on core 1; who measures only looks at the gate's resident set.
/// </summary>
internal static class SprayBench
{
    private const double P99MillisecondsMax = 10;

    /// <summary>What counts as flat between the middle and the end.</summary>
    private const double GrowthMax = 1.05;

    public static async Task<int> Run(string[] args)
    {
        if (args is ["load", .. var rest])
        {
            return SprayLoad.Run(rest);
        }

        var options = new Options(args);
        int keys = options.Number("--keys", 1_000_000);
        int unknown = options.Number("--unknown", 10_000_000);
        string? kept = options.Text("--data");
        string folder = kept ?? Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            var page = new ResultPage("spray", "Valid keys while unknown ones are sprayed, under a limit of memory");
            await SeededKeys.Make(folder, keys);
            using var limit = new MemoryLimit((long)options.Number("--limit-mb", 512) << 20);
            using ServerProcess gate = await ServerProcess.Start(
                limit,
                "Tollgate.Server.dll",
                ["serve", "--provider", "default", "--urls", "http://127.0.0.1:0", "--data", folder],
                ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey),
                ("TOLLGATE_TRUSTED_PROXIES", "127.0.0.1"));
            page.Add($"{keys:N0} valid keys in the database, {options.Number("--hot", 5_000):N0} of them in use; {unknown:N0} unknown keys "
                + $"over {options.Number("--connections", 16)} connections. Held to {limit.Bytes >> 20} MiB {limit.Means}.");
            page.Add("");
            bool isKept = await Drive(options, folder, keys, unknown, gate, limit, page);
            page.Save(options.Text("--results"));
            return isKept ? 0 : 1;
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<bool> Drive(
        Options options, string folder, int keys, int unknown, ServerProcess gate, MemoryLimit limit, ResultPage page)
    {
        string[] load =
        [
            "--address", gate.Address, "--data", folder, "--keys", Text(keys), "--unknown", Text(unknown),
            "--hot", Text(options.Number("--hot", 5_000)), "--connections", Text(options.Number("--connections", 16)),
        ];
        var start = new ProcessStartInfo(
            "taskset", ["-c", Text(LoadRun.Core), "dotnet", typeof(SprayBench).Assembly.Location, "spray", "load", .. load])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process child = Process.Start(start)!;
        var resident = new Dictionary<string, long>(StringComparer.Ordinal);
        double p99 = double.MaxValue;
        while (await child.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line is SprayLoad.AtStart or SprayLoad.AtMiddle or SprayLoad.AtEnd)
            {
                resident[line] = gate.Bytes;
            }
            else if (line.StartsWith(SprayLoad.P99, StringComparison.Ordinal))
            {
                p99 = double.Parse(line[SprayLoad.P99.Length..], CultureInfo.InvariantCulture);
            }
            else
            {
                page.Add(line);
            }
        }

        await child.WaitForExitAsync();
        if (child.ExitCode != 0)
        {
            throw new InvalidOperationException("The load failed: a valid key was refused, or a connection broke.");
        }

        page.Add("");
        page.Add($"Resident: {Mib(SprayLoad.AtStart)} MiB at the start, {Mib(SprayLoad.AtMiddle)} in the middle, "
            + $"{Mib(SprayLoad.AtEnd)} at the end.");
        bool isFlat = resident[SprayLoad.AtEnd] <= resident[SprayLoad.AtMiddle] * GrowthMax && resident.Values.Max() <= limit.Bytes;
        bool isFast = p99 < P99MillisecondsMax;
        page.Add($"Memory flat and under the limit: {(isFlat ? "yes" : "NO")}. p99 of valid keys under {P99MillisecondsMax} ms: "
            + $"{(isFast ? "yes" : "NO")}.");
        return isFlat && isFast;

        string Mib(string moment) => Text((int)(resident[moment] >> 20));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
