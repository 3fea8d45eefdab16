using System.Diagnostics;

namespace Tollgate.Server.Telemetry;

/// <summary>The process and its runtime, under the names that Prometheus has for them everywhere.</summary>
internal static class ProcessMetrics
{
    public static IEnumerable<MetricFamily> Families() => new[]
    {
        MetricFamily.Counter(
            "process_cpu_seconds_total", "CPU time used, user and system.", () => Environment.CpuUsage.TotalTime.TotalSeconds),
        MetricFamily.Gauge("process_resident_memory_bytes", "Resident memory.", () => Environment.WorkingSet),
        MetricFamily.Gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", StartSeconds),
        MetricFamily.Gauge("process_threads", "Threads of the operating system.", () => OfProcess(process => process.Threads.Count)),
        MetricFamily.Gauge("dotnet_heap_bytes", "Managed memory in use.", () => GC.GetTotalMemory(false)),
        MetricFamily.Gauge(
            "dotnet_committed_memory_bytes",
            "Memory the garbage collector has committed, as of its last collection.",
            () => GC.GetGCMemoryInfo().TotalCommittedBytes),
        MetricFamily.Counter(
            "dotnet_gc_pause_seconds_total",
            "Time for which the garbage collector held up every thread.",
            () => GC.GetTotalPauseDuration().TotalSeconds),
        MetricFamily.Counter(
            "dotnet_gc_collections_total",
            "Garbage collections; one of a generation is one of those below it too.",
            Collections,
            "generation"),
        MetricFamily.Counter(
            "dotnet_allocated_bytes_total", "Managed memory allocated.", () => GC.GetTotalAllocatedBytes(precise: false)),
        MetricFamily.Gauge("dotnet_threadpool_threads", "Threads of the thread pool.", () => ThreadPool.ThreadCount),
        MetricFamily.Gauge("dotnet_threadpool_queue_length", "Work that waits for such a thread.", () => ThreadPool.PendingWorkItemCount),
    }.Select(family => family with { IsOfRuntime = true });

    private static IEnumerable<MetricSample> Collections() =>
        Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => new MetricSample(
            GC.CollectionCount(generation), ("generation", MetricsText.Number(generation))));

    private static double StartSeconds() =>
        OfProcess(process => new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1_000.0);

    private static double OfProcess(Func<Process, double> read)
    {
        using var process = Process.GetCurrentProcess();
        return read(process);
    }
}
