using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>When an upstream is asked, when it rests, and who tries it.</summary>
public sealed class UpstreamStandingTests
{
    private readonly ManualClock _clock = new();
    private readonly List<bool> _told = [];
    private readonly UpstreamStanding _standing;

    public UpstreamStandingTests() => _standing = new UpstreamStanding(_clock, _told.Add);

    [Fact]
    public void It_rests_after_three_failures_in_a_row_and_not_after_two()
    {
        Fail(2);
        Assert.True(_standing.IsHealthy);

        _standing.Ended();
        Fail(2);
        Assert.True(_standing.IsHealthy);

        Fail(1);
        Assert.False(_standing.IsHealthy);
        Assert.Equal([false], _told);
    }

    [Fact]
    public void The_head_of_an_answer_alone_does_not_end_a_row_of_failures()
    {
        Fail(2);
        _standing.Worked();
        Fail(1);

        Assert.False(_standing.IsHealthy);
    }

    [Fact]
    public void One_request_tries_it_when_its_rest_has_ended_and_heals_it()
    {
        Fail(3);
        _clock.Advance(UpstreamStanding.RestMin - TimeSpan.FromTicks(1));
        Assert.False(_standing.TryTrial());

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(_standing.TryTrial());
        Assert.False(_standing.TryTrial());

        _standing.Worked();
        Assert.True(_standing.IsHealthy);
        Assert.Equal([false, true], _told);
    }

    [Fact]
    public void A_trial_that_was_given_up_is_another_ones()
    {
        Fail(3);
        _clock.Advance(UpstreamStanding.RestMin);
        Assert.True(_standing.TryTrial());

        _standing.GaveUp();

        Assert.True(_standing.TryTrial());
    }

    [Fact]
    public void A_rest_doubles_up_to_its_bound_and_late_failures_do_not_lengthen_it()
    {
        Fail(3);
        int[] seconds = [1, 2, 4, 8, 16, 30, 30];
        foreach (var rest in seconds)
        {
            Fail(5);
            _clock.Advance(TimeSpan.FromSeconds(rest) - TimeSpan.FromTicks(1));
            Assert.False(_standing.TryTrial(), $"{rest}");
            _clock.Advance(TimeSpan.FromTicks(1));
            Assert.True(_standing.TryTrial(), $"{rest}");
            Fail(1);
        }

        Assert.Equal([false], _told);
    }

    [Fact]
    public void What_the_check_found_counts_until_it_finds_otherwise()
    {
        _standing.Checked(isUp: false);
        _standing.Checked(isUp: false);
        Assert.False(_standing.IsHealthy);
        Assert.False(_standing.TryTrial());

        _standing.Checked(isUp: true);
        Assert.True(_standing.IsHealthy);
        Assert.Equal([false, true], _told);
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _standing.Failed();
        }
    }
}
