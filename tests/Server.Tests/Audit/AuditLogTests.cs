using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Audit;

public sealed class AuditLogTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_row_says_who_did_what_to_what_when_and_from_where(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var context = new MutationContext
        {
            Caller = Callers.Key("key_1"),
            Address = "192.0.2.7",
            RequestId = "req_1",
            UserAgent = "curl/8 é😀",
        };

        await store.Database.Write<bool>(
            async scope =>
            {
                await AuditLog.Append(scope, new AuditEntry
                {
                    Action = "key.change",
                    TargetType = "key",
                    TargetId = "key_2",
                    OrganizationId = "org_1",
                    ProjectId = "prj_1",
                    Environment = "live",
                    Before = """{"name":"a"}""",
                    After = """{"name":"ü\n"}""",
                    Reason = "asked for",
                });
                return true;
            },
            context,
            TestContext.Current.CancellationToken);

        var row = Assert.Single(await List(store, new AuditFilter()));
        Assert.Equal(
            row with
            {
                Seq = 1,
                AtMs = store.Clock.NowMs,
                ActorType = "key",
                ActorId = "key_1",
                ActorName = "key key_1",
                Action = "key.change",
                TargetType = "key",
                TargetId = "key_2",
                OrganizationId = "org_1",
                ProjectId = "prj_1",
                Environment = "live",
                BeforeJson = """{"name":"a"}""",
                AfterJson = """{"name":"ü\n"}""",
                Reason = "asked for",
                Address = "192.0.2.7",
                UserAgent = "curl/8 é😀",
                RequestId = "req_1",
                PrevHash = AuditRow.NoHash,
            },
            row);
        Assert.True((await new AuditLog(store.Database).Verify(TestContext.Current.CancellationToken)).IsWhole);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_that_fails_leaves_no_row_and_no_link(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await store.Database.Write<bool>(async scope =>
        {
            await AuditLog.Append(scope, Entry(1));
            return Problem.Of(ProblemCode.Conflict);
        });
        await Append(store, 1);

        Assert.Equal(1, await store.Count("audit"));
        Assert.Equal(1, (await Verify(store)).Rows);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_chain_holds_over_parallel_writes_several_rows_a_write_and_a_restart(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => Append(store, 1 + i % 3))));
        await store.Reopen();
        await Append(store, 2);

        var check = await Verify(store);
        Assert.True(check.IsWhole, check.Sentence);
        Assert.Equal(await store.Count("audit"), check.Rows);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_chain_longer_than_one_batch_is_walked_to_its_end(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await Append(store, 1_050);

        Assert.Equal(1_050, (await Verify(store)).Rows);
        await store.Tamper("UPDATE audit SET reason = 'other' WHERE seq = 1050");
        Assert.Equal(1_050, (await Verify(store)).FirstBroken);
    }

    public static TheoryData<DatabaseKind, string, long> Tampering
    {
        get
        {
            var data = new TheoryData<DatabaseKind, string, long>();
            foreach (var kind in new[] { DatabaseKind.Sqlite, DatabaseKind.PostgreSql })
            {
                data.Add(kind, "UPDATE audit SET actor_id = 'somebody' WHERE seq = 3", 3);
                data.Add(kind, "UPDATE audit SET after_json = NULL WHERE seq = 3", 3);
                data.Add(kind, "UPDATE audit SET environment = 'test' WHERE seq = 3", 3);
                data.Add(kind, "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 3", 3);
                data.Add(kind, "UPDATE audit SET hash = prev_hash WHERE seq = 3", 3);
                data.Add(kind, "DELETE FROM audit WHERE seq = 3", 3);
                data.Add(kind, "DELETE FROM audit WHERE seq = 1", 1);
                data.Add(kind, "DELETE FROM audit WHERE seq = 6", 6);
                data.Add(kind, "DELETE FROM audit WHERE seq > 2", 3);
                data.Add(kind, "DELETE FROM audit", 1);
                data.Add(kind, "DELETE FROM audit_head", 0);
                data.Add(kind, "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit WHERE seq = 5)", 6);
                data.Add(kind, "UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE seq = 5)", 6);
                // Swapped rows 3 and 4, by way of free numbers.
                data.Add(
                    kind,
                    "UPDATE audit SET seq = -seq WHERE seq IN (3, 4); UPDATE audit SET seq = 7 + seq WHERE seq IN (-3, -4)",
                    3);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Tampering))]
    public async Task Any_edit_removal_swap_or_cut_is_found_at_its_first_row(DatabaseKind kind, string sql, long firstBroken)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await Append(store, 6);
        Assert.True((await Verify(store)).IsWhole);

        await store.Tamper(sql);

        var check = await Verify(store);
        Assert.Equal(firstBroken, check.FirstBroken);
        Assert.Contains(firstBroken == 0 ? "head" : $"{firstBroken}", check.Sentence, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_whose_audit_row_cannot_be_written_is_not_made(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await Append(store, 2);
        await store.Tamper("DELETE FROM audit_head");

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.Write<bool>(async scope =>
        {
            await scope.SetSetting("colour", "blue");
            await AuditLog.Append(scope, Entry(1));
            return true;
        }));

        Assert.False((await store.Database.Settings()).ContainsKey("colour"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_list_is_newest_first_and_every_filter_selects(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var began = store.Clock.NowMs;
        for (var i = 1; i <= 6; i++)
        {
            await store.Database.Write<bool>(
                async scope =>
                {
                    await AuditLog.Append(scope, Entry(i));
                    return true;
                },
                MutationContext.Of(i == 6 ? Caller.Root : Callers.Key($"key_{i}")));
            store.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([6, 5, 4, 3, 2, 1], await Seqs(new AuditFilter()));
        Assert.Equal([6, 4, 2], await Seqs(new AuditFilter { ProjectId = "prj_0" }));
        Assert.Equal([6, 3], await Seqs(new AuditFilter { OrganizationId = "org_0" }));
        Assert.Equal([6], await Seqs(new AuditFilter { ActorId = "root" }));
        Assert.Equal([2], await Seqs(new AuditFilter { TargetId = "target_2" }));
        Assert.Equal([], await Seqs(new AuditFilter { TargetId = "target_2", ProjectId = "prj_1" }));
        Assert.Equal([], await Seqs(new AuditFilter { TargetId = "target_2", OrganizationId = "org_0" }));
        Assert.Equal([6], await Seqs(new AuditFilter { ProjectId = "prj_0", OrganizationId = "org_0" }));
        Assert.Equal([5], await Seqs(new AuditFilter { Action = "thing.5" }));
        Assert.Equal([4, 3], await Seqs(new AuditFilter { FromMs = began + 2_000, ToMs = began + 4_000 }));
        Assert.Equal([3, 2], await Seqs(new AuditFilter(), before: 4, limit: 2));

        async Task<IEnumerable<long>> Seqs(AuditFilter filter, long before = long.MaxValue, int limit = 100) =>
            (await List(store, filter, before, limit)).Select(row => row.Seq);
    }

    private static AuditEntry Entry(int i) => new()
    {
        Action = $"thing.{i}",
        TargetType = "thing",
        TargetId = $"target_{i}",
        OrganizationId = $"org_{i % 3}",
        ProjectId = $"prj_{i % 2}",
        After = $$"""{"n":{{i}}}""",
    };

    private static async Task Append(TestStore store, int rows)
    {
        var done = await store.Database.Write<bool>(async scope =>
        {
            for (var i = 1; i <= rows; i++)
            {
                await AuditLog.Append(scope, Entry(i));
            }

            return true;
        });
        Assert.True(done.IsOk);
    }

    private static Task<AuditCheck> Verify(TestStore store) => new AuditLog(store.Database).Verify();

    private static Task<List<AuditRow>> List(TestStore store, AuditFilter filter, long before = long.MaxValue, int limit = 100) =>
        new AuditLog(store.Database).List(filter, before, limit);
}
