using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Operating;

namespace Tollgate.Server.Tests.Storage;

/// <summary>What every earlier release has written starts under this one: the data folders in <c>Storage/Fixtures</c>.</summary>
public sealed class UpgradeTests(PostgresFixture postgres) : IDisposable
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly string Fixtures = Path.Combine(Repository.Root, "tests/Server.Tests/Storage/Fixtures");
    private static readonly string RootKey = "root-key-of-the-upgrade-fixtures-" + new string('0', 12);

    private readonly HttpClient _http = new();

    public static TheoryData<string, DatabaseKind> Releases
    {
        get
        {
            var releases = new TheoryData<string, DatabaseKind>();
            foreach (var release in Directory.GetDirectories(Fixtures).Select(folder => Path.GetFileName(folder)!))
            {
                releases.Add(release, DatabaseKind.Sqlite);
                releases.Add(release, DatabaseKind.PostgreSql);
            }

            return releases;
        }
    }

    public void Dispose() => _http.Dispose();

    [Theory, MemberData(nameof(Releases))]
    public async Task Its_keys_work_or_stay_refused_and_its_audit_chain_is_whole(string release, DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        await Lay(release, place);

        await using (var gate = await place.Serve())
        {
            foreach (var (name, code) in new[]
            {
                ("active", "allowed"), ("manager", "allowed"), ("rotating", "allowed"), ("disabled", "key_disabled"),
                ("revoked", "key_revoked"), ("deleted", "key_deleted"), ("replaced", "key_retired"), ("expired", "key_expired"),
                ("closed", "key_revoked"), ("suspended", "organization_suspended"), ("never made", "key_unknown"),
            })
            {
                Assert.Equal((name, code), (name, await Verify(gate, $"{{\"key\":\"{Secret(name)}\"}}")));
            }

            Assert.Equal("scope_missing", await Verify(
                gate,
                $"{{\"key\":\"{Secret("narrow")}\",\"address\":\"127.0.0.1\",\"method\":\"POST\",\"path\":\"/v1/chat/completions\"}}"));
            Assert.Equal("allowed", await Verify(
                gate, $"{{\"key\":\"{Secret("narrow")}\",\"address\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/v1/models\"}}"));
            Assert.Equal("address_refused", await Verify(gate, $"{{\"key\":\"{Secret("narrow")}\",\"address\":\"192.0.2.1\"}}"));

            var (status, made) = await Send(gate, "/api/v1/projects", null);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Contains("First project", made, StringComparison.Ordinal);
        }

        var doctor = await place.Run("doctor");
        Assert.True(doctor.ExitCode == 0, doctor.ToString());
        Assert.Contains("ok       audit chain", doctor.Output, StringComparison.Ordinal);
    }

    /// <summary>As the fixtures' maker derives it: nothing that looks like a key stands in the tree.</summary>
    private static string Secret(string name)
    {
        var drawn = SHA512.HashData(Encoding.UTF8.GetBytes("tollgate fixture " + name));
        var body = "tg_live_" + string.Concat(drawn.Take(34).Select(digit => Digits[digit % 62]));
        var (check, tail) = (Crc32(Encoding.ASCII.GetBytes(body)), "");
        for (var i = 0; i < 6; i++)
        {
            (check, tail) = (check / 62, Digits[(int)(check % 62)] + tail);
        }

        return body + tail;
    }

    private static uint Crc32(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }

    private static async Task Lay(string release, Place place)
    {
        var from = Path.Combine(Fixtures, release);
        foreach (var name in place.Postgres is null ? new[] { Pepper.DefaultFile, SqliteDriver.FileName } : [Pepper.DefaultFile])
        {
            await using var source = File.OpenRead(Path.Combine(from, name));
            await using var copy = OwnerOnly.Open(place.PathOf(name), FileMode.CreateNew, FileShare.None);
            await source.CopyToAsync(copy);
        }

        if (place.Postgres is not null)
        {
            await using var connection = new NpgsqlConnection(place.Postgres + ";Pooling=false");
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(await File.ReadAllTextAsync(Path.Combine(from, "postgresql.sql")), connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task<string> Verify(ServedGate gate, string body)
    {
        var (status, text) = await Send(gate, "/api/v1/verify", body);
        Assert.True(status == HttpStatusCode.OK, text);
        return System.Text.Json.JsonElement.Parse(text).GetProperty("code").GetString()!;
    }

    private async Task<(HttpStatusCode Status, string Text)> Send(ServedGate gate, string path, string? body)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, gate.Address + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", RootKey);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
