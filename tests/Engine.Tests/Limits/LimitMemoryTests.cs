using System.Runtime.CompilerServices;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Tests.Verification;

namespace Tollgate.Engine.Tests.Limits;

/// <summary>Measures the whole process's memory, so nothing runs beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class LimitMemoryTests
{
    [Fact]
    public void An_active_limit_takes_at_most_160_bytes_with_all_that_belongs_to_it()
    {
        Assert.Equal(RollingWindow.Bytes, Unsafe.SizeOf<RollingWindow>());
        Assert.InRange(RollingWindow.StateBytes, 1, 160);

        const int keys = 100_000;
        Limit limit = MeteredGate.Limit("rpm", LimitCounts.Requests, 60);
        var table = new LimitTable(new LimitCatalogue([limit, limit, limit], [new LimitPlan("free", [9, 9, 9])]), 400_000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (uint key = 1; key <= keys; key++)
        {
            for (int number = 0; number < 3; number++)
            {
                table.TryRestore(key, number, [new SlotCount(0, 1)], 1_000);
            }
        }

        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(3 * keys, table.Count);
        // Its share of the last, half-filled chunk of each stripe is in it; the buckets, four bytes for two limits, were there before.
        Assert.InRange((double)bytes / table.Count, 150, 158);
    }
}
