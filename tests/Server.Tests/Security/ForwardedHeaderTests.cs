using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>
/// What <c>X-Forwarded-For</c> says counts when a trusted proxy says it, and then everywhere; from anybody else it changes nothing.
/// </summary>
public sealed class ForwardedHeaderTests
{
    private const int Allowance = 10;
    private const string Allowed = "192.0.2.7";
    private const string Members = "\"name\":\"Bound\",\"rights\":[\"keys:manage\"],\"allowed_addresses\":[\"192.0.2.0/24\"]";

    [Fact]
    public async Task A_spoofed_address_opens_no_key_that_is_bound_to_addresses()
    {
        await using var gate = await RunningGate.Start("default", trustedProxies: "10.0.0.0/8");
        var bound = await gate.NewSecret(Members);
        var here = await gate.NewSecret("\"name\":\"Here\",\"allowed_addresses\":[\"127.0.0.1\"]");
        foreach (var forwarded in new[] { Allowed, $"{Allowed}, 10.0.0.1", "10.0.0.1" })
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await Route(gate, bound, forwarded)).Status);
            (await Management(gate, bound, forwarded)).Has(HttpStatusCode.Forbidden, "address_refused");
            Assert.Equal(HttpStatusCode.OK, (await Route(gate, here, forwarded)).Status);
        }
    }

    [Fact]
    public async Task The_address_that_a_trusted_proxy_names_opens_the_key_on_every_door()
    {
        await using var gate = await RunningGate.Start("default", trustedProxies: "127.0.0.0/8,10.0.0.0/8");
        var bound = await gate.NewSecret(Members);
        var here = await gate.NewSecret("\"name\":\"Here\",\"allowed_addresses\":[\"127.0.0.1\"]");
        foreach (var (forwarded, isOpen) in new[]
        {
            (Allowed, true), ($"203.0.113.9, {Allowed}, 10.0.0.1", true), ($"{Allowed}, 203.0.113.9", false), ("unknown", false),
        })
        {
            Assert.Equal(isOpen ? HttpStatusCode.OK : HttpStatusCode.Forbidden, (await Route(gate, bound, forwarded)).Status);
            Assert.Equal(isOpen ? HttpStatusCode.OK : HttpStatusCode.Forbidden, (await Management(gate, bound, forwarded)).Status);

            // The proxy's own address is nobody's behind it, not even where the client is unknown.
            Assert.Equal(HttpStatusCode.Forbidden, (await Route(gate, here, forwarded)).Status);
        }
    }

    [Fact]
    public async Task The_hot_call_sees_the_clients_address_too()
    {
        await using var gate = await RunningGate.Start("default", trustedProxies: "127.0.0.1");
        var caller = await gate.NewSecret("\"name\":\"Api\",\"rights\":[\"verify\"],\"allowed_addresses\":[\"192.0.2.0/24\"]");
        var key = await gate.NewSecret();
        for (var i = 0; i < 3; i++)
        {
            var body = $"{{\"key\":\"{key}\"}}";
            (await gate.Send("POST", "/api/v1/verify", caller, body, ("X-Forwarded-For", Allowed))).Has(HttpStatusCode.OK, "allowed");
            (await gate.Send("POST", "/api/v1/verify", caller, body, ("X-Forwarded-For", "203.0.113.9")))
                .Has(HttpStatusCode.Forbidden, "address_refused");
            (await gate.Send("POST", "/api/v1/verify", caller, body)).Has(HttpStatusCode.Forbidden, "address_refused");
        }
    }

    [Theory]
    [InlineData("10.0.0.0/8", "127.0.0.1")]
    [InlineData("", "127.0.0.1")]
    [InlineData("127.0.0.1", "192.0.2.7")]
    public async Task The_audit_log_has_the_address_that_can_be_believed(string proxies, string written)
    {
        await using var gate = await RunningGate.Start("default", trustedProxies: proxies);
        var path = $"/api/v1/projects/{gate.ProjectId}/keys";
        var forwarded = ("X-Forwarded-For", $"1.1.1.1, {Allowed}");
        var made = (await gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"Audited\"}", forwarded)).Has(HttpStatusCode.Created);
        var addresses = await gate.Database.Write<string>(async scope => (await scope.Find<string>(
            "SELECT address FROM audit WHERE target_id = @id", new { id = made.String("id") }))!);
        Assert.Equal(written, addresses.Value);
    }

    [Fact]
    public async Task A_spoofed_address_buys_no_more_unknown_keys_and_uses_up_nobody_elses()
    {
        await using var gate = await RunningGate.Start("default", missesPerMinute: Allowance);
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        for (var i = 0; i < 3 * Allowance; i++)
        {
            var answer = await Route(gate, format.Mint(0), $"192.0.2.{i}");
            Assert.Equal(i < Allowance ? HttpStatusCode.Unauthorized : HttpStatusCode.TooManyRequests, answer.Status);
        }
    }

    private static Task<Answer> Route(RunningGate gate, string key, string forwarded) =>
        gate.Send("GET", "/v1/models", key, null, ("X-Forwarded-For", forwarded));

    private static Task<Answer> Management(RunningGate gate, string key, string forwarded) =>
        gate.Send("GET", $"/api/v1/projects/{gate.ProjectId}/keys", key, null, ("X-Forwarded-For", forwarded));
}
