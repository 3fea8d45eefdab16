using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>Two secrets for a while, never more, and none beyond its time.</summary>
public sealed class RotationTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Old_and_new_pass_during_the_grace_and_the_old_one_not_a_millisecond_longer(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var (id, old) = await gate.NewPair();
        Assert.Equal("allowed", await gate.CodeOf(old));
        var rotated = (await gate.Act(id, "rotate", "{\"grace_seconds\":3600}")).Has(HttpStatusCode.OK);
        var fresh = rotated.String("secret");
        Assert.Equal(id, rotated.String("id"));
        Assert.Equal(2, rotated.Json.GetProperty("secrets").GetArrayLength());

        gate.Clock.Advance(TimeSpan.FromMilliseconds(3_599_999));
        Assert.Equal(("allowed", "allowed"), (await gate.CodeOf(old), await gate.CodeOf(fresh)));
        (await gate.Act(id, "rotate")).Has(HttpStatusCode.Conflict, "rotation_running");

        gate.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(("key_retired", "allowed"), (await gate.CodeOf(old), await gate.CodeOf(fresh)));
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_forced_rotation_ends_the_oldest_secret_at_once_so_that_two_live(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var (id, first) = await gate.NewPair();
        var second = (await gate.Act(id, "rotate")).String("secret");
        var third = (await gate.Act(id, "rotate", "{\"force\":true}")).Has(HttpStatusCode.OK).String("secret");
        Assert.Equal("key_retired", await gate.CodeOf(first));
        Assert.Equal(("allowed", "allowed"), (await gate.CodeOf(second), await gate.CodeOf(third)));

        // Without a number the provider file's grace holds: a day.
        gate.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal(("key_retired", "allowed"), (await gate.CodeOf(second), await gate.CodeOf(third)));
    }

    [Fact]
    public async Task A_grace_never_reaches_past_the_expiry_and_an_expired_key_needs_a_new_one()
    {
        var gate = await gates.Of("default");
        var expiry = gate.Clock.GetUtcNow().AddMinutes(10);
        var (id, old) = await gate.NewPair($"\"name\":\"Short\",\"expires_at\":\"{expiry:yyyy-MM-dd'T'HH:mm:ss'Z'}\"");
        (await gate.Act(id, "rotate", "{\"grace_seconds\":3600,\"expires_at\":\"2099-01-01T00:00:00Z\"}"))
            .Has(HttpStatusCode.UnprocessableEntity);
        var rotated = await gate.Act(id, "rotate", "{\"grace_seconds\":3600}");
        var fresh = rotated.Has(HttpStatusCode.OK).String("secret");
        Assert.Equal(
            rotated.String("expires_at"), rotated.Json.GetProperty("secrets")[1].GetProperty("ends_at").GetString());

        gate.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(("key_expired", "key_expired"), (await gate.CodeOf(old), await gate.CodeOf(fresh)));
        (await gate.Act(id, "rotate")).Has(HttpStatusCode.Conflict, "conflict");
        (await gate.Act(id, "rotate", $"{{\"expires_at\":\"{expiry:yyyy-MM-dd'T'HH:mm:ss'Z'}\"}}")).Has(HttpStatusCode.UnprocessableEntity);
        var renewed = (await gate.Act(id, "rotate", "{\"grace_seconds\":3600,\"expires_at\":\"2099-01-01T00:00:00Z\"}"))
            .Has(HttpStatusCode.OK);
        Assert.Equal("allowed", await gate.CodeOf(renewed.String("secret")));
        Assert.Equal("key_retired", await gate.CodeOf(old));
    }

    [Fact]
    public async Task A_rotation_leaves_a_disabled_key_disabled()
    {
        var gate = await gates.Of("default");
        var (id, _) = await gate.NewPair();
        await gate.Act(id, "disable");
        var rotated = (await gate.Act(id, "rotate")).Has(HttpStatusCode.OK);
        Assert.Equal("disabled", rotated.String("status"));
        Assert.Equal("key_disabled", await gate.CodeOf(rotated.String("secret")));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(604_801)]
    public async Task A_grace_outside_seven_days_is_refused(int seconds)
    {
        var gate = await gates.Of("default");
        var (id, old) = await gate.NewPair();
        var refused = (await gate.Act(id, "rotate", $"{{\"grace_seconds\":{seconds}}}")).Has(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("/grace_seconds", refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
        Assert.Equal("allowed", await gate.CodeOf(old));
        (await gate.Act(id, "rotate", "{\"grace_seconds\":604800}")).Has(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_may_rotate_and_revoke_itself_without_any_right()
    {
        var gate = await gates.Of("default");
        var (id, old) = await gate.NewPair();
        Assert.Equal(id, (await gate.Send("GET", $"/api/v1/keys/{id}", old)).Has(HttpStatusCode.OK).String("id"));
        var fresh = (await gate.Act(id, "rotate", "{\"grace_seconds\":0}", old)).Has(HttpStatusCode.OK).String("secret");
        (await gate.Act(id, "rotate", null, old)).Has(HttpStatusCode.Unauthorized, "invalid_key");
        (await gate.Act(id, "disable", null, fresh)).Has(HttpStatusCode.Forbidden, "right_missing");
        (await gate.Send("PATCH", $"/api/v1/keys/{id}", fresh, "{\"name\":\"Mine\"}")).Has(HttpStatusCode.Forbidden, "right_missing");
        (await gate.Act(id, "revoke", null, fresh)).Has(HttpStatusCode.OK);
        (await gate.Send("GET", $"/api/v1/keys/{id}", fresh)).Has(HttpStatusCode.Unauthorized, "invalid_key");
    }
}
