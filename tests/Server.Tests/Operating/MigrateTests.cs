using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Operating;

public sealed class MigrateTests(PostgresFixture postgres)
{
    /// <summary>128 and the number of SIGKILL: how a shell and .NET tell of a process that was killed.</summary>
    private const int Killed = 137;

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_brings_a_database_to_this_version_and_check_only_tells(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);

        var before = await place.Run("migrate", "--check");
        Assert.True(before.ExitCode == 1, before.ToString());
        Assert.Contains("pending  0001 (storage)", before.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(place.DatabaseFile));

        Assert.Equal(0, (await place.Run("migrate")).ExitCode);
        var after = await place.Run("migrate", "--check");
        Assert.True(after.ExitCode == 0, after.ToString());
        Assert.Contains("Nothing to do", after.Output, StringComparison.Ordinal);

        await using var gate = await place.Start();
        var beside = await place.Run("migrate", "--check");
        Assert.True(beside.ExitCode == 0, beside.ToString());
        var refused = await place.Run("migrate");
        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.StartsWith("tollgate: Another Tollgate process is using the ", refused.Faults, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task One_that_was_killed_in_the_middle_of_a_migration_starts_again(DatabaseKind kind)
    {
        foreach (var point in new[] { "migration-run:3", "migration-recorded:3", "migration-committed:3" })
        {
            await using var place = await Place.New(kind, postgres);

            var killed = await place.Run([("TOLLGATE_FAILPOINT", point)], "migrate");
            Assert.True(killed.ExitCode == Killed, point + killed);
            // What was committed before the kill is there, and nothing of what was not.
            var left = await place.Run("migrate", "--check");
            var first = point.StartsWith("migration-committed", StringComparison.Ordinal) ? 4 : 3;
            Assert.StartsWith($"pending  {first:0000}", left.Output, StringComparison.Ordinal);

            var again = await place.Run("migrate");
            Assert.True(again.ExitCode == 0, point + again);
            await using var gate = await place.Start();
            Assert.Equal("allowed", await gate.Code(await gate.NewSecret()));
        }
    }

    [Fact]
    public async Task A_word_too_many_is_told_and_nothing_is_made()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);

        var wrong = await place.Run("migrate", "--chek", "x", "now");

        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("now: is one word too many.", wrong.Faults, StringComparison.Ordinal);
        Assert.Contains("--chek: is not an argument.", wrong.Faults, StringComparison.Ordinal);
        Assert.False(File.Exists(place.DatabaseFile));
    }
}
