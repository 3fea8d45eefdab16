using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Webhooks;

/// <summary>The process kills itself between sending and writing down: nothing is lost, and what comes twice has the same id.</summary>
public sealed class WebhookCrashTests(PostgresFixture postgres) : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-webhook-crash-");

    public static TheoryData<DatabaseKind, string, bool> Points => new()
    {
        { DatabaseKind.Sqlite, "webhook-sent", true },
        { DatabaseKind.Sqlite, "webhook-tried", true },
        { DatabaseKind.Sqlite, "webhook-ran", true },
        { DatabaseKind.Sqlite, "key-expiring", false },
        { DatabaseKind.PostgreSql, "webhook-sent", true },
        { DatabaseKind.PostgreSql, "webhook-tried", true },
        { DatabaseKind.PostgreSql, "webhook-ran", true },
        { DatabaseKind.PostgreSql, "key-expiring", false },
    };

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Points))]
    public async Task An_event_arrives_though_the_process_dies_while_it_is_sent(DatabaseKind kind, string point, bool arrivesTwice)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using var receiver = await Receiver.Start();
        string organization;
        // A gate that sends nothing, so that the doomed one finds everything to be done.
        await using (var gate = await RunningGate.Start(
            "default", new GateOptions { LogLevel = "none", WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.1" }, _folder.FullName,
            database, Today()))
        {
            organization = gate.OrganizationId;
            var made = await gate.Send(
                "POST", $"/api/v1/organizations/{organization}/webhooks", RunningGate.RootKey,
                $$"""{"url":"{{receiver.Url}}","events":["key.expiring"]}""");
            Assert.Equal(201, (int)made.Status);
            var end = gate.Clock.GetUtcNow().AddDays(3);
            await gate.NewKey($"\"name\":\"Ends\",\"expires_at\":\"{end:yyyy-MM-ddTHH:mm:ssZ}\"");
        }

        await using (var doomed = await ServedGate.Start(
            _folder.FullName, rootKey: RunningGate.RootKey, database: database, environment: new Dictionary<string, string>
            {
                ["TOLLGATE_FAILPOINT"] = point,
                ["TOLLGATE_WEBHOOK_HTTP"] = "on",
                ["TOLLGATE_WEBHOOK_PRIVATE_ADDRESSES"] = "127.0.0.1",
                ["TOLLGATE_LOG_LEVEL"] = "none",
            }))
        {
            Assert.Equal(KilledBySignal9, await doomed.WaitForExit());
        }

        await using (var gate = await RunningGate.Start(
            "default", new GateOptions { LogLevel = "none", WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.1" }, _folder.FullName,
            database, Today()))
        {
            await receiver.Arrived(arrivesTwice ? 2 : 1);
            Assert.Single(receiver.Log.Select(got => got.Id).Distinct());
            Assert.Equal("key.expiring", receiver.Log[0].Type);
            await gate.Services.GetRequiredService<WebhookCourier>().Idle();
            var webhook = Assert.Single(await gate.Database.Read(c => WebhookSql.List(c, organization)));
            Assert.Equal(0, webhook.Pending);
            Assert.Single(await gate.Database.Read(c => DeliverySql.List(c, webhook.WebhookNo, null, long.MaxValue, 10)));
        }
    }

    private static ManualClock Today()
    {
        var clock = new ManualClock();
        clock.Advance(TimeProvider.System.GetUtcNow() - clock.GetUtcNow());
        return clock;
    }
}
