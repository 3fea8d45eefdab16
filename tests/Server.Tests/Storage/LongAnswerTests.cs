using System.Net;
using Dapper;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Faults;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Storage;

/// <summary>
/// A gate in a process of its own completes sockets on the threads that wait for them: what is read of a database must never block one.
/// </summary>
public sealed class LongAnswerTests(PostgresFixture postgres) : IDisposable
{
    private const int Lines = 20_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-long-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_answer_of_many_rows_is_read_to_its_end_on_the_threads_of_sockets(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using var gate = await ServedGate.Start(_folder.FullName, rootKey: ServedCalls.RootKey, database: database);
        using var calls = new ServedCalls(gate);
        _ = await calls.Create();
        await using (var connection = await Beside.Open(kind, _folder.FullName, database))
        {
            var atMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            await connection.ExecuteAsync(
                """
                INSERT INTO usage_spans (hour_ms, lowest_no, highest_no) VALUES (@hourMs, 1, @Lines);
                INSERT INTO refusals (request_no, key_no, place_no, at_ms, model_no, code, limit_amount, limit_remaining, retry_at_ms)
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < @Lines)
                SELECT n, 1, 0, @atMs, 0, 5, 0, 0, 0 FROM numbers
                """,
                new { atMs, Lines, hourMs = atMs - (atMs % 3_600_000) });
        }

        var exported = await calls.Send("GET", "/api/v1/usage/log.ndjson");

        Assert.Equal(HttpStatusCode.OK, exported.Status);
        Assert.Equal(Lines, exported.Text.Count(character => character == '\n'));
    }
}
