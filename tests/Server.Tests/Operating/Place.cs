using System.Data.Common;
using System.Globalization;
using System.Net;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Operating;

/// <summary>A data folder, or a folder and a PostgreSQL, as an operator has it: gates are started on it, verbs are run on it.</summary>
internal sealed class Place : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-place-");

    private Place(string? postgres) => Postgres = postgres;

    public string? Postgres { get; }

    /// <summary>What all gates of this process read; those in processes of their own read the machine's.</summary>
    public ManualClock Clock { get; } = new();

    public string Folder => _folder.FullName;

    public StorageOptions Storage => new() { DataDirectory = Folder, PostgresConnectionString = Postgres };

    public string DatabaseFile => PathOf(SqliteDriver.FileName);

    public string PepperFile => PathOf(Pepper.DefaultFile);

    public static async Task<Place> New(DatabaseKind kind, PostgresFixture postgres) =>
        new(kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>A gate in this process, which holds the data's lock as one of its own would.</summary>
    public Task<RunningGate> Start() => RunningGate.Start("default", Folder, Postgres, Clock);

    /// <summary>A gate in a process of its own.</summary>
    public Task<ServedGate> Serve(string? rootKey = null) => ServedGate.Start(
        Folder, rootKey: rootKey, database: Postgres,
        environment: new Dictionary<string, string>
        {
            ["TOLLGATE_USAGE_BUFFER_EVENTS"] = Spool.CapacityMin.ToString(CultureInfo.InvariantCulture),
        });

    public Task<Verb> Run(params string[] line) => Run([], line);

    public async Task<Verb> Run(IEnumerable<(string Name, string Value)> environment, params string[] line)
    {
        var (code, output, faults) = await ServedGate.Run(
            [("TOLLGATE_DATABASE", Postgres ?? ""), .. environment], [.. line, "--data", Folder]);
        return new Verb(code, output, faults);
    }

    /// <summary>Goes around the gate.</summary>
    public Task<DbConnection> Connect() =>
        Beside.Open(Postgres is null ? DatabaseKind.Sqlite : DatabaseKind.PostgreSql, Folder, Postgres);

    /// <summary>Backs up and answers the file.</summary>
    public async Task<string> Backup(string name = "one.backup")
    {
        var done = await Run("backup", "--to", PathOf(name));
        Assert.True(done.ExitCode == 0, done.ToString());
        return PathOf(name);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>How a verb ended and what it said.</summary>
internal sealed record Verb(int ExitCode, string Output, string Faults)
{
    public override string ToString() => $"{ExitCode}\n{Output}\n{Faults}";
}

/// <summary>What a test asks a gate about a key.</summary>
internal static class KeyCalls
{
    public static async Task<string> Code(this RunningGate gate, string secret)
    {
        var answer = await gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, $"{{\"key\":\"{secret}\"}}");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.String("code");
    }

    /// <summary>As somebody with the database in hands would, where no call of ours leads there with the shipped provider.</summary>
    public static async Task Write(this RunningGate gate, string sql) =>
        Assert.Equal(1, (await gate.Database.Write<int>(async scope => await scope.Execute(sql))).Value);

    public static async Task Change(this RunningGate gate, string method, string path, string? body = null)
    {
        var answer = await gate.Send(method, "/api/v1" + path, RunningGate.RootKey, body);
        Assert.True((int)answer.Status < 300, answer.ToString());
    }
}
