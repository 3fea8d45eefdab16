using System.Net;
using System.Text;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>What a key may change is judged when the change is made, not when its request began.</summary>
public sealed class StandingTests(Gates gates) : IClassFixture<Gates>
{
    private const string Manager = "\"name\":\"Manager\",\"rights\":[\"keys:manage\"]";

    [Theory]
    [InlineData(DatabaseKind.Sqlite, "revoke", "")]
    [InlineData(DatabaseKind.Sqlite, "disable", "")]
    [InlineData(DatabaseKind.PostgreSql, "revoke", "")]
    [InlineData(DatabaseKind.PostgreSql, "revoke", "Idempotency-Key: once\r\n")]
    public async Task A_key_that_is_stopped_while_its_body_arrives_changes_nothing(DatabaseKind kind, string stop, string header)
    {
        var gate = await gates.Of(kind);
        var (id, secret) = await gate.NewPair(Manager);
        var body = "{\"name\":\"Made too late\"}";

        await using var late = await Begun(gate, $"/api/v1/projects/{gate.ProjectId}/keys", secret, body.Length, header);
        (await gate.Act(id, stop)).Has(HttpStatusCode.OK);
        var before = await gate.Rows();
        await late.Write(body);

        Assert.Contains("HTTP/1.1 401", (await late.Answer()).Text, StringComparison.Ordinal);
        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task A_key_that_lost_its_right_while_its_body_arrived_makes_no_key()
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair(Manager);
        var body = "{\"name\":\"Made too late\"}";

        await using var late = await Begun(gate, $"/api/v1/projects/{gate.ProjectId}/keys", secret, body.Length);
        (await gate.Send("PATCH", $"/api/v1/keys/{id}", RunningGate.RootKey, "{\"rights\":[]}")).Has(HttpStatusCode.OK);
        await late.Write(body);

        Assert.Contains("HTTP/1.1 403", (await late.Answer()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_was_replaced_gets_no_other_secret_and_makes_nothing_that_outlives_it()
    {
        var gate = await gates.Of("default");
        var (id, old) = await gate.NewPair(Manager);
        var fresh = (await gate.Act(id, "rotate", "{\"grace_seconds\":600}")).Has(HttpStatusCode.OK).String("secret");

        (await gate.Act(id, "rotate", "{\"force\":true,\"grace_seconds\":0}", old)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        (await gate.Create("\"name\":\"Child\"", old)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        Assert.Equal("allowed", await gate.CodeOf(fresh));

        // The new one may do both; and the old one may still stop the key it belongs to.
        (await gate.Create("\"name\":\"Child\"", fresh)).Has(HttpStatusCode.Created);
        (await gate.Act(id, "revoke", key: old)).Has(HttpStatusCode.OK);
        Assert.Equal("key_revoked", await gate.CodeOf(fresh));
    }

    [Fact]
    public async Task A_replaced_secret_is_shown_no_new_one_where_secrets_are_revealable()
    {
        var gate = await gates.Of("tensorpool");
        var (id, old) = await gate.NewPair();
        (await gate.Act(id, "reveal", key: old)).Has(HttpStatusCode.OK);
        (await gate.Act(id, "regenerate")).Has(HttpStatusCode.OK);

        (await gate.Act(id, "reveal", key: old)).Has(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Rotating_an_expired_key_does_not_bring_its_old_secret_back()
    {
        var gate = await gates.Of("default");
        var expiry = gate.Clock.GetUtcNow().AddMinutes(10);
        var (id, old) = await gate.NewPair($"\"name\":\"Short\",\"expires_at\":\"{expiry:yyyy-MM-dd'T'HH:mm:ss'Z'}\"");
        gate.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("key_expired", await gate.CodeOf(old));

        var rotated = await gate.Act(id, "rotate", "{\"grace_seconds\":3600,\"expires_at\":\"2099-01-01T00:00:00Z\"}");

        Assert.Equal("allowed", await gate.CodeOf(rotated.Has(HttpStatusCode.OK).String("secret")));
        Assert.Equal("key_retired", await gate.CodeOf(old));
    }

    /// <summary>A request whose head was read and whose caller was judged: the server asks for the body only then.</summary>
    private static async Task<RawCall> Begun(RunningGate gate, string path, string secret, int length, string header = "")
    {
        var call = await RawCall.To(gate.Address);
        await call.Write(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n{header}"
            + $"Content-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n");
        var buffer = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
        await call.Stream.ReadExactlyAsync(buffer);
        Assert.StartsWith("HTTP/1.1 100", Encoding.ASCII.GetString(buffer), StringComparison.Ordinal);
        return call;
    }
}
