using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Relay;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// A gate that kills itself while the bill of a chat is made safe, and loses the power with it or not: the next one has every answered chat
/// billed once, and the one without an answer once or not at all.
/// </summary>
public sealed class SealCrashTests(PostgresFixture postgres) : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;
    private const int ChatsMax = 40;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-seal-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_chat_is_billed_exactly_once_after_a_kill_at_every_step_of_its_seal_with_the_spool_or_without(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var provider = await RelayedProvider.In(_folder.FullName, "wallet: { currency: USD }\n");
        string secret;
        await using (var gate = await RunningGate.Start(provider, _folder.FullName, database, FailpointTests.Today()))
        {
            secret = await gate.NewSecret();
        }

        var billed = 0L;
        foreach (var (point, isCommitted) in CrashMatrix.Seal)
        {
            foreach (var losesSpool in new[] { false, true })
            {
                var which = $"{point} on {kind}, spool lost {losesSpool}";
                billed += await Live(point, provider, database, secret);
                if (losesSpool)
                {
                    // As with the power: of the file nothing had reached the disk, of the database all that was committed.
                    File.Delete(SpoolFile.In(_folder.FullName));
                }

                var isSafe = !losesSpool || isCommitted;
                await using var gate = await RunningGate.Start(provider, _folder.FullName, database, FailpointTests.Today());
                billed = await Judge(gate, billed + (isSafe ? 1 : 0), isSafe, which);
            }
        }
    }

    /// <summary>
    /// Answers how many are billed. Where its settlement went with the power, the chat without an answer may be open yet, if its beginning
    /// had been booked: then it is settled by its last mark.
    /// </summary>
    private static async Task<long> Judge(RunningGate gate, long billed, bool isSafe, string which)
    {
        var before = await PaidBooks.Of(gate.Database);
        before.Agree(which);
        Assert.True(before.Lines == billed && before.Open <= (isSafe ? 0 : 1), $"{which}: {billed} were to be billed, {before}");
        Assert.Null(await gate.Database.Read(SealSql.First));
        gate.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await gate.Services.GetRequiredService<ReservationSweep>().Run();
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        var after = await PaidBooks.Of(gate.Database);
        after.Agree($"{which}, swept");
        Assert.True((after.Lines, after.Held, after.Open) == (billed + before.Open, 0, 0), $"{which}, swept: {after}");
        return after.Lines;
    }

    /// <summary>One life of the gate, until it dies: how many chats came to their end.</summary>
    private async Task<int> Live(string point, string provider, string? database, string secret)
    {
        await using var doomed = await ServedGate.Start(
            _folder.FullName, provider, rootKey: RunningGate.RootKey, database: database,
            environment: new Dictionary<string, string>
            {
                ["DOTNET_gcServer"] = "0", ["DOTNET_TieredPGO"] = "0", ["TOLLGATE_LOG_LEVEL"] = "none", ["TOLLGATE_FAILPOINT"] = point,
                ["TOLLGATE_USAGE_BUFFER_EVENTS"] = Spool.CapacityMin.ToString(CultureInfo.InvariantCulture),
            });
        using var calls = new ServedCalls(doomed);
        for (var answered = 0; answered < ChatsMax; answered++)
        {
            try
            {
                var answer = await calls.Send("POST", "/v1/chat/completions", GatewayRun.ChatOf(""), secret);
                Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
            }
            catch (HttpRequestException)
            {
                Assert.Equal(KilledBySignal9, await doomed.WaitForExit());
                return answered;
            }
        }

        throw new InvalidOperationException($"The gate did not die at {point}: {doomed.Said}");
    }
}
