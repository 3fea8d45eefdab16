using System.Diagnostics;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

/// <summary>After a commit that failed the gate is not ready, and finds out by itself when it is again.</summary>
public sealed class CommitInDoubtTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_fails_in_finding_out_is_tried_again_and_the_metric_says_what_readyz_says(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var (told, failing) = (0, true);
        store.Database.MemoryInDoubt += () =>
        {
            if (Interlocked.Increment(ref told) > 1 && Volatile.Read(ref failing))
            {
                throw new InvalidOperationException("as a bug would");
            }
        };
        await FailCommit(store);
        await Until(() => Volatile.Read(ref told) > 1);

        Assert.False(store.Database.CanCommit);
        Assert.False(await new Readiness(store.Database).Ask());
        Assert.Equal("the database cannot make a change durable", await Health.Fault(store.Database));

        Volatile.Write(ref failing, false);
        await Until(() => store.Database.CanCommit);
        Assert.True(await new Readiness(store.Database).Ask());
        Assert.Null(await Health.Fault(store.Database));

        // Whoever found that out has gone, and the next one that is in doubt finds somebody again.
        await FailCommit(store);
        await Until(() => store.Database.CanCommit);
    }

    /// <summary>By a rule that is checked only at the commit.</summary>
    private static Task<Exception> FailCommit(TestStore store) =>
        Assert.ThrowsAnyAsync<Exception>(() => store.Database.Write<string>(async scope =>
        {
            if (store.Database.Kind == DatabaseKind.Sqlite)
            {
                await scope.Execute("PRAGMA defer_foreign_keys = ON");
                await scope.Execute(
                    "INSERT INTO projects (project_no, id, organization_no, name, created_at_ms, row_version) "
                    + "VALUES (1, 'a', 9, 'b', 0, 1)");
            }
            else
            {
                await scope.Execute(
                    "CREATE TEMPORARY TABLE once (n INT UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP; "
                    + "INSERT INTO once VALUES (1), (1)");
            }

            return "never kept";
        }));

    private static async Task Until(Func<bool> condition)
    {
        for (var waited = Stopwatch.StartNew(); !condition();)
        {
            Assert.InRange(waited.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
            await Task.Delay(5);
        }
    }
}
