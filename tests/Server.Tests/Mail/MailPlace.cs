using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Mail;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Mail;

/// <summary>The room without a gate around it: a database, and a courier that goes when it is told to.</summary>
internal sealed class MailPlace : IAsyncDisposable
{
    public const string Url = "https://console.example.test/reset?token=s3cret-of-the-link_0123456789";
    public const string Ada = "ada@example.test";

    private static readonly ProviderModel Provider = ProviderFiles.Shipped.Load("default").Model!;

    private MailPlace(TestStore store) => Store = store;

    public TestStore Store { get; }

    public MailOutbox Outbox { get; private set; } = null!;

    public MailCourier Courier { get; private set; } = null!;

    public MailFolder Folder { get; private set; } = null!;

    public MailMeter Meter { get; } = new();

    public ManualClock Clock => Store.Clock;

    public string FolderPath => Path.Combine(Store.Options.DataDirectory, "mail");

    /// <param name="kind">Of the database.</param>
    /// <param name="postgres">Where such a one comes from.</param>
    /// <param name="port">Of a mail server on this machine, which is spoken to unencrypted; none for the folder.</param>
    /// <param name="isPatient">Whether a mail may take its time; for a second only where the server is meant to use it up.</param>
    public static async Task<MailPlace> Open(DatabaseKind kind, PostgresFixture postgres, int? port = null, bool isPatient = true)
    {
        var place = new MailPlace(await TestStore.Open(kind, postgres));
        place.Wire(port, isPatient);
        return place;
    }

    /// <summary>A new process on the same data.</summary>
    public async Task Restart(int? port)
    {
        await Courier.StopAsync(default);
        Courier.Dispose();
        await Store.Reopen();
        Wire(port, isPatient: true);
    }

    public static MailMessage Reset(string to = Ada) => new(
        to, "reset-password", new Dictionary<string, string> { ["Name"] = "Ada", ["Url"] = Url, ["Expires"] = "2026-01-02 04:04 UTC" });

    public Task Queue(MailMessage message, bool isBlank = false) => Write(
        scope => isBlank ? Outbox.QueueBlank(scope, message) : Outbox.Queue(scope, message));

    public async Task Write(Func<WriteScope, Task> work) => Assert.True((await Store.Database.Write<bool>(async scope =>
    {
        await work(scope);
        return true;
    })).IsOk);

    /// <summary>All that may be sent now is tried once.</summary>
    public async Task Carry()
    {
        await Courier.Pass(default);
        await Courier.Idle();
    }

    /// <summary>The same until nothing more is due or the server is left alone.</summary>
    public async Task CarryAll()
    {
        for (var before = -1L; await Due() is > 0 and var due && due != before; before = due)
        {
            await Carry();
        }
    }

    public Task<IReadOnlyList<QueuedMail>> Rows() => Store.Database.Read(async connection =>
        (IReadOnlyList<QueuedMail>)(await Dapper.SqlMapper.QueryAsync<QueuedMail>(
            connection, "SELECT * FROM mail_outbox ORDER BY mail_no")).ToList());

    public async Task<QueuedMail> Row() => (await Rows()).Single();

    public async ValueTask DisposeAsync()
    {
        await Courier.StopAsync(default);
        Courier.Dispose();
        await Store.DisposeAsync();
    }

    private async Task<long> Due() => (await Rows()).Count(row => row.State == QueuedMail.IsWaiting && row.DueAtMs <= Clock.NowMs);

    private void Wire(int? port, bool isPatient)
    {
        var options = new MailOptions
        {
            Host = port is null ? null : "127.0.0.1",
            Port = port ?? 0,
            From = "gate@example.test",
            IsEncrypted = false,
            SendTimeMax = TimeSpan.FromSeconds(isPatient ? 120 : 1),
            Folder = FolderPath,
        };
        var form = new LetterForm(options, Provider);
        Outbox = new MailOutbox(new Sealer(Store.Pepper), Provider, Meter);
        Folder = new MailFolder(options, form);
        Courier = new MailCourier(
            Store.Database, Outbox, new SmtpSender(options, form, Clock), Folder, options, Meter, Clock, NullLogger<MailCourier>.Instance);
    }
}
