using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Usage;

namespace Tollgate.Server.Tests.Operating;

/// <summary>What the doctor says of requests that are on their way into the database.</summary>
public sealed class SpoolPlaceTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_doctor_looks_at_the_spool()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        await using (var gate = await place.Start())
        {
            await gate.Use((await gate.NewPair()).Id, Passed());
            Assert.Contains("0 of 1,024 events", (await place.Run("doctor")).Output, StringComparison.Ordinal);
        }

        Leave(place, 600);
        var full = await place.Run("doctor");
        Assert.Contains("600 of 1,024 events", full.Output, StringComparison.Ordinal);
        Assert.Contains("warning  spool", full.Output, StringComparison.Ordinal);

        await using (var gate = await place.Start())
        {
            Assert.Equal(0, gate.Services.GetRequiredService<Fold>().Waiting);
        }

        File.WriteAllBytes(place.PathOf(SpoolFile.Name), new byte[10]);
        Assert.Contains("FAILED   spool", (await place.Run("doctor")).Output, StringComparison.Ordinal);
        File.Delete(place.PathOf(SpoolFile.Name));
        Assert.Contains("There is none yet", (await place.Run("doctor")).Output, StringComparison.Ordinal);
    }

    /// <summary>As a gate that was killed leaves it.</summary>
    private static void Leave(Place place, int events)
    {
        using var spool = Spool.Open(place.Folder, Spool.CapacityMin);
        for (var i = 0; i < events; i++)
        {
            var request = (1L << 50) + spool.Buffer.Last;
            Assert.True(spool.Buffer.TryAppend(
                Passed() with { RequestNo = request, KeyNo = 1, AtMs = place.Clock.NowMs, AdmittedAtMs = place.Clock.NowMs }, out _));
        }
    }

    private static UsageEvent Passed() => new() { Kind = UsageKind.Passed, InputTokens = 1 };
}
