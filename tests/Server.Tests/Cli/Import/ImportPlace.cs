using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Keys.Import;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Cli.Import;

/// <summary>A folder for the files of one test, a gate, and a project of the test's own.</summary>
internal sealed class ImportPlace : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-import-");

    public required RunningGate Gate { get; init; }

    public required string Project { get; init; }

    public string Folder => _folder.FullName;

    /// <summary>Part of ids that no other test has.</summary>
    public string Id { get; } = Imports.NewId();

    /// <summary>What is in the folder now.</summary>
    public IEnumerable<string> Files => _folder.GetFiles().Select(file => file.Name).Order();

    public static async Task<ImportPlace> New(ImportGates gates, DatabaseKind kind = DatabaseKind.Sqlite)
    {
        var gate = await gates.Of(kind);
        return new ImportPlace { Gate = gate, Project = await gate.NewProject() };
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    public string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));

    public Task<Ran> Run(string line) => Ran.Command(
        null, $"import {line} --project {Project}", "", ("TOLLGATE_URL", Gate.Address), ("TOLLGATE_ROOT_KEY", RunningGate.RootKey));

    public async Task<Answer> KeyOf(string secret)
    {
        var id = (await Gate.Verify(secret)).Json.GetProperty("key").GetProperty("id").GetString();
        return await Gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
