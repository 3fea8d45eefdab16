using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Usage;

namespace Tollgate.Server.Tests.Operating;

/// <summary>What an operator's verbs do about the requests that are on their way into the database.</summary>
public sealed class SpoolPlaceTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_restore_moves_the_spool_aside_and_nothing_of_it_comes_into_the_restored_data(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        string key;
        await using (var gate = await place.Start())
        {
            key = (await gate.NewPair()).Id;
            await gate.Use(key, Passed(), Passed());
        }

        var backup = await place.Backup();
        await using (var gate = await place.Start())
        {
            await gate.Use(key, Passed());
        }

        Leave(place, 3);
        var restored = await place.Run("restore", backup, "--yes");

        Assert.True(restored.ExitCode == 0, restored.ToString());
        Assert.Contains("usage.spool.before-", restored.Output, StringComparison.Ordinal);
        var aside = Assert.Single(Directory.GetFiles(place.Folder, "usage.spool.before-*"));
        Assert.Equal(3, SpoolFile.Read(aside).Left);
        await using var next = await place.Start();
        Assert.Equal(2, (await next.Usage()).GetProperty("data")[0].GetProperty("requests").GetInt32());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_spool_of_before_a_restore_that_lies_there_all_the_same_is_refused(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        await using (var gate = await place.Start())
        {
            _ = await gate.NewPair();
        }

        var backup = await place.Backup();
        Leave(place, 1);
        Assert.Equal(0, (await place.Run("restore", backup, "--yes")).ExitCode);
        File.Move(Directory.GetFiles(place.Folder, "usage.spool.before-*")[0], place.PathOf(SpoolFile.Name));

        var refused = await Assert.ThrowsAsync<StorageException>(place.Start);

        Assert.Contains("move the file away", refused.Message, StringComparison.Ordinal);
    }

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
