using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

/// <summary>What a refused write leaves of itself, and that it leaves nothing else.</summary>
public sealed class AfterRefusalTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_refused_write_leaves_only_what_it_said_at_its_own_time_and_before_anybody_is_told(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var (first, second) = (0L, 0L);

        var refused = await store.Database.Write<string>(async scope =>
        {
            first = scope.NowMs;
            await scope.SetSetting("tried", "rolled back");
            await scope.SetSetting("done", "rolled back");
            scope.AfterRefusal(async again =>
            {
                second = again.NowMs;
                await again.SetSetting("tried", "once");
            });
            store.Clock.Advance(TimeSpan.FromSeconds(5));
            return Problem.Of(ProblemCode.Conflict);
        });

        Assert.Equal("conflict", refused.CodeOf());
        Assert.Equal(first, second);
        var settings = await store.Database.Settings();
        Assert.Equal("once", settings["tried"]);
        Assert.DoesNotContain("done", settings.Keys);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_a_refusal_leaves_is_there_when_the_next_write_has_its_turn(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var seen = new List<string?>();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => store.Database.Write<string>(async scope =>
        {
            seen.Add(await scope.FindSetting("tries"));
            scope.AfterRefusal(async again => await again.SetSetting("tries", $"{int.Parse(seen[^1] ?? "0") + 1}"));
            return Problem.Of(ProblemCode.Conflict);
        }))));

        Assert.Equal(Enumerable.Range(0, 20).Select(i => i == 0 ? null : $"{i}"), seen);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_that_succeeds_or_throws_leaves_nothing_of_a_refusal(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await store.Database.Write<string>(scope =>
        {
            scope.AfterRefusal(again => again.SetSetting("tried", "once"));
            return Task.FromResult<Outcome<string>>("done");
        });
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.Write<string>(scope =>
        {
            scope.AfterRefusal(again => again.SetSetting("tried", "once"));
            throw new InvalidOperationException("a bug");
        }));

        Assert.DoesNotContain("tried", (await store.Database.Settings()).Keys);
    }
}
