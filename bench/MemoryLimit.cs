using System.Globalization;

namespace Tollgate.Bench;

/// <summary>
/// Holds a process to so many bytes. Where this process may make a control group (version 2) under its own, the kernel holds it: beyond the
/// limit the process is killed, and nothing is swapped. Elsewhere the runtime holds its own heap to three quarters, as it would in such a
/// group, and whoever measures compares the resident set with the limit.
/// </summary>
internal sealed class MemoryLimit : IDisposable
{
    private readonly string? _group;

    public MemoryLimit(long bytes)
    {
        Bytes = bytes;
        _group = MakeGroup(bytes);
    }

    public long Bytes { get; }

    /// <summary>How it is held, for the page.</summary>
    public string Means => _group is not null
        ? "by a control group: beyond it the kernel ends the process"
        : "for its heap by the runtime (three quarters of it), and watched from outside: above it the run fails";

    /// <summary>What runs in place of a command so that it is held.</summary>
    public string[] Wrap(string[] command) => _group is null
        ? ["env", string.Create(CultureInfo.InvariantCulture, $"DOTNET_GCHeapHardLimit=0x{Bytes / 4 * 3:X}"), .. command]
        : ["sh", "-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"", _group, .. command];

    public void Dispose()
    {
        if (_group is not null)
        {
            // Empty by now: the process has ended.
            Directory.Delete(_group);
        }
    }

    private static string? MakeGroup(long bytes)
    {
        const string root = "/sys/fs/cgroup";
        try
        {
            string? own = File.ReadLines("/proc/self/cgroup").FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal));
            string group = $"{root}{own?[3..].TrimEnd('/')}/tollgate-bench-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";
            if (own is null || !File.Exists($"{root}/cgroup.controllers"))
            {
                return null;
            }

            Directory.CreateDirectory(group);
            if (!File.Exists($"{group}/memory.max"))
            {
                Directory.Delete(group);
                return null;
            }

            File.WriteAllText($"{group}/memory.max", bytes.ToString(CultureInfo.InvariantCulture));
            File.WriteAllText($"{group}/memory.swap.max", "0");
            return group;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
