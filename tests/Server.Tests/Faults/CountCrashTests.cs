using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Dapper;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Faults;

/// <summary>Requests are counted in memory and answered at once; kill -9 loses none of the answered ones, and doubles none.</summary>
public sealed class CountCrashTests(PostgresFixture postgres) : IDisposable
{
    private const int Kills = 4;
    private const int Clients = 4;
    private const int AnswersMax = 300;

    private const string Hourly = """

        limits:
          - { name: hourly, counts: requests, per: 1h }
          - { name: hourly_tokens, counts: tokens, per: 1h }
        plans: { only: { hourly: 1000, hourly_tokens: 100000 } }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-count-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Every_answered_request_is_counted_once_however_often_the_gate_is_killed(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var seed = FuzzSeed.Take(Kills);
        var random = new Random(seed);
        var (answered, unanswered, secret) = (new ConcurrentBag<string>(), 0, "");
        for (var life = 0; life < Kills; life++)
        {
            await using var gate = await ServedGate.Start(_folder.FullName, rootKey: ServedCalls.RootKey, database: database);
            using var calls = new ServedCalls(gate);
            if (life == 0)
            {
                await calls.Unlimit();
                secret = (await calls.Create()).Secret;
            }

            var left = random.Next(1, AnswersMax);
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var clients = Enumerable.Range(0, Clients).Select(_ => Ask(calls, secret, request =>
            {
                answered.Add(request);
                if (Interlocked.Decrement(ref left) == 0)
                {
                    enough.SetResult();
                }
            })).ToList();
            await enough.Task;
            await gate.Kill();
            await Task.WhenAll(clients);
            unanswered += Clients;
        }

        await using var after = await RunningGate.Start("default", _folder.FullName, database, FailpointTests.Today());
        var books = await PaidBooks.Of(after.Database);
        var logged = (await after.Database.Read(connection => connection.QueryAsync<long>("SELECT request_no FROM usage_log")))
            .Select(RequestId.Of).ToHashSet();
        books.Agree($"FUZZ_SEED={seed}");
        Assert.Empty(answered.Except(logged));
        Assert.Equal(answered.Count, answered.Distinct().Count());
        Assert.InRange(books.Lines, answered.Count, answered.Count + unanswered);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Windows_of_an_hour_outlast_a_kill_and_a_settlement_after_it_corrects_them(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var provider = await PaidProvider.In(_folder.FullName, Hourly);
        await using (var first = await RunningGate.Start(provider, _folder.FullName, database, FailpointTests.Today()))
        {
            // Money comes in.
        }

        string secret, reservation;
        await using (var gate = await ServedGate.Start(_folder.FullName, provider, rootKey: ServedCalls.RootKey, database: database))
        {
            using var calls = new ServedCalls(gate);
            secret = (await calls.Create()).Secret;
            for (var i = 0; i < 10; i++)
            {
                _ = await Verify(calls, secret, 100, 100);
            }

            reservation = (await Verify(calls, secret, 1_000, 3_000)).String("reservation");
            await gate.Kill();
        }

        await using (var gate = await ServedGate.Start(_folder.FullName, provider, rootKey: ServedCalls.RootKey, database: database))
        {
            using var calls = new ServedCalls(gate);
            Assert.Equal(["hourly 988", "hourly_tokens 93999"], Limits(await Verify(calls, secret, 1, 0)));
            var settled = await calls.Send(
                "POST", "/api/v1/usage", $"{{\"reservation\":\"{reservation}\",\"input_tokens\":1000,\"output_tokens\":200}}");
            Assert.True(settled.Status == HttpStatusCode.OK, settled.Text);
            Assert.Equal(["hourly 987", "hourly_tokens 96798"], Limits(await Verify(calls, secret, 1, 0)));
            await gate.Kill();
        }

        await using var again = await ServedGate.Start(_folder.FullName, provider, rootKey: ServedCalls.RootKey, database: database);
        using var later = new ServedCalls(again);
        Assert.Equal(["hourly 986", "hourly_tokens 96797"], Limits(await Verify(later, secret, 1, 0)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TO12_reads_of_an_hour_are_counted_on_after_a_kill(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var secret = "";
        for (var life = 0; life < 3; life++)
        {
            await using var gate = await ServedGate.Start(_folder.FullName, "tensorone", rootKey: ServedCalls.RootKey, database: database);
            using var calls = new ServedCalls(gate);
            secret = life == 0 ? (await calls.Create()).Secret : secret;
            for (var read = 1; read <= 5; read++)
            {
                var answer = await calls.Send("GET", "/v2/endpoints", key: secret);
                Assert.Equal($"{100 - (life * 5) - read}", answer.Headers["X-RateLimit-Remaining"]);
            }

            await gate.Kill();
        }
    }

    private static async Task Ask(ServedCalls calls, string secret, Action<string> answered)
    {
        try
        {
            while (true)
            {
                var answer = await calls.Send("POST", "/api/v1/verify", $"{{\"key\":\"{secret}\"}}");
                Assert.True(answer.Json.GetProperty("valid").GetBoolean(), answer.Text);
                answered(answer.String("request_id"));
            }
        }
        catch (HttpRequestException)
        {
            // The gate is dead.
        }
    }

    private static async Task<Answer> Verify(ServedCalls calls, string secret, int input, int output)
    {
        var answer = await calls.Send(
            "POST", "/api/v1/verify",
            $"{{\"key\":\"{secret}\",\"model\":\"{PaidProvider.Model}\",\"tokens\":{{\"input\":{input},\"max_output\":{output}}}}}");
        Assert.True(answer.Json.GetProperty("valid").GetBoolean(), answer.Text);
        return answer;
    }

    private static IEnumerable<string> Limits(Answer answer) =>
        [.. answer.Json.GetProperty("limits").EnumerateArray().Select(Remaining)];

    private static string Remaining(JsonElement limit) => string.Create(
        CultureInfo.InvariantCulture, $"{limit.GetProperty("name").GetString()} {limit.GetProperty("remaining").GetInt64()}");
}
