using System.Diagnostics;
using System.Buffers;
using System.Data.Common;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Keys.Import;

namespace Tollgate.Server.Tests.Security;

/// <summary>Who steals the database finds no secret in it, nor a hash that would confirm one.</summary>
public sealed class SecretsAtRestTests(PostgresFixture postgres) : IDisposable
{
    private const int Telling = 12;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-at-rest-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(DatabaseKind.Sqlite, "default")]
    [InlineData(DatabaseKind.Sqlite, "tensorpool")]
    [InlineData(DatabaseKind.PostgreSql, "default")]
    [InlineData(DatabaseKind.PostgreSql, "tensorpool")]
    public async Task No_twelve_characters_of_a_thousand_secrets_are_in_the_database(DatabaseKind kind, string provider)
    {
        var folder = _folder.FullName;
        await using var gate = await RunningGate.Start(
            provider, folder, kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var secrets = await Issue(gate);
        var dump = kind == DatabaseKind.PostgreSql ? await DumpTables(gate) : DumpFiles(folder);

        Assert.Empty(Found(dump, secrets));
        // The scan itself: a secret that somebody writes into a description is found.
        await gate.Create($"\"name\":\"Careless\",\"description\":\"it is {secrets[0]}\"");
        Assert.NotEmpty(Found(kind == DatabaseKind.PostgreSql ? await DumpTables(gate) : DumpFiles(folder), secrets));
    }

    [Fact]
    public async Task A_stolen_hash_confirms_a_secret_only_with_the_pepper()
    {
        var folder = _folder.FullName;
        await using var gate = await RunningGate.Start("default", folder);
        var secret = Encoding.ASCII.GetBytes(await gate.NewSecret());
        var plain = SHA256.HashData(secret);
        var moved = Encoding.ASCII.GetBytes(gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0));
        var hex = Convert.ToHexStringLower(SHA256.HashData(moved));
        (await gate.Import(Imports.Hashed(hex, hex, ("name", "Where the other system's only id is the hash")))).Outcomes();
        var dump = DumpFiles(folder);
        Assert.DoesNotContain(hex, dump, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Encoding.Latin1.GetString(SHA256.HashData(moved)), dump, StringComparison.Ordinal);
        byte[][] guesses =
        [
            plain, SHA256.HashData(plain), HMACSHA256.HashData(Array.Empty<byte>(), plain), HMACSHA256.HashData(new byte[32], plain),
            HMACSHA256.HashData(plain, secret), SHA512.HashData(secret),
        ];
        foreach (var guess in guesses)
        {
            Assert.DoesNotContain(Encoding.Latin1.GetString(guess), dump, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexString(guess), dump, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToBase64String(guess), dump, StringComparison.Ordinal);
        }

        var pepper = gate.Services.GetRequiredService<Pepper>();
        Assert.Contains(Encoding.Latin1.GetString(pepper.HashSecret(plain)), dump, StringComparison.Ordinal);
        var line = (await File.ReadAllTextAsync(Path.Combine(folder, Pepper.DefaultFile))).Trim();
        Assert.DoesNotContain(line[2..], dump, StringComparison.Ordinal);
        Assert.DoesNotContain(Encoding.Latin1.GetString(Convert.FromBase64String(line[2..])), dump, StringComparison.Ordinal);
    }

    /// <summary>A thousand made at the door, a few more over HTTP with what keeps answers: idempotent creation, rotation, reveal.</summary>
    private static async Task<List<string>> Issue(RunningGate gate)
    {
        var ring = gate.Services.GetRequiredService<KeyRing>();
        var issued = await gate.Database.Write<List<string>>(
            async scope =>
            {
                var secrets = new List<string>();
                for (var i = 0; i < 980; i++)
                {
                    secrets.Add((await ring.Issue(scope, gate.ProjectId, new CreateKey { Name = $"Key {i}" })).Value.Secret!);
                }

                return secrets;
            },
            MutationContext.Of(Caller.Root));
        var all = issued.Value;
        for (var i = 0; i < 5; i++)
        {
            var made = await gate.Send(
                "POST", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey, "{\"name\":\"Kept\"}", ("Idempotency-Key",
                    $"k{i}"));
            all.Add(made.Has(HttpStatusCode.Created).String("secret"));
            var renewed = await gate.Send(
                "POST", $"/api/v1/keys/{made.String("id")}/regenerate", RunningGate.RootKey, null, ("Idempotency-Key", $"r{i}"));
            all.Add(renewed.Has(HttpStatusCode.OK).String("secret"));
            await gate.Act(made.String("id"), "reveal");
            await gate.Verify(renewed.String("secret"));
        }

        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        var moved = Enumerable.Range(0, 10).Select(_ => format.Mint(0)).ToList();
        var taken = await gate.Import(Imports.Text([.. moved.Select(secret => Imports.Row(secret))]), null, ("Idempotency-Key", "moved"));
        Assert.Equal(Enumerable.Repeat("created", 10), taken.Outcomes());
        all.AddRange(moved);
        Assert.Equal(1_000, all.Distinct().Count());
        return all;
    }

    private static List<string> Found(string dump, List<string> secrets)
    {
        var pieces = new HashSet<string>(StringComparer.Ordinal);
        foreach (var secret in secrets)
        {
            for (var at = 0; at + Telling <= secret.Length; at++)
            {
                pieces.Add(secret.Substring(at, Telling));
            }
        }

        var lookup = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        var found = new List<string>();
        for (var at = 0; at + Telling <= dump.Length; at++)
        {
            if (lookup.Contains(dump.AsSpan(at, Telling)))
            {
                found.Add(dump.Substring(at, Telling));
            }
        }

        return found;
    }

    /// <summary>Every file of the data folder but the pepper: the database, its write-ahead log, its shared memory.</summary>
    private static string DumpFiles(string folder)
    {
        var text = new StringBuilder();
        string[] apart = [Pepper.DefaultFile, "tollgate.lock"];
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(file => !apart.Contains(Path.GetFileName(file)));
        foreach (var file in files)
        {
            text.Append(Content(file)).Append('\n');
        }

        Assert.True(text.Length > 4_096, "There is nothing to look through.");
        Assert.Equal(0, new FileInfo(Path.Combine(folder, "tollgate.lock")).Length);
        return text.ToString();
    }

    /// <summary>By another program, as a thief would: the gate's own lock on a file keeps only those out who ask for one.</summary>
    private static string Content(string file)
    {
        using var cat = Process.Start(new ProcessStartInfo("cat", [file])
        {
            RedirectStandardOutput = true, StandardOutputEncoding = Encoding.Latin1,
        })!;
        var text = cat.StandardOutput.ReadToEnd();
        cat.WaitForExit();
        Assert.Equal(0, cat.ExitCode);
        return text;
    }

    private static async Task<string> DumpTables(RunningGate gate)
    {
        var dumped = await gate.Database.Read(async connection =>
        {
            var text = new StringBuilder();
            foreach (var table in await Column(
                connection, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
            {
                foreach (var row in await Column(connection, $"SELECT t::text FROM \"{table}\" t"))
                {
                    text.Append(row).Append('\n').Append(Bytes(row)).Append('\n');
                }
            }

            return text.ToString();
        });
        Assert.True(dumped.Length > 4_096, "There is nothing to look through.");
        return dumped;
    }

    /// <summary>What the row's bytes, which PostgreSQL writes as hexadecimal digits, say as text.</summary>
    private static string Bytes(string row) => string.Join('\n', row.Split("\\x").Skip(1)
        .Select(part => part[..(part.AsSpan().IndexOfAnyExcept(Digits) is var end and >= 0 ? end : part.Length)])
        .Select(digits => Encoding.Latin1.GetString(Convert.FromHexString(digits[..(digits.Length / 2 * 2)]))));

    private static async Task<List<string>> Column(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // our own statements over the names of our own tables
        command.CommandText = sql;
#pragma warning restore CA2100
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetString(0));
        }

        return values;
    }
}
