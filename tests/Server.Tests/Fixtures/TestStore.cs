using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>Theory data: every storage test runs on both databases.</summary>
public static class Databases
{
    public static TheoryData<DatabaseKind> Both => [DatabaseKind.Sqlite, DatabaseKind.PostgreSql];
}

/// <summary>An open, empty database of either kind with its folder, clock and pepper; can be closed and opened again.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-store-");
    private Database? _database;

    private TestStore(string? postgres) =>
        Options = new StorageOptions { DataDirectory = _folder.FullName, PostgresConnectionString = postgres };

    public StorageOptions Options { get; }

    public ManualClock Clock { get; } = new();

    public Database Database => _database ?? throw new InvalidOperationException("The store is closed.");

    public Pepper Pepper { get; private set; } = null!;

    public string PepperFile => Path.Combine(Options.DataDirectory, Pepper.DefaultFile);

    public static async Task<TestStore> Open(DatabaseKind kind, PostgresFixture postgres)
    {
        var store = await Closed(kind, postgres);
        await store.Reopen();
        return store;
    }

    /// <summary>Not opened yet: for tests about opening.</summary>
    public static async Task<TestStore> Closed(DatabaseKind kind, PostgresFixture postgres) =>
        new(kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);

    /// <summary>A new process's view: everything in memory is gone.</summary>
    public async Task Reopen(IReadOnlyList<Migration>? migrations = null)
    {
        await Close();
        _database = await Database.Open(Options, Clock, NullLoggerFactory.Instance, migrations ?? Migration.Embedded, default);
        Pepper = await Pepper.Open(PepperFile, _database);
    }

    public async Task Close()
    {
        if (_database is { } open)
        {
            _database = null;
            await open.DisposeAsync();
        }
    }

    /// <summary>Runs SQL as somebody with the database in hands would, around every rule of ours.</summary>
    public async Task Tamper(string sql)
    {
        var done = await Database.Write<int>(async scope => await scope.Execute(sql));
        Assert.True(done.IsOk);
    }

    public async Task<long> Count(string table) =>
        (await Database.Write<long>(async scope => await scope.Find<long>($"SELECT COUNT(*) FROM {table}"))).Value;

    public async ValueTask DisposeAsync()
    {
        await Close();
        _folder.Delete(recursive: true);
    }
}

/// <summary>Callers as the gate establishes them.</summary>
internal static class Callers
{
    public static Caller Key(string id, Engine.Permissions.Rights rights = default, string projectId = "prj_1") => new()
    {
        Kind = CallerKind.Key,
        Id = id,
        Name = $"key {id}",
        Rights = rights,
        KeyNo = 1,
        ProjectNo = 1,
        ProjectId = projectId,
        OrganizationId = "org_1",
    };
}

internal static class OutcomeAssertions
{
    /// <summary>The code of a failed outcome.</summary>
    public static string CodeOf<T>(this Outcome<T> outcome) => outcome.Problem?.Code.Code ?? "ok";
}
