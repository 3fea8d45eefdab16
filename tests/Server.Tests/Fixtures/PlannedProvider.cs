using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>
/// A provider with plans, limits, quotas and a bound on key operations, in a file and a folder of its own: what the tests of those need,
/// whatever the shipped files say. Its file can be edited between two starts on the same data.
/// </summary>
internal sealed class PlannedProvider : IAsyncDisposable
{
    public const string Plans = """
        limits:
          - { name: rpm, counts: requests, per: 1m }
          - { name: tpm, counts: tokens, per: 1m }
          - { name: parallel, counts: concurrent_requests, amount: 4 }
        quotas:
          - { name: things, made_by: POST /v1/things, deleted_by: "DELETE /v1/things/{}" }
          - { name: boxes }
        plans:
          small: { rpm: 10, tpm: 1000, things: 1, boxes: 0 }
          medium: { rpm: 100, tpm: 50000, things: 10, boxes: 3 }
          large: { rpm: unlimited, tpm: unlimited, things: unlimited, boxes: unlimited }
        """;

    public const string Operations = "key_operations: { amount: 15, per: 1h }";

    private const string Rest = """
        provider: { name: Planned, base_url: https://api.planned.example, key_variable: PLANNED_API_KEY }
        keys:
          secret: { prefix: pl_, length: 40, alphabet: alphanumeric, checksum: crc32, shown: once }
          mask: { head: 7, tail: 4 }
          name: { min: 1, max: 100 }
          expiry: optional
          operations: [disable, enable, regenerate, rotate, revoke, delete]
          scopes: { default: [things] }
        permissions:
          scopes: { things: Things, files: Files }
          routes:
            - POST /v1/things: things
            - /v1/things/{}: things
            - /v1/files/**: files
        surface:
          create:
            at: POST /v1/keys
            needs: manage_keys
            accepts: { label: name }
            status: 201
            answers: { id: $key.id, secret: $secret }
          regenerate:
            at: POST /v1/keys/{id}/regenerate
            needs: manage_keys or self
            answers: { id: $key.id, secret: $secret }
        errors:
          default: { body: { error: { code: $code, message: $message } } }

        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-planned-");
    private string? _postgres;

    public string File => Path.Combine(_folder.FullName, "planned.yaml");

    public ManualClock Clock { get; } = new();

    public static async Task<PlannedProvider> Of(DatabaseKind kind, PostgresFixture postgres, string more = Plans)
    {
        var provider = new PlannedProvider { _postgres = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null };
        provider.Say(more);
        return provider;
    }

    /// <summary>What the file says besides who the provider is and what its keys are.</summary>
    public void Say(string more) => System.IO.File.WriteAllText(File, Rest + more);

    public Task<RunningGate> Start(string logLevel = "none") => RunningGate.Start(
        File,
        new GateOptions { LogLevel = logLevel },
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "data")).FullName,
        _postgres,
        Clock);

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
