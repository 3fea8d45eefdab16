using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Problems;
using Told = Tollgate.Server.Verification.Faults;

namespace Tollgate.Server.Tests.Verification;

/// <summary>What limits and wallets refuse, as a stranger is told it.</summary>
public sealed class FaultsTests
{
    private const long NowMs = 1_800_000_000_000;

    [Theory]
    [InlineData(60, 0, 59)]
    [InlineData(60, 31_001, 31)]
    [InlineData(60, 61_999, 1)]
    [InlineData(3_600, 0, 3_720)]
    [InlineData(3_600, 3_719_999, 1)]
    public void A_used_up_limit_is_429_with_the_whole_seconds_until_it_frees(int windowSeconds, long laterMs, int seconds)
    {
        var gate = Of(new Limit { Name = "rpm", Counts = LimitCounts.Requests, WindowMs = windowSeconds * 1_000L }, amount: 1);
        Assert.True(Take(gate).IsAllowed);
        var told = Told.Of(Take(gate, laterMs));
        Assert.Equal((ProblemCode.RateLimited, 429, seconds), (told.Code, told.Code.Status, told.RetryAfterSeconds));
    }

    [Fact]
    public void What_never_fits_is_413_and_names_no_time()
    {
        var gate = Of(new Limit { Name = "tpm", Counts = LimitCounts.Tokens, WindowMs = 60_000 }, amount: 100);
        var told = Told.Of(Take(gate, tokens: 101));
        Assert.Equal((ProblemCode.ExceedsLimit, 413, (int?)null), (told.Code, told.Code.Status, told.RetryAfterSeconds));
    }

    [Fact]
    public void Too_little_money_is_402_and_worth_repeating_only_while_requests_hold_the_rest()
    {
        var gate = Of(balance: 10);
        Assert.True(Take(gate, hold: 8).IsAllowed);
        var held = Told.Of(Take(gate, hold: 8));
        Assert.Equal((ProblemCode.InFlightHolds, 402, (int?)1), (held.Code, held.Code.Status, held.RetryAfterSeconds));
        var empty = Told.Of(Take(gate, hold: 11));
        Assert.Equal((ProblemCode.WalletEmpty, 402, (int?)null), (empty.Code, empty.Code.Status, empty.RetryAfterSeconds));
    }

    [Theory]
    [InlineData(KeyState.HeldByBalance, "wallet_empty")]
    [InlineData(KeyState.HeldByBalance | KeyState.HeldByPerson, "invalid_key")]
    [InlineData(KeyState.HeldByPerson, "invalid_key")]
    public void A_key_that_nothing_but_its_balance_disables_is_told_to_pay(KeyState state, string code)
        => Assert.Equal(code, Told.Of(Take(Of(balance: 10, state: state))).Code.Code);

    [Fact]
    public void No_room_to_note_a_request_reads_as_not_available()
    {
        Assert.Equal(ProblemCode.Unavailable, Told.CodeOf(VerdictCode.Busy));
        Assert.Equal(1, Problem.Of(Told.CodeOf(VerdictCode.Busy)).RetryAfterSeconds);
    }

    private static (Gatekeeper Keeper, byte[] Secret) Of(
        Limit? limit = null, long amount = 0, long? balance = null, KeyState state = KeyState.Active)
    {
        var format = new KeyFormat(new KeyFormatOptions
        {
            Environments = [new KeyEnvironment("live", "tg_live_")], Length = 36, Crc32Checksum = true, MaskHead = 11, MaskTail = 4,
        });
        var catalogue = new LimitCatalogue(limit is null ? [] : [limit], [new LimitPlan("free", limit is null ? [] : [amount])]);
        var keeper = new Gatekeeper(format, new KeyTable(), new ProjectTable(), new Admission(new LimitTable(catalogue)));
        var project = new ProjectEntry(1, "prj_1", "org_1")
        {
            Version = 1,
            State = ProjectState.Active,
            OrganizationNo = 1,
            Balance = balance is { } money ? new Balance(1, new Money(money), Money.Zero) : null,
        };
        Assert.True(keeper.Projects.TryApply(project, out var index));
        var secret = Encoding.ASCII.GetBytes(format.Mint(0));
        Assert.True(keeper.Keys.EndLoad(keeper.Keys.BeginLoad(), new KeyEntry
        {
            KeyNo = 1,
            Version = 1,
            ProjectIndex = index,
            Hash = KeyHash.Of(secret),
            State = state,
            Profile = new KeyProfile { Grants = new Grants(1, 1) },
        }));
        return (keeper, secret);
    }

    private static Verdict Take((Gatekeeper Keeper, byte[] Secret) gate, long laterMs = 0, int tokens = 0, long? hold = null) =>
        gate.Keeper.Check(new CheckRequest
        {
            Secret = gate.Secret,
            NowMs = NowMs,
            // A slot begins here, for the windows of these tests.
            ClockMs = NowMs + laterMs,
            Taking = Taking.Take,
            RequestNo = 1 + gate.Keeper.Admission.Reservations.Count,
            Reserves = true,
            InputTokens = tokens,
            Hold = hold is { } money ? new Money(money) : null,
        });
}
