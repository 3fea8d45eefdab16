using System.Net;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Fixtures;
using Tollgate.Engine.Tests.Keys;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Verification;

public sealed class AllocationTests
{
    private static readonly IPAddress Inside = IPAddress.Parse("10.1.2.3");

    [Fact]
    public void Checking_a_hot_key_allocates_nothing()
    {
        var gate = new Gate();
        Assert.True(AddressRule.TryParse(["10.0.0.0/8"], out AddressRule? rule, out _));
        gate.Change(entry => entry with { Addresses = rule });
        AssertNothingAllocated(_ =>
        {
            Verdict verdict = gate.Keeper.Check(new CheckRequest
            {
                Secret = gate.Secret,
                Requirement = new Requirement(0b0001, 0b01),
                ProjectId = "prj_1"u8,
                Address = Inside,
                NowMs = Gate.NowMs,
            });
            return verdict.IsAllowed && verdict.Key.Facts.Length > 0 && verdict.Key.ExpiresAtMs > 0;
        });
    }

    [Fact]
    public void Checking_a_key_that_is_bound_to_models_allocates_nothing()
    {
        var gate = new Gate();
        gate.Bind([.. Enumerable.Range(1, 100).Select(number => (ushort)number)]);
        AssertNothingAllocated(i => gate.CheckFor((ushort)(i % 120)) == (i % 120 is >= 1 and <= 100
            ? VerdictCode.Allowed
            : VerdictCode.ModelRefused));
    }

    [Fact]
    public void Checking_random_unknown_and_malformed_keys_allocates_nothing()
    {
        var gate = new Gate();
        byte[][] secrets = [.. Enumerable.Range(0, 300).Select(_ => Encoding.ASCII.GetBytes(gate.Keeper.Format.Mint(0)))];
        for (int i = 0; i < secrets.Length; i += 3)
        {
            gate.Keeper.Keys.Load(Make.Entry((uint)i + 10, 1, KeyHash.Of(secrets[i])) with { ProjectIndex = gate.ProjectIndex });
            gate.Keeper.Keys.EndLoadUnknown(gate.Keeper.Keys.BeginLoad(), KeyHash.Of(secrets[i + 1]));
            secrets[i + 2][^1] ^= 1;
        }

        AssertNothingAllocated(i =>
        {
            VerdictCode code = gate.Keeper.Check(new CheckRequest { Secret = secrets[i % 300], NowMs = Gate.NowMs }).Code;
            VerdictCode expected = (i % 3) switch { 0 => VerdictCode.Allowed, 1 => VerdictCode.KeyUnknown, _ => VerdictCode.KeyMalformed };
            return code == expected && code.ToUtf8().Length > 0 && code.ToText().Length > 0;
        });
    }

    [Fact]
    public void Taking_from_limits_wallet_and_usage_and_being_refused_by_them_allocates_nothing()
    {
        Limit[] limits =
        [
            MeteredGate.Limit("rpm", LimitCounts.Requests, 60),
            MeteredGate.Limit("tpm", LimitCounts.Tokens, 60),
            MeteredGate.Limit("parallel", LimitCounts.ConcurrentRequests, 0),
        ];
        var own = new KeyProfile { Grants = Make.ReadWrite, Limits = [new KeyLimit(1, 60)] };
        using var gate = new MeteredGate(limits, [Limit.AmountMax, 1_000, 3], new Money(1_000), profile: own);
        int clockMs = 0;
        AssertNothingAllocated(i =>
        {
            clockMs += 100;
            gate.Usage.Free(gate.Usage.Last);
            switch (i % 4)
            {
                case 0:
                    Verdict passed = gate.Reserve(clockMs, input: 10, output: 30, hold: new Money(900));
                    return passed.Code is VerdictCode.Allowed or VerdictCode.RateLimited && passed.Limits[2].Amount == 3;
                case 1:
                    return gate.Reserve(clockMs, input: 100, hold: new Money(1)) is { Code: VerdictCode.ExceedsLimit, RefusingLimit: 1 };
                case 2:
                    return gate.Take(clockMs).Code != VerdictCode.Busy;
                default:
                    gate.Admission.TryMark(gate.RequestNo - 2, 1, 1, new Money(1), 0, 0);
                    gate.Extend(gate.RequestNo - 2, held: 950);
                    gate.Extend(gate.RequestNo - 2, held: 1_050);
                    return gate.Settle(gate.RequestNo - 2, 10, 20, new Money(0), clockMs) != SettleResult.Full;
            }
        });
    }

    private static void AssertNothingAllocated(Func<int, bool> check)
    {
        Assert.Equal(900, Enumerable.Range(0, 900).Count(check));
        int rounds = 0, good = 0;
        Assert.Equal(0, Allocation.LeastOf(() =>
        {
            rounds++;
            for (int i = 0; i < 9_000; i++)
            {
                good += check(i) ? 1 : 0;
            }
        }));
        Assert.Equal(rounds * 9_000, good);
    }
}
