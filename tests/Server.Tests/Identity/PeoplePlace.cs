using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Mail;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>A gate whose people are under test, with its mails.</summary>
internal sealed class PeoplePlace : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    private readonly List<Browser> _browsers = [];

    private PeoplePlace(RunningGate gate) => Gate = gate;

    public RunningGate Gate { get; }

    public ManualClock Clock => Gate.Clock;

    /// <summary>Passwords are hashed in fewer rounds, but where a test is about them.</summary>
    public static async Task<PeoplePlace> Start(
        DatabaseKind kind = DatabaseKind.Sqlite, PostgresFixture? postgres = null, GateOptions? options = null,
        Func<ProviderModel, ProviderModel>? with = null, string provider = "default")
    {
        var gate = await RunningGate.Start(
            provider,
            options ?? new GateOptions { LogLevel = "none", HashRounds = 1_000 },
            postgres: kind == DatabaseKind.PostgreSql ? await postgres!.NewDatabase() : null,
            with: with);
        // What is sent is wiped: here all stays in the outbox.
        await gate.Services.GetRequiredService<MailCourier>().StopAsync(default);
        return new PeoplePlace(gate);
    }

    public Browser Browser(string? address = null)
    {
        var browser = new Browser(Gate, address);
        _browsers.Add(browser);
        return browser;
    }

    /// <summary>Somebody who has signed up, confirmed the address, and signed in.</summary>
    public async Task<Browser> SignedIn(string email, string password = Password)
    {
        await SignedUp(email, password);
        var browser = Browser();
        var page = await browser.SignIn(email, password);
        Assert.True(page.Location == "/console", page.ToString());
        return browser;
    }

    /// <summary>Somebody who has signed up and confirmed the address.</summary>
    public async Task SignedUp(string email, string password = Password)
    {
        var browser = Browser();
        var page = await browser.SignUp(email, password);
        Assert.True(page.Status == 200, page.ToString());
        page = await browser.Confirm(await Link(email), password);
        Assert.True(page.Location == "/sign-in?done=verified", page.ToString());
    }

    /// <summary>Every mail there was, the oldest first; blank ones, which nobody is sent, among them.</summary>
    public async Task<List<SentMail>> Mails()
    {
        var outbox = Gate.Services.GetRequiredService<MailOutbox>();
        var rows = await Gate.Database.Read(connection => connection.QueryAsync<QueuedMail>("SELECT * FROM mail_outbox ORDER BY mail_no"));
        return [.. rows.Select(row => (row, Letter: outbox.Open(row)!)).Select(mail => new SentMail(
            mail.Letter.To, mail.row.Template, mail.row.Blank == 1,
            mail.Letter.Plain.Split("\r\n").First(line => line.StartsWith("http", StringComparison.Ordinal))))];
    }

    /// <summary>The link in the newest mail to an address.</summary>
    public async Task<string> Link(string email) => (await Mails()).Last(mail => mail.To == email && !mail.IsBlank).Url;

    public long Hashes => Gate.Services.GetRequiredService<HashQueue>().Done;

    /// <summary>Every row of the audit log, the oldest first.</summary>
    public Task<List<AuditLine>> Audit() => Gate.Database.Read(async connection => (await connection.QueryAsync<AuditLine>(
        """
        SELECT action, actor_type, actor_id, target_id, organization_id, reason, address, request_id, before_json, after_json
        FROM audit ORDER BY seq
        """)).AsList());

    public async Task<T> Ask<T>(string sql) => (await Gate.Database.Read(connection => connection.ExecuteScalarAsync<T>(sql)))!;

    /// <summary>As somebody would who has the database in hands.</summary>
    public async Task Run(string sql) => Assert.True((await Gate.Database.Write<int>(async scope => await scope.Execute(sql))).IsOk);

    public async Task SetDisabled(string email, bool isDisabled)
    {
        await using var services = Gate.Services.CreateAsyncScope();
        var id = await Ask<string>($"SELECT id FROM people WHERE email_key = '{email}'");
        var done = await Gate.Database.Write<Person>(
            scope => services.ServiceProvider.GetRequiredService<People>().SetDisabled(scope, id, isDisabled));
        Assert.True(done.IsOk);
    }

    public async ValueTask DisposeAsync()
    {
        _browsers.ForEach(browser => browser.Dispose());
        await Gate.DisposeAsync();
    }
}

internal sealed record SentMail(string To, string Template, bool IsBlank, string Url);

internal sealed class AuditLine
{
    public string Action { get; init; } = "";

    public string ActorType { get; init; } = "";

    public string ActorId { get; init; } = "";

    public string TargetId { get; init; } = "";

    public string? OrganizationId { get; init; }

    public string? Reason { get; init; }

    public string? Address { get; init; }

    public string RequestId { get; init; } = "";

    public string? BeforeJson { get; init; }

    public string? AfterJson { get; init; }
}
