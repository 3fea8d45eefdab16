using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys.Import;

/// <summary>Gates of a provider that lets foreign keys in, and the calls that bring them.</summary>
public sealed class ImportGates(PostgresFixture postgres) : IAsyncLifetime
{
    /// <summary>Two environments of its own, keys as LiteLLM makes them, and keys of a legacy system.</summary>
    private const string Provider = """
        provider: { name: Acme, base_url: https://api.acme.example, key_variable: ACME_API_KEY }
        keys:
          secret:
            environments: { live: acme_live_, test: acme_test_ }
            length: 40
            alphabet: alphanumeric
            checksum: crc32
            shown: once
            accepts:
              - { prefix: sk-, length: 22, checksum: none }
              - { prefix: legacy_, length: 40, checksum: none }
          mask: { head: 12, tail: 4 }
          name: { min: 1, max: 100 }
          expiry: optional
          operations: [disable, enable, rotate, regenerate, revoke, delete]
        permissions:
          scopes: { files: Files, chat: Chat }
          routes:
            - /v1/files/**: files
            - POST /v1/chat: chat
        errors:
          default: { body: { error: $code } }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-import-");
    private readonly Gates _gates = new(postgres);

    public async ValueTask InitializeAsync() => await File.WriteAllTextAsync(ProviderFile, Provider);

    public string ProviderFile => Path.Combine(_folder.FullName, "acme.yaml");

    internal Task<RunningGate> Of(DatabaseKind kind) => _gates.Of(kind, ProviderFile);

    internal Task<RunningGate> Sqlite() => Of(DatabaseKind.Sqlite);

    public async ValueTask DisposeAsync()
    {
        await _gates.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

internal static class Imports
{
    public const string Lines = "application/x-ndjson";

    /// <summary>A secret as LiteLLM makes them.</summary>
    public static string Foreign() => "sk-" + RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789-_", 22);

    public static string Hex(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    public static string Base64(string secret) => Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    public static string NewId() => RandomNumberGenerator.GetHexString(16);

    /// <summary>A good row by its secret; <paramref name="members"/> are put over it.</summary>
    public static JsonObject Row(string? secret = null, string? id = null, params (string Name, JsonNode? Value)[] members)
    {
        var row = new JsonObject { ["external_id"] = id ?? NewId(), ["name"] = "Moved in", ["secret"] = secret ?? Foreign() };
        foreach (var (name, value) in members)
        {
            if (value is null)
            {
                row.Remove(name);
            }
            else
            {
                row[name] = value;
            }
        }

        return row;
    }

    /// <summary>The same by its hash.</summary>
    public static JsonObject Hashed(string hash, string? id = null, params (string Name, JsonNode? Value)[] members) =>
        Row("x", id, [("secret", null), ("secret_sha256", hash), .. members]);

    public static Task<Answer> Import(this RunningGate gate, params JsonObject[] rows) => gate.Import(Text(rows));

    public static Task<Answer> Import(
        this RunningGate gate, string body, string? query = null, params (string Name, string Value)[] headers) =>
        gate.Send(
            "POST",
            $"/api/v1/import{query ?? $"?project={gate.ProjectId}"}",
            RunningGate.RootKey,
            body,
            [("Content-Type", Lines), .. headers]);

    public static string Text(params JsonObject[] rows) => string.Concat(rows.Select(row => row.ToJsonString() + "\n"));

    public static JsonElement[] Results(this Answer answer) => [.. answer.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray()];

    /// <summary>What became of each row: its status, or the code it was refused with.</summary>
    public static string[] Outcomes(this Answer answer) => [.. answer.Results().Select(row =>
        row.GetProperty("status").GetString() is var status && status == "refused"
            ? row.GetProperty("error").GetProperty("code").GetString()!
            : status!)];

    public static string Detail(this Answer answer, int row = 0) =>
        answer.Results()[row].GetProperty("error").GetProperty("detail").GetString()!;

    public static string IdOf(this Answer answer, int row = 0) => answer.Results()[row].GetProperty("id").GetString()!;
}
