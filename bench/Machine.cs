using System.Globalization;
using System.Runtime.InteropServices;

namespace Tollgate.Bench;

/// <summary>What a reader must know of the machine to judge a figure; nothing that names it.</summary>
internal static class Machine
{
    public static string Facts()
    {
        string[] flags = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') ?? []
            : [];
        string known = string.Join(", ", new[] { "sha_ni", "avx2", "avx512f" }.Where(flags.Contains));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores, {RuntimeInformation.ProcessArchitecture} ({known}), "
            + $"{RuntimeInformation.FrameworkDescription}, ")
            + $"{DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime):yyyy-MM-dd}";
    }

    /// <summary>How many programs wanted to run in the last minute, on average: above the number of cores, figures are disturbed.</summary>
    public static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
