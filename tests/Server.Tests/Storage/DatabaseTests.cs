using Dapper;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

public sealed class DatabaseTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_that_succeeds_is_seen_by_the_next_read(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        var written = await store.Database.Write<string>(async scope =>
        {
            await scope.SetSetting("colour", "blue");
            await scope.SetSetting("colour", "green");
            return "done";
        });

        Assert.Equal("done", written.Value);
        Assert.Equal("green", (await store.Database.Settings())["colour"]);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_failed_outcome_leaves_no_row_no_change_no_number_and_runs_nothing_after(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var ran = false;

        var refused = await store.Database.Write<string>(async scope =>
        {
            await Everything(scope, () => ran = true);
            return Problem.Of(ProblemCode.Conflict);
        });

        Assert.Equal("conflict", refused.CodeOf());
        await AssertNothingStayed(store);
        Assert.False(ran);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_that_throws_leaves_nothing_and_the_next_one_works(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.Write<string>(async scope =>
        {
            await Everything(scope, () => { });
            throw new InvalidOperationException("a bug");
        }));

        await AssertNothingStayed(store);
    }

    /// <summary>Made to fail at the commit itself: by a rule that is checked only there, or by ending the connection before it.</summary>
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_commit_that_fails_is_told_to_who_keeps_rows_in_memory(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var told = 0;
        store.Database.MemoryInDoubt += () => told++;

        await Assert.ThrowsAnyAsync<Exception>(() => store.Database.Write<string>(async scope =>
        {
            if (kind == DatabaseKind.Sqlite)
            {
                await scope.Execute("PRAGMA defer_foreign_keys = ON");
                await scope.Execute(
                    "INSERT INTO projects (project_no, id, organization_no, name, created_at_ms, row_version) "
                    + "VALUES (1, 'a', 9, 'b', 0, 1)");
            }
            else
            {
                var own = await scope.Find<int>("SELECT pg_backend_pid()");
                await store.Database.Read(other => other.ExecuteAsync("SELECT pg_terminate_backend(@own)", new { own }));
            }

            return "never kept";
        }));

        // The next write waits for the doubtful one to have ended, and tells once more: what was read in between may be old.
        Assert.True((await store.Database.Write<string>(async scope =>
        {
            await scope.SetSetting("colour", "blue");
            return "kept";
        })).IsOk);
        Assert.Equal(2, told);
        Assert.True((await store.Database.Write<bool>(_ => Task.FromResult<Outcome<bool>>(true))).IsOk);
        Assert.Equal(2, told);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_statement_that_fails_leaves_nothing_and_the_next_write_works(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => store.Database.Write<string>(async scope =>
        {
            await Everything(scope, () => { });
            await scope.Execute("INSERT INTO settings (name, value) VALUES ('colour', 'twice')");
            return "unreachable";
        }));

        await AssertNothingStayed(store);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Numbers_and_changes_of_parallel_writes_have_no_gap_and_no_twin(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        const int Writes = 60;

        var numbers = await Task.WhenAll(Enumerable.Range(0, Writes).Select(i => Task.Run(() => store.Database.Write<long>(async scope =>
        {
            var number = await scope.NextNumber("key");
            await scope.Change("key", number, version: 1);
            return i % 3 == 0 ? Problem.Of(ProblemCode.Conflict) : number;
        }))));

        var committed = numbers.Where(outcome => outcome.IsOk).Select(outcome => outcome.Value).Order().ToList();
        Assert.Equal(Enumerable.Range(1, Writes * 2 / 3).Select(n => (long)n), committed);
        var changes = await store.Database.Read(async connection =>
            (await connection.QueryAsync<(long Seq, long TargetNo)>("SELECT seq, target_no FROM changes ORDER BY seq")).AsList());
        Assert.Equal(committed.Select(n => (n, n)), changes);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task After_a_commit_the_actions_run_in_order_before_the_write_returns(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var log = new List<string>();

        await store.Database.Write<string>(async scope =>
        {
            scope.AfterCommit(() => log.Add("first"));
            await scope.SetSetting("colour", "blue");
            log.Add("work");
            scope.AfterCommit(() => log.Add("second"));
            return "done";
        });

        Assert.Equal(["work", "first", "second"], log);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_action_that_throws_after_the_commit_does_not_keep_the_others_from_running(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var ran = false;

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.Write<string>(async scope =>
        {
            await scope.SetSetting("colour", "blue");
            scope.AfterCommit(() => throw new InvalidOperationException("a bug"));
            scope.AfterCommit(() => ran = true);
            return "done";
        }));

        Assert.True(ran);
        Assert.Equal("blue", (await store.Database.Settings())["colour"]);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task One_write_reads_the_clock_once(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var began = store.Clock.NowMs;

        var seen = await store.Database.Write<long>(scope =>
        {
            store.Clock.Advance(TimeSpan.FromMinutes(1));
            return Task.FromResult<Outcome<long>>(scope.NowMs);
        });

        Assert.Equal(began, seen.Value);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_reader_does_not_see_what_is_not_committed(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await store.Database.Write<string>(async scope =>
        {
            await scope.SetSetting("colour", "blue");
            Assert.False((await store.Database.Settings()).ContainsKey("colour"));
            return "done";
        });

        Assert.True((await store.Database.Settings()).ContainsKey("colour"));
    }

    [Fact]
    public async Task A_reader_of_sqlite_cannot_write()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => store.Database.Read(connection =>
            connection.ExecuteAsync("INSERT INTO settings (name, value) VALUES ('a', 'b')")));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task More_readers_than_connections_all_get_their_answer(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => store.Database.Ping())));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_beyond_the_bound_of_the_queue_is_refused(DatabaseKind kind)
    {
        await using var store = await TestStore.Closed(kind, postgres);
        var bounded = new StorageOptions
        {
            DataDirectory = store.Options.DataDirectory,
            PostgresConnectionString = store.Options.PostgresConnectionString,
            WriteQueueMax = 1,
        };
        await using var database = await Database.Open(bounded, store.Clock);
        var (inside, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var running = database.Write<string>(async _ =>
        {
            inside.SetResult();
            await release.Task;
            return "first";
        });
        await inside.Task;

        var waiting = database.Write<string>(_ => Task.FromResult<Outcome<string>>("at the bound"));
        var refused = await database.Write<string>(_ => Task.FromResult<Outcome<string>>("one past it"));
        release.SetResult();

        Assert.Equal("unavailable", refused.CodeOf());
        Assert.Equal("first", (await running).Value);
        Assert.Equal("at the bound", (await waiting).Value);
    }

    private static async Task Everything(WriteScope scope, Action after)
    {
        await scope.SetSetting("colour", "blue");
        await scope.Change("key", await scope.NextNumber("key"), version: 1);
        scope.AfterCommit(after);
    }

    private static async Task AssertNothingStayed(TestStore store)
    {
        Assert.False((await store.Database.Settings()).ContainsKey("colour"));
        Assert.Equal(0, await store.Count("changes"));
        Assert.Equal(1, (await store.Database.Write<long>(async scope => await scope.NextNumber("key"))).Value);
        Assert.Equal(1, (await store.Database.Write<long>(async scope => await scope.NextNumber("changes"))).Value);
    }
}
