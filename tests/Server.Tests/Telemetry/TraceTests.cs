using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Tests.Telemetry;

public sealed class TraceTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.01, 800, 1_200)]
    [InlineData(0.5, 49_000, 51_000)]
    [InlineData(1, 100_000, 100_000)]
    public void The_lot_draws_the_part_that_was_asked_for(double ratio, int atLeast, int atMost)
    {
        var lot = new TraceLot(ratio);
        Assert.InRange(Enumerable.Range(0, 100_000).Count(_ => lot.Draw()), atLeast, atMost);
    }

    [Fact]
    public void The_lot_favours_none_of_two_who_ask_in_turns()
    {
        var lot = new TraceLot(0.5);
        var drawn = Enumerable.Range(0, 20_000).Where(_ => lot.Draw()).ToList();
        Assert.InRange(drawn.Count(turn => turn % 2 == 0), drawn.Count * 0.45, drawn.Count * 0.55);
    }

    [Fact]
    public void So_many_pass_in_a_second_and_no_more_until_the_next()
    {
        var bound = new SecondBound(3);
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => bound.TryTake(7)));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => bound.TryTake(8)));
    }

    [Fact]
    public async Task The_bound_holds_for_many_threads_at_once()
    {
        var bound = new SecondBound(1_000);
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 1_000).Count(_ => bound.TryTake(1)))));
        Assert.Equal(1_000, taken.Sum());
    }
}
