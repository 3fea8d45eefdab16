using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>Secrets made elsewhere come in by their SHA-256, so that nobody's users need new keys.</summary>
public sealed class ImportTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_imported_hash_makes_the_plain_secret_work_once_and_for_one_key(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var (secret, hash) = Foreign(gate);

        // The gate has seen the secret before and remembers that it is unknown: the import must reach that memory.
        Assert.Equal("key_unknown", await gate.CodeOf(secret));
        var imported = await gate.Create($"\"name\":\"Imported\",\"secret_sha256\":\"{hash}\"");
        imported.Has(HttpStatusCode.Created);
        Assert.False(imported.Json.TryGetProperty("secret", out _));
        Assert.Equal("allowed", await gate.CodeOf(secret));

        (await gate.Create($"\"name\":\"Again\",\"secret_sha256\":\"{hash.ToUpperInvariant()}\""))
            .Has(HttpStatusCode.Conflict, "secret_taken");
        await gate.Act(imported.String("id"), "revoke");
        Assert.Equal("key_revoked", await gate.CodeOf(secret));
        (await gate.Create($"\"name\":\"Back\",\"secret_sha256\":\"{hash}\"")).Has(HttpStatusCode.Conflict, "secret_taken");
        Assert.Equal("key_revoked", await gate.CodeOf(secret));
    }

    [Fact]
    public async Task A_refused_import_leaves_nothing()
    {
        var gate = await gates.Of("default");
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]");
        var (_, hash) = Foreign(gate);
        await gate.Create($"\"name\":\"Imported\",\"secret_sha256\":\"{hash}\"");
        var before = await gate.Rows();

        (await gate.Create($"\"name\":\"Mine\",\"secret_sha256\":\"{Foreign(gate).Hash}\"", manager))
            .Has(HttpStatusCode.Forbidden, "operator_only");
        (await gate.Create($"\"name\":\"Again\",\"secret_sha256\":\"{hash}\"")).Has(HttpStatusCode.Conflict, "secret_taken");
        foreach (var broken in new[] { "", "x", hash[1..], hash + "0", new string('g', 64) })
        {
            (await gate.Create($"\"name\":\"Broken\",\"secret_sha256\":\"{broken}\""))
                .Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        }

        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task A_hash_may_come_in_base64()
    {
        var gate = await gates.Of("default");
        var (secret, hash) = Foreign(gate);

        await gate.Create($"\"name\":\"Imported\",\"secret_sha256\":\"{Convert.ToBase64String(Convert.FromHexString(hash))}\"");

        Assert.Equal("allowed", await gate.CodeOf(secret));
    }

    private static (string Secret, string Hash) Foreign(RunningGate gate)
    {
        var secret = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        return (secret, Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret))));
    }
}
