using Tollgate.Engine.Tests.Verification;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Usage;

public sealed class ReservationTableTests
{
    [Fact]
    public void What_rests_too_long_is_told_of_and_a_mark_renews_it()
    {
        using var gate = new MeteredGate(balance: new Money(1_000));
        ReservationTable table = gate.Admission.Reservations;
        for (int i = 0; i < 100; i++)
        {
            gate.Reserve(clockMs: i, hold: new Money(1));
        }

        var expired = new Reservation[128];
        Assert.Equal(0, table.Expired(table.RestMs - 1, expired));
        Assert.Equal(40, table.Expired(table.RestMs + 39, expired));
        Assert.Equal(Enumerable.Range(1, 40).Select(no => (long)no), expired[..40].Select(open => open.RequestNo).Order());

        gate.Admission.TryMark(1, 1, 1, new Money(1), MeteredGate.NowMs, clockMs: 50);
        Assert.Equal(39, table.Expired(table.RestMs + 39, expired));
        Assert.Equal(10, table.Expired(table.RestMs + 39, expired.AsSpan(0, 10)));

        Assert.Equal(SettleResult.Done, gate.Settle(2, cost: new Money(1)));
        Assert.Equal(38, table.Expired(table.RestMs + 39, expired));
        Assert.False(table.TryGet(2, out _));
    }

    [Fact]
    public void Places_are_used_again()
    {
        using var gate = new MeteredGate(capacity: 4_096, reservations: 64);
        for (int i = 0; i < 2_000; i++)
        {
            Assert.Equal(VerdictCode.Allowed, gate.Reserve().Code);
            Assert.Equal(SettleResult.Done, gate.Settle(gate.RequestNo));
            gate.Usage.Free(gate.Usage.Last);
        }

        Assert.Equal(0, gate.Admission.Reservations.Count);
    }

    [Fact]
    public void Any_number_is_found_again_among_many()
    {
        using var gate = new MeteredGate(capacity: 1 << 15);
        for (int i = 0; i < 10_000; i++)
        {
            gate.Reserve(input: i);
        }

        for (long no = 1; no <= 10_000; no += 3)
        {
            Assert.Equal(SettleResult.Done, gate.Settle(no));
        }

        for (long no = 1; no <= 10_000; no++)
        {
            Assert.Equal(no % 3 != 1, gate.Admission.Reservations.TryGet(no, out Reservation open));
            Assert.Equal(no % 3 != 1 ? (uint)no - 1 : 0, open.InputTokens);
        }
    }
}
