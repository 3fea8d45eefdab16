using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>How many keys may be made or renewed in a rolling hour, by each person and in each organization.</summary>
public sealed class KeyOperationTests(PostgresFixture postgres)
{
    private const string Manager = "\"name\":\"Manager\",\"rights\":[\"keys:manage\"]";
    private const string Some = "\"name\":\"One more\"";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_thousand_creations_at_once_make_fifteen_keys(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres, PlannedProvider.Operations);
        await using var gate = await provider.Start();
        var manager = await gate.NewSecret(Manager);

        var answers = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => gate.Create(Some, manager)));

        Assert.Equal(15, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        // Where so many wait for their turn, some are told that the gate is busy: that is no place taken either.
        Assert.All(answers.Where(answer => answer.Status is not (HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable)),
            answer => Refused(answer));
        Assert.Equal("16 15", await Counted(gate));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_hour_rolls_exactly_and_outlasts_a_restart(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres, PlannedProvider.Operations);
        string manager;
        await using (var gate = await provider.Start())
        {
            manager = await gate.NewSecret(Manager);
            for (var i = 0; i < 15; i++)
            {
                (await gate.Create(Some, manager)).Has(HttpStatusCode.Created);
                provider.Clock.Advance(TimeSpan.FromMilliseconds(60_500));
            }
        }

        // The first was made 15 × 60.5 s ago.
        await using var again = await provider.Start();
        var refused = await again.Create(Some, manager);
        Refused(refused);
        Assert.Equal("2693", refused.Headers["Retry-After"]);
        Assert.Contains("2026-01-02T04:04:05.0000000Z", refused.String("detail"), StringComparison.Ordinal);
        provider.Clock.Advance(TimeSpan.FromMilliseconds(2_692_499));
        Refused(await again.Create(Some, manager));
        provider.Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await again.Create(Some, manager)).Has(HttpStatusCode.Created);
        Assert.Equal("61", Refused(await again.Create(Some, manager)));
        Assert.Equal(15, await Rows(again));

        // What has left the window is kept no longer.
        provider.Clock.Advance(TimeSpan.FromDays(1));
        (await again.Create(Some, manager)).Has(HttpStatusCode.Created);
        Assert.Equal(1, await Rows(again));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_was_refused_further_on_counts_and_what_was_unsound_refused_for_this_or_replayed_does_not(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres, PlannedProvider.Operations);
        await using var gate = await provider.Start();
        var manager = await gate.NewSecret(Manager);
        var (narrow, _) = await gate.NewPair();
        var (revoked, _) = await gate.NewPair();
        await gate.Act(revoked, "revoke");

        (await gate.Create("\"name\":\"\"", manager)).Has(HttpStatusCode.UnprocessableEntity);
        (await gate.Create($"{Some},\"colour\":1", manager)).Has(HttpStatusCode.UnprocessableEntity);
        (await gate.Act(narrow, "rotate", "{\"grace_seconds\":-1}", manager)).Has(HttpStatusCode.UnprocessableEntity);
        (await gate.Act(narrow, "rotate", "{\"expires_at\":\"2027-01-01T00:00:00Z\"}", manager)).Has(HttpStatusCode.UnprocessableEntity);
        (await gate.Act("key_0000000000000000000000", "regenerate", null, manager)).Has(HttpStatusCode.NotFound);
        (await gate.Create(Some, await gate.NewSecret())).Has(HttpStatusCode.Forbidden, "right_missing");
        Assert.Equal(0, await Rows(gate));

        (await gate.Create($"{Some},\"scopes\":[\"files\"]", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        Assert.Equal(1, await Rows(gate));
        (await gate.Act(revoked, "regenerate", null, manager)).Has(HttpStatusCode.Conflict, "key_final");
        Assert.Equal(2, await Rows(gate));
        (await gate.Act(narrow, "rotate", "{\"grace_seconds\":600}", manager)).Has(HttpStatusCode.OK);
        (await gate.Act(narrow, "rotate", null, manager)).Has(HttpStatusCode.Conflict, "rotation_running");
        Assert.Equal(4, await Rows(gate));

        var path = $"/api/v1/projects/{gate.ProjectId}/keys";
        for (var i = 0; i < 3; i++)
        {
            var made = (await gate.Send("POST", path, manager, $"{{{Some}}}", ("Idempotency-Key", "once"))).Has(HttpStatusCode.Created);
            Assert.Equal(i > 0, made.Headers.ContainsKey("Idempotency-Replayed"));
        }

        Assert.Equal(5, await Rows(gate));
        for (var i = 0; i < 20; i++)
        {
            await gate.Act(narrow, "regenerate", null, manager);
        }

        Assert.Equal(15, await Rows(gate));
        (await gate.Send("POST", path, manager, $"{{{Some}}}", ("Idempotency-Key", "once"))).Has(HttpStatusCode.Created);
        // Refused here, nothing else was looked at or changed.
        Refused(await gate.Act(revoked, "regenerate", null, manager));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Each_organization_has_its_own_count_whoever_asks_in_it_and_the_operator_and_imports_have_none(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres, PlannedProvider.Operations);
        await using var gate = await provider.Start();
        var (one, other) = (await gate.NewSecret(Manager), await gate.NewSecret(Manager));
        var project = await gate.NewProject();
        var elsewhere = await gate.NewSecret(Manager, project);
        for (var i = 0; i < 15; i++)
        {
            (await gate.Create(Some, i % 2 == 0 ? one : other)).Has(HttpStatusCode.Created);
        }

        Refused(await gate.Create(Some, one));
        Refused(await gate.Create(Some, other));
        (await gate.Create(Some, elsewhere, project)).Has(HttpStatusCode.Created);
        for (var i = 0; i < 20; i++)
        {
            (await gate.Create(Some)).Has(HttpStatusCode.Created);
        }

        var row = $"{{\"external_id\":\"1\",\"name\":\"Moved\",\"secret_sha256\":\"{new string('a', 64)}\"}}";
        var moved = await gate.Send(
            "POST", $"/api/v1/import?project={gate.ProjectId}", RunningGate.RootKey, row, ("Content-Type", "application/x-ndjson"));
        Assert.Equal(1, moved.Has(HttpStatusCode.OK).Json.GetProperty("created").GetInt32());
        Assert.Equal(16, await Rows(gate));
    }

    [Fact]
    public async Task A_person_has_one_count_in_all_organizations()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, PlannedProvider.Operations);
        await using var gate = await provider.Start();
        var (id, manager) = await gate.NewPair(Manager);
        // As if the same person had made them elsewhere, which a key cannot.
        await gate.Database.Write<int>(async scope => await scope.Execute(
            $"""
            INSERT INTO key_operations (operation_no, person, organization_no, at_ms)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 15)
            SELECT 1000 + i, '{id}', 77, {gate.Clock.NowMs} FROM n
            """));

        Refused(await gate.Create(Some, manager));
        (await gate.Create(Some, await gate.NewSecret(Manager))).Has(HttpStatusCode.Created);
    }

    [Fact]
    public async Task The_providers_own_paths_count_too_and_refuse_in_its_words_telling_clients_not_to_try_again()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, PlannedProvider.Operations);
        await using var gate = await provider.Start();
        var (id, manager) = await gate.NewPair(Manager);
        for (var i = 0; i < 15; i++)
        {
            var made = i % 2 == 0
                ? await gate.Send("POST", "/v1/keys", manager, "{\"label\":\"One more\"}")
                : await gate.Send("POST", $"/v1/keys/{id}/regenerate", manager);
            Assert.True((int)made.Status < 300, made.ToString());
            manager = i % 2 == 0 ? manager : made.String("secret");
        }

        var refused = await gate.Send("POST", "/v1/keys", manager, "{\"label\":\"One more\"}");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal("key_operations_exceeded", refused.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("3600", refused.Headers["Retry-After"]);
        Assert.Equal("false", refused.Headers["x-should-retry"]);
        Refused(await gate.Create(Some, manager));
    }

    [Fact]
    public async Task A_short_window_tells_no_wait_that_common_clients_ignore_and_without_a_bound_nothing_is_counted()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, "key_operations: { amount: 1, per: 1m }");
        await using (var gate = await provider.Start())
        {
            var manager = await gate.NewSecret(Manager);
            (await gate.Create(Some, manager)).Has(HttpStatusCode.Created);
            Assert.Equal("59", Refused(await gate.Create(Some, manager)));
            provider.Clock.Advance(TimeSpan.FromMilliseconds(59_999));
            Assert.Equal("1", Refused(await gate.Create(Some, manager)));
        }

        provider.Say("");
        await using var free = await provider.Start();
        var other = await free.NewSecret(Manager);
        (await free.Create(Some, other)).Has(HttpStatusCode.Created);
        (await free.Create(Some, other)).Has(HttpStatusCode.Created);
        Assert.Equal(1, await Rows(free));
    }

    /// <summary>Answers the wait that was told.</summary>
    private static string Refused(Answer answer)
    {
        answer.Has(HttpStatusCode.TooManyRequests, "key_operations_exceeded");
        Assert.Equal("false", answer.Headers["x-should-retry"]);
        return answer.Headers["Retry-After"];
    }

    private static async Task<long> Rows(RunningGate gate) =>
        (await gate.Database.Write<long>(async scope => await scope.Find<long>("SELECT COUNT(*) FROM key_operations"))).Value;

    /// <summary>Keys, and operations counted.</summary>
    private static async Task<string> Counted(RunningGate gate) =>
        $"{(await gate.Database.Write<long>(async scope => await scope.Find<long>("SELECT COUNT(*) FROM keys"))).Value} {await Rows(gate)}";
}
