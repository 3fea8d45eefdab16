using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Hosting;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Bench;

/// <summary>
/// A data folder with many keys of one project, and their secrets in a file beside it. The first key, which may verify, goes through the
/// server's
/// own statements; the others are copies of its rows under secrets of their own, without the audit and change rows of a real creation.
/// </summary>
internal sealed record SeededKeys(string Folder, string SecretsFile, int SecretLength, int Count, string CallerSecret)
{
    public const string RootKey = "root-key-of-the-bench-0123456789abcdef";

    private const int BatchSize = 1_000;
    private const long CallerNo = 1;

    /// <summary>Makes the folder, or takes up one that an earlier run left complete.</summary>
    public static async Task<SeededKeys> Make(string folder, int count, string? postgres = null)
    {
        string secretsFile = Path.Combine(folder, "secrets.txt");
        string callerFile = Path.Combine(folder, "caller.txt");
        if (!File.Exists(callerFile))
        {
            await Seed(folder, count, postgres, secretsFile, callerFile);
        }

        string caller = await File.ReadAllTextAsync(callerFile);
        return new SeededKeys(folder, secretsFile, caller.Length, count, caller);
    }

    /// <summary>The secrets of all keys, each as it is sent.</summary>
    public async Task<byte[][]> Secrets()
    {
        byte[] all = await File.ReadAllBytesAsync(SecretsFile);
        return [.. Enumerable.Range(0, Count).Select(i => all.AsSpan(i * SecretLength, SecretLength).ToArray())];
    }

    /// <summary>Has the server check every key once, in batches, and see each of them valid.</summary>
    public async Task Warm(ServerProcess server)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Address), Timeout = TimeSpan.FromMinutes(5) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RootKey);
        string secrets = await File.ReadAllTextAsync(SecretsFile);
        for (int first = 0; first < Count; first += BatchSize)
        {
            int batch = Math.Min(BatchSize, Count - first);
            var checks = Enumerable.Range(first, batch).Select(i => $$"""{"key":"{{secrets.AsSpan(i * SecretLength, SecretLength)}}"}""");
            using var body = new StringContent($$"""{"checks":[{{string.Join(',', checks)}}]}""", Encoding.UTF8, "application/json");
            using HttpResponseMessage answer = await http.PostAsync(new Uri("/api/v1/verify/batch", UriKind.Relative), body);
            string text = await answer.Content.ReadAsStringAsync();
            if (text.AsSpan().Count("\"valid\":true") != batch)
            {
                throw new InvalidOperationException(
                    $"Not every key of a batch is valid: {(int)answer.StatusCode} {text[..Math.Min(500, text.Length)]}");
            }
        }
    }

    private static async Task Seed(string folder, int count, string? postgres, string secretsFile, string callerFile)
    {
        await using LoadedGate gate = await LoadedGate.Open(folder, postgres);
        FirstStartResult start = await gate.Services.GetRequiredService<FirstStart>().Prepare(RootKey, CancellationToken.None);
        SecretMint mint = gate.Services.GetRequiredService<SecretMint>();
        var secrets = new StringBuilder();
        var written = await gate.Database.Write<string>(async scope =>
        {
            string caller = await InsertCaller(scope, mint, start.Project!);
            for (int first = 0; first < count; first += BatchSize)
            {
                await InsertLikeIt(scope, mint, first, Math.Min(BatchSize, count - first), secrets);
            }

            await scope.Execute("UPDATE counters SET value = value + @count WHERE name = 'key'", new { count });
            // What is measured is the check and the note of it: the plan that bounds nothing.
            await scope.Execute("UPDATE organizations SET plan = 'enterprise'");
            return caller;
        });
        await File.WriteAllTextAsync(secretsFile, secrets.ToString());
        await File.WriteAllTextAsync(callerFile, written.Value);
    }

    private static async Task InsertLikeIt(WriteScope scope, SecretMint mint, int first, int count, StringBuilder secrets)
    {
        var rows = new List<object>(count);
        for (int i = first; i < first + count; i++)
        {
            MadeSecret secret = mint.Make(null, "live", Caller.Root).Value;
            secrets.Append(secret.Text);
            rows.Add(new { KeyNo = CallerNo + 1L + i, Id = KeyId.New().Text, Name = $"Key {i + 1}", secret.Hash, secret.Mask, CallerNo });
        }

        // A list lets one prepared statement serve all its rows.
        await scope.Execute(
            """
            INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses,
                              metadata, holds, created_at_ms, created_by, row_version)
            SELECT @KeyNo, @Id, project_no, environment, type, @Name, permissions, scopes, '[]', allowed_addresses,
                   metadata, holds, created_at_ms, created_by, row_version
            FROM keys WHERE key_no = @CallerNo
            """,
            rows);
        await scope.Execute(
            """
            INSERT INTO secrets (key_no, version, hash, mask, created_at_ms)
            SELECT @KeyNo, version, @Hash, @Mask, created_at_ms FROM secrets WHERE key_no = @CallerNo
            """,
            rows);
    }

    private static async Task<string> InsertCaller(WriteScope scope, SecretMint mint, Project project)
    {
        MadeSecret secret = mint.Make(null, "live", Caller.Root).Value;
        var key = new Key
        {
            KeyNo = await scope.NextNumber("key"),
            Id = KeyId.New(),
            ProjectNo = project.ProjectNo,
            OrganizationNo = 1,
            ProjectId = project.Id.Text,
            OrganizationId = project.OrganizationId.Text,
            Environment = "live",
            Type = "standard",
            Name = "An API server",
            Permissions = ["read", "write"],
            Scopes = ["all"],
            Rights = ["verify"],
            AllowedAddresses = [],
            Metadata = "{}",
            CreatedAtMs = scope.NowMs,
            CreatedBy = "root",
            Version = 1,
            Secrets = [],
        };
        await KeySql.Insert(scope, key);
        await KeySql.InsertSecret(
            scope, key.KeyNo, new KeySecret { Version = 1, Mask = secret.Mask, CreatedAtMs = scope.NowMs }, secret.Hash, null);
        return secret.Text!;
    }
}
