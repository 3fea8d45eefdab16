using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Tests.Keys;

/// <summary>A key is used without its secret, for one request, and can do no more than it could.</summary>
public sealed class KeyLoanTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.PostgreSql)]
    public async Task A_loan_is_checked_as_its_key_is_by_the_moment_and_its_secret_is_kept_nowhere(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "default", postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var key = await gate.NewKey();
        var (id, secret) = (key.GetProperty("id").GetString()!, key.GetProperty("secret").GetString()!);
        var ring = gate.Services.GetRequiredService<KeyRing>();
        var loan = (await gate.Database.Write<KeyLoan>(scope => ring.Lend(scope, id, "echo"), MutationContext.Of(Caller.Root))).Value;

        Assert.NotEqual(secret, loan.Secret);
        Assert.Equal(VerdictCode.Allowed, await Code(gate, loan.Secret));
        Assert.Equal(VerdictCode.Allowed, await Code(gate, secret));
        Assert.Equal(200, (int)(await gate.Send("POST", $"/api/v1/keys/{id}/disable", RunningGate.RootKey)).Status);
        Assert.Equal(VerdictCode.KeyDisabled, await Code(gate, loan.Secret));
        Assert.Equal(200, (int)(await gate.Send("POST", $"/api/v1/keys/{id}/enable", RunningGate.RootKey)).Status);
        Assert.Equal(VerdictCode.Allowed, await Code(gate, loan.Secret));

        loan.Dispose();
        loan.Dispose();
        Assert.Equal(VerdictCode.KeyUnknown, await Code(gate, loan.Secret));
        Assert.Equal(VerdictCode.Allowed, await Code(gate, secret));
    }

    [Fact]
    public async Task A_loan_whose_write_did_not_come_to_its_end_is_none()
    {
        await using var gate = await RunningGate.Start("default");
        var (ring, id) = (gate.Services.GetRequiredService<KeyRing>(), (await gate.NewKey()).GetProperty("id").GetString()!);
        KeyLoan? loan = null;
        await Assert.ThrowsAsync<InvalidOperationException>(() => gate.Database.Write<KeyLoan>(
            async scope =>
            {
                loan = (await ring.Lend(scope, id, "echo")).Value;
                throw new InvalidOperationException("The write breaks off.");
            },
            MutationContext.Of(Caller.Root)));

        Assert.Equal(VerdictCode.KeyUnknown, await Code(gate, loan!.Secret));
        var audit = await gate.Send("GET", "/api/v1/audit?action=key.try", RunningGate.RootKey);
        Assert.Equal(0, audit.Json.GetProperty("data").GetArrayLength());
    }

    private static async Task<VerdictCode> Code(RunningGate running, string secret)
    {
        var (gate, bytes) = (running.Services.GetRequiredService<Gate>(), Encoding.ASCII.GetBytes(secret));
        return (await gate.Settle(gate.CheckCaller(bytes, null), default, () => gate.CheckCaller(bytes, null))).Code;
    }
}
