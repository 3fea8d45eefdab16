using System.Diagnostics;
using System.Globalization;
using System.Net;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// kill -9 at random instants while clients make, rotate and revoke keys: what was acknowledged survived, what was under way is there whole
/// or not at all, and the retry of a call that got no answer ends it.
/// </summary>
public sealed class CrashTests(PostgresFixture postgres) : IDisposable
{
    private const int Clients = 4;
    private const int MsToLiveMax = 400;
    private static readonly TimeSpan ReadyMax = TimeSpan.FromSeconds(5);
    private static readonly int Rounds = FaultRounds.Of("TEST_CRASH_ROUNDS", 20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-kill-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_was_acknowledged_survives_a_kill_at_any_instant(DatabaseKind kind)
    {
        var seed = FuzzSeed.Take(Rounds);
        var random = new Random(seed);
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var (starts, stories) = (new List<TimeSpan>(), new List<KeyStory>());
        for (var round = 0; round <= Rounds; round++)
        {
            var began = Stopwatch.StartNew();
            await using var gate = await ServedGate.Start(_folder.FullName, rootKey: ServedCalls.RootKey, database: database);
            using var calls = new ServedCalls(gate);
            Assert.True(await calls.Ready() == HttpStatusCode.OK, gate.Said);
            starts.Add(began.Elapsed);
            foreach (var story in stories)
            {
                await story.Check(calls, $"FUZZ_SEED={seed}, round {round} on {kind}");
            }

            // Those of the last rounds again and again, and a few of the oldest: all of them would take ever longer.
            stories = [.. stories.Where((_, i) => i < 10 || i > stories.Count - 20)];
            var clients = Enumerable.Range(0, round == Rounds ? 0 : Clients).Select(_ => Live(calls)).ToList();
            await Task.Delay(random.Next(MsToLiveMax));
            await gate.Kill();
            stories.AddRange((await Task.WhenAll(clients)).SelectMany(lived => lived));
        }

        Assert.True(stories.Count > Rounds, $"only {stories.Count} keys were made");
        // The middle one: a start that shares its cores with other tests says nothing about this one.
        var usual = starts.Order().ElementAt(starts.Count / 2);
        Assert.True(usual <= ReadyMax, $"a start after a kill took {usual}");
        await NothingIsHalfDone(database);
    }

    /// <summary>Makes, rotates and revokes one key after another until there is no server any more.</summary>
    private static async Task<List<KeyStory>> Live(ServedCalls calls)
    {
        var stories = new List<KeyStory>();
        while (true)
        {
            var story = new KeyStory();
            stories.Add(story);
            try
            {
                await story.Go(calls, StoryStep.Create);
                await story.Go(calls, StoryStep.Rotate);
                await story.Go(calls, StoryStep.Revoke);
            }
            catch (HttpRequestException)
            {
                return stories;
            }
        }
    }

    private async Task NothingIsHalfDone(string? database)
    {
        await using var gate = await RunningGate.Start("default", _folder.FullName, database);
        var chain = await gate.Services.GetRequiredService<AuditLog>().Verify();
        Assert.True(chain.IsWhole, chain.Sentence);
        await gate.Database.Read(async connection =>
        {
            var audit = (await connection.QueryAsync<(string Action, long Rows)>("SELECT action, count(*) FROM audit GROUP BY action"))
                .ToDictionary(row => row.Action, row => row.Rows);
            var (made, rotated, revoked) = (audit["key.create"], audit["key.rotate"], audit["key.revoke"]);
            Assert.Equal(made, await Count("SELECT count(*) FROM keys"));
            Assert.Equal(made, await Count("SELECT max(key_no) FROM keys"));
            Assert.Equal(made + rotated, await Count("SELECT count(*) FROM secrets"));
            Assert.Equal(revoked, await Count("SELECT count(*) FROM keys WHERE revoked_at_ms IS NOT NULL"));
            Assert.Equal(made + rotated + revoked, await Count("SELECT count(*) FROM changes WHERE kind = 'key'"));
            Assert.Equal(await Count("SELECT count(*) FROM changes"), await Count("SELECT max(seq) FROM changes"));
            Assert.Equal(made + rotated + revoked, await Count("SELECT count(*) FROM idempotency"));
            Assert.Equal(0, await Count(
                "SELECT count(*) FROM keys k WHERE row_version <> "
                + "(SELECT count(*) FROM changes c WHERE c.kind = 'key' AND c.target_no = k.key_no)"));
            return true;

            async Task<long> Count(string sql) =>
                Convert.ToInt64(await connection.ExecuteScalarAsync(sql), CultureInfo.InvariantCulture);
        });
    }
}

internal enum StoryStep
{
    Create,
    Rotate,
    Revoke,
}

/// <summary>What one key's client was told of it, and the step it got no answer to.</summary>
internal sealed class KeyStory
{
    private static int _stories;

    private readonly string _name = $"story-{Interlocked.Increment(ref _stories)}";
    private readonly List<string> _secrets = [];
    private string? _id;
    private StoryStep? _unanswered;
    private bool _isRevoked;

    public async Task Go(ServedCalls calls, StoryStep step)
    {
        _unanswered = step;
        Take(step, await Send(calls, step));
    }

    /// <summary>The state is that of the answers, and a step without one is done whole or not at all; asking again does it.</summary>
    public async Task Check(ServedCalls calls, string which)
    {
        if (_unanswered is { } step)
        {
            await WholeOrNot(calls, step, which);
            var (first, second) = (await Send(calls, step), await Send(calls, step));
            Assert.True(first.Text == second.Text, $"{which}: {first} and then {second}");
            Take(step, first);
        }

        for (var i = 0; i < _secrets.Count; i++)
        {
            var isGood = !_isRevoked && i == _secrets.Count - 1;
            var status = await calls.Use(_secrets[i]);
            Assert.True(
                status == (isGood ? HttpStatusCode.OK : HttpStatusCode.Unauthorized),
                $"{which}: secret {i + 1} of {_secrets.Count}, revoked {_isRevoked}: {status}");
        }
    }

    private async Task WholeOrNot(ServedCalls calls, StoryStep step, string which)
    {
        if (_id is null)
        {
            return;
        }

        var key = (await calls.Send("GET", $"/api/v1/keys/{_id}")).Json;
        var isDone = step == StoryStep.Rotate
            ? key.GetProperty("secrets").GetArrayLength() == _secrets.Count + 1
            : key.GetProperty("status").GetString() == "revoked";
        var isOldGood = await calls.Use(_secrets[^1]) == HttpStatusCode.OK;
        Assert.True(isDone != isOldGood, $"{which}: {step} is done: {isDone}, its old secret passes: {isOldGood}");
    }

    private void Take(StoryStep step, Answer answer)
    {
        Assert.True((int)answer.Status is 200 or 201, $"{step}: {answer}");
        _unanswered = null;
        _id ??= answer.String("id");
        if (step == StoryStep.Revoke)
        {
            _isRevoked = true;
        }
        else
        {
            _secrets.Add(answer.String("secret"));
        }
    }

    private Task<Answer> Send(ServedCalls calls, StoryStep step)
    {
        var once = $"{_name}-{step}";
        return step switch
        {
            StoryStep.Create => calls.TryCreate(_name, once),
            StoryStep.Rotate => calls.Act(_id!, "rotate", "{\"grace_seconds\":0}", once),
            _ => calls.Act(_id!, "revoke", idempotencyKey: once),
        };
    }
}
