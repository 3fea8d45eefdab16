using System.Security.Cryptography;
using System.Text;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Mutations;

public sealed class MutationRunnerTests(PostgresFixture postgres)
{
    private static readonly TimeSpan SecretTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan KeptTime = TimeSpan.FromHours(24);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Without_a_key_every_call_runs_and_nothing_is_kept(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);

        var first = await counter.Call(key: null);
        var second = await counter.Call(key: null);

        Assert.Equal((201, """{"number":1}"""), (first.Status, first.Text));
        Assert.Equal("no-store", first.Header("Cache-Control"));
        Assert.Equal("""{"number":2}""", second.Text);
        Assert.Null(second.Header(MutationRunner.ReplayedHeader));
        Assert.Equal(0, await counter.Store.Count("idempotency"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_same_key_and_body_get_the_same_answer_and_run_once(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);

        var first = await counter.Call("k-1");
        var replay = await counter.Call("k-1");

        Assert.Equal((201, """{"number":1}"""), (replay.Status, replay.Text));
        Assert.Equal("true", replay.Header(MutationRunner.ReplayedHeader));
        Assert.Equal("no-store", replay.Header("Cache-Control"));
        Assert.Null(first.Header(MutationRunner.ReplayedHeader));
        Assert.Equal(1, counter.Runs);
        Assert.Equal(1, await counter.Store.Count("audit"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_replay_works_after_a_restart(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        await counter.Call("k-1", holdsSecret: true);

        await counter.Restart();
        var replay = await counter.Call("k-1", holdsSecret: true);

        Assert.Equal((201, """{"number":1}"""), (replay.Status, replay.Text));
        Assert.Equal("true", replay.Header(MutationRunner.ReplayedHeader));
        Assert.Equal(1, await counter.Store.Count("audit"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Fifty_parallel_calls_with_one_key_run_once(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);

        var calls = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => counter.Call("k-1"))));

        Assert.Equal(1, counter.Runs);
        Assert.Equal(1, await counter.Store.Count("audit"));
        Assert.Single(calls, call => call.Status == 201 && call.Header(MutationRunner.ReplayedHeader) is null);
        Assert.All(
            calls,
            call => Assert.True(call.Text == """{"number":1}""" || (call.Status, call.Code) == (409, "idempotency_in_flight")));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_duplicate_of_a_running_call_is_told_so_at_once(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        var (inside, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var running = counter.Call("k-1", during: async () =>
        {
            inside.SetResult();
            await release.Task;
        });
        await inside.Task;

        var duplicate = await counter.Call("k-1");
        release.SetResult();

        Assert.Equal((409, "idempotency_in_flight", "1"), (duplicate.Status, duplicate.Code, duplicate.Header("Retry-After")));
        Assert.Equal(201, (await running).Status);
        Assert.Equal("true", (await counter.Call("k-1")).Header(MutationRunner.ReplayedHeader));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_same_key_with_another_body_or_query_is_refused_and_runs_nothing(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        await counter.Call("k-1", body: """{"a":1}""");

        var otherBody = await counter.Call("k-1", body: """{"a":2}""");
        var otherQuery = await counter.Call("k-1", body: """{"a":1}""", query: "?b=1");

        Assert.Equal((422, "idempotency_mismatch"), (otherBody.Status, otherBody.Code));
        Assert.Equal((422, "idempotency_mismatch"), (otherQuery.Status, otherQuery.Code));
        Assert.Equal(1, counter.Runs);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Another_caller_method_or_path_is_another_scope(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);

        await counter.Call("k-1");
        await counter.Call("k-1", caller: Callers.Key("key_1"));
        await counter.Call("k-1", caller: Callers.Key("key_2"));
        await counter.Call("k-1", method: "PATCH");
        await counter.Call("k-1", path: "/api/v1/others");

        Assert.Equal(5, counter.Runs);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_failed_call_is_not_remembered(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);

        var failed = await counter.Call("k-1", fails: true);
        var retried = await counter.Call("k-1");

        Assert.Equal((409, "conflict"), (failed.Status, failed.Code));
        Assert.Equal((201, """{"number":1}"""), (retried.Status, retried.Text));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_call_that_throws_leaves_neither_change_nor_answer_and_can_be_repeated(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            counter.Call("k-1", during: () => throw new InvalidOperationException("a bug")));

        Assert.Equal(0, await counter.Store.Count("idempotency"));
        Assert.Equal(0, await counter.Store.Count("audit"));
        Assert.Equal("""{"number":1}""", (await counter.Call("k-1")).Text);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_answer_with_a_secret_is_replayed_for_ten_minutes_and_not_a_moment_longer(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        await counter.Call("k-1", holdsSecret: true);

        counter.Store.Clock.Advance(SecretTime);
        var atTheBound = await counter.Call("k-1", holdsSecret: true);
        counter.Store.Clock.Advance(Tick);
        var past = await counter.Call("k-1", holdsSecret: true);

        Assert.Equal((201, """{"number":1}"""), (atTheBound.Status, atTheBound.Text));
        Assert.Equal((409, "idempotency_expired"), (past.Status, past.Code));
        Assert.Equal(1, counter.Runs);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Any_other_answer_is_replayed_for_a_day_and_then_forgotten(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        await counter.Call("k-1");

        counter.Store.Clock.Advance(KeptTime - Tick);
        var replay = await counter.Call("k-1");
        counter.Store.Clock.Advance(Tick);
        var again = await counter.Call("k-1");

        Assert.Equal("true", replay.Header(MutationRunner.ReplayedHeader));
        Assert.Equal("""{"number":2}""", again.Text);
        Assert.Equal(2, counter.Runs);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_sealed_secret_is_erased_by_the_first_write_after_its_time(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        await counter.Call("k-1", holdsSecret: true);
        await counter.Call("k-2");

        counter.Store.Clock.Advance(SecretTime + Tick);
        await counter.Call(key: null);

        Assert.Equal(1, await counter.Store.Count("idempotency WHERE answer IS NULL"));
        Assert.Equal(1, await counter.Store.Count("idempotency WHERE answer IS NOT NULL"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_is_past_its_day_is_purged_a_bounded_batch_a_write(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        for (var i = 0; i < KeptAnswerSql.PurgeMax + 1; i++)
        {
            await counter.Call($"k-{i}");
        }

        counter.Store.Clock.Advance(KeptTime);
        await counter.Call(key: null);
        Assert.Equal(1, await counter.Store.Count("idempotency"));
        await counter.Call(key: null);
        Assert.Equal(0, await counter.Store.Count("idempotency"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_database_holds_neither_the_key_nor_the_answer(DatabaseKind kind)
    {
        await using var counter = await Counter.Open(kind, postgres);
        var (key, secret) = (RandomNumberGenerator.GetHexString(32), RandomNumberGenerator.GetHexString(32));
        await counter.Call(key, holdsSecret: true, answer: $$"""{"secret":"{{secret}}"}""");

        var kept = (await counter.Store.Database.Write<KeptAnswer[]>(async scope =>
            (KeptAnswer[])
            [
                .. await scope.Query<KeptAnswer>("SELECT id, request_hash, status, holds_secret, answer, created_at_ms FROM idempotency"),
            ])).Value;

        var row = Assert.Single(kept);
        var dump = $"{row.Id} {row.RequestHash} {Encoding.Latin1.GetString(row.Answer!)}";
        Assert.DoesNotContain(secret[..12], dump, StringComparison.Ordinal);
        Assert.DoesNotContain(key[..12], dump, StringComparison.OrdinalIgnoreCase);
        var sealer = new Sealer(counter.Store.Pepper);
        Assert.True(sealer.TryOpen($"idempotent answer {key}", row.Answer, Encoding.ASCII.GetBytes(row.Id), out _));
        Assert.False(sealer.TryOpen("idempotent answer other", row.Answer, Encoding.ASCII.GetBytes(row.Id), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("é")]
    [InlineData("a\u007f")]
    public async Task A_key_of_other_than_visible_ascii_is_refused(string key)
    {
        await using var counter = await Counter.Open(DatabaseKind.Sqlite, postgres);

        var refused = await counter.Call(key);

        Assert.Equal((400, "invalid_request"), (refused.Status, refused.Code));
        Assert.Equal(0, counter.Runs);
    }

    [Fact]
    public async Task A_key_of_255_characters_is_taken_and_one_of_256_refused()
    {
        await using var counter = await Counter.Open(DatabaseKind.Sqlite, postgres);

        Assert.Equal(201, (await counter.Call(new string('k', 255))).Status);
        Assert.Equal(400, (await counter.Call(new string('k', 256))).Status);
    }

    [Fact]
    public async Task Two_keys_in_one_call_are_refused()
    {
        await using var counter = await Counter.Open(DatabaseKind.Sqlite, postgres);
        var call = new HttpCall();
        call.Context.Request.Headers[MutationRunner.Header] = new(["one", "two"]);

        await call.Execute(counter.Runner.RunWithoutBody(call.Context, _ => throw new InvalidOperationException("must not run")));

        Assert.Equal(400, call.Status);
    }

    [Fact]
    public async Task The_audit_row_tells_where_the_call_came_from_and_keeps_no_key_that_a_user_agent_holds()
    {
        await using var counter = await Counter.Open(DatabaseKind.Sqlite, postgres);
        var secret = "tg_" + RandomNumberGenerator.GetHexString(40);

        await counter.Call(key: null, userAgent: $"tool/1.0 ({secret}) ünï");

        var row = Assert.Single(await new AuditLog(counter.Store.Database).List(new AuditFilter(), long.MaxValue, 10));
        Assert.Equal(
            ("192.0.2.7", "req_test", "root", "tool/1.0 ((redacted)) ?n?"),
            (row.Address, row.RequestId, row.ActorId, row.UserAgent));
    }

    [Theory]
    [InlineData("", 200)]
    [InlineData("{}", 200)]
    [InlineData(" {\n} ", 200)]
    [InlineData("""{"force":true}""", 422)]
    [InlineData("[]", 400)]
    [InlineData("{", 400)]
    public async Task A_call_without_members_takes_no_body_or_an_empty_object(string body, int status)
    {
        await using var counter = await Counter.Open(DatabaseKind.Sqlite, postgres);
        var call = new HttpCall().WithBody(body);

        await call.Execute(counter.Runner.RunWithoutBody(call.Context, _ =>
            Task.FromResult<Outcome<MutationAnswer>>(new MutationAnswer(200, "{}"u8.ToArray(), HoldsSecret: false))));

        Assert.Equal(status, call.Status);
    }

    /// <summary>A thing that counts how often it was changed, behind the runner.</summary>
    private sealed class Counter : IAsyncDisposable
    {
        private int _runs;

        private Counter(TestStore store) => (Store, Runner) = (store, RunnerOf(store));

        public TestStore Store { get; }

        public MutationRunner Runner { get; private set; }

        public int Runs => _runs;

        public static async Task<Counter> Open(DatabaseKind kind, PostgresFixture postgres) => new(await TestStore.Open(kind, postgres));

        public async Task Restart()
        {
            await Store.Reopen();
            Runner = RunnerOf(Store);
        }

        public Task<HttpCall> Call(
            string? key,
            string body = "{}",
            string query = "",
            string method = "POST",
            string path = "/api/v1/things",
            Caller? caller = null,
            bool holdsSecret = false,
            bool fails = false,
            string? answer = null,
            string? userAgent = null,
            Func<Task>? during = null)
        {
            var call = new HttpCall(method, path, caller);
            call.Context.Request.QueryString = new(query);
            if (key is not null)
            {
                call.With(MutationRunner.Header, key);
            }

            if (userAgent is not null)
            {
                call.With("User-Agent", userAgent);
            }

            return call.Execute(Runner.Run(
                call.Context,
                Encoding.UTF8.GetBytes(body),
                scope => Work(scope, fails, during),
                number => new MutationAnswer(201, Encoding.UTF8.GetBytes(answer ?? $$"""{"number":{{number}}}"""), holdsSecret)));
        }

        public ValueTask DisposeAsync() => Store.DisposeAsync();

        private static MutationRunner RunnerOf(TestStore store) => new(store.Database, store.Pepper, new Sealer(store.Pepper));

        private async Task<Outcome<long>> Work(WriteScope scope, bool fails, Func<Task>? during)
        {
            Interlocked.Increment(ref _runs);
            var number = await scope.NextNumber("thing");
            await AuditLog.Append(scope, new AuditEntry { Action = "thing.count", TargetType = "thing", TargetId = $"{number}" });
            await (during?.Invoke() ?? Task.CompletedTask);
            return fails ? Problem.Of(ProblemCode.Conflict) : number;
        }
    }
}
