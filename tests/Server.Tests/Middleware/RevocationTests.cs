using System.Net;
using Tollgate.Client.AspNetCore;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>
/// What a revocation means to an application that keeps verdicts. The clock stands still, so nothing here leaves the cache by age.
/// </summary>
public sealed class RevocationTests(Gates gates) : IClassFixture<Gates>
{
    private static readonly TimeSpan Bound = new TollgateOptions().RevocationBound;

    [Fact]
    public async Task A_verdict_is_asked_for_once_and_kept()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var secret = await gate.NewSecret();
        await FirstQuestion(app, secret);
        var asked = app.Wire.Questions;

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        }

        Assert.Equal(asked, app.Wire.Questions);
    }

    [Theory]
    [InlineData("revoke", 401)]
    [InlineData("disable", 401)]
    [InlineData("rotate", 401)]
    [InlineData("narrow", 403)]
    [InlineData("bind", 403)]
    [InlineData("suspend", 401)]
    [InlineData("close", 401)]
    public async Task A_change_of_a_key_or_its_owner_reaches_the_cache_by_the_feed_and_no_request_passes_on_the_old_state(
        string change, int status)
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var project = await gate.NewProject();
        var organization = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
        var (id, secret) = await gate.NewPair(project: project);
        var bystander = await gate.NewSecret();
        await FirstQuestion(app, secret);
        await FirstQuestion(app, bystander);

        var key = $"/api/v1/keys/{id}";
        var changed = await (change switch
        {
            "rotate" => gate.Act(id, "rotate", "{\"grace_seconds\":0}"),
            "narrow" => gate.Send("PATCH", key, RunningGate.RootKey, "{\"permissions\":[\"read\"]}"),
            "bind" => gate.Send("PATCH", key, RunningGate.RootKey, "{\"allowed_addresses\":[\"192.0.2.0/24\"]}"),
            "suspend" => gate.Send("PATCH", $"/api/v1/organizations/{organization}", RunningGate.RootKey, "{\"status\":\"suspended\"}"),
            "close" => gate.Send("DELETE", $"/api/v1/projects/{project}", RunningGate.RootKey),
            _ => gate.Act(id, change),
        });
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        var told = gate.Database.Changes.Seq;
        await GuardedApp.Until(() => app.Cache.HeardUpTo >= told);

        Assert.Equal(status, await app.Status("POST", "/endpoints", secret));

        // Those that were not named are still known.
        var asked = app.Wire.Questions;
        Assert.Equal(200, await app.Status("POST", "/endpoints", bystander));
        Assert.Equal(asked, app.Wire.Questions);
    }

    [Fact]
    public async Task A_key_that_is_enabled_again_works_again()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var (id, secret) = await gate.NewPair();
        await gate.Act(id, "disable");
        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));
        await gate.Act(id, "enable");

        // The refusal is kept for a second of a clock that stands still: only the feed can have ended it.
        await GuardedApp.Until(async () => await app.Status("POST", "/endpoints", secret) == 200);
    }

    [Fact]
    public async Task While_the_feed_is_cut_every_request_asks_the_gate_and_a_revocation_binds_the_next_one()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var (id, secret) = await gate.NewPair();
        await FirstQuestion(app, secret);
        app.Wire.Feed = Feed.Fails;
        await gate.NewKey();
        await GuardedApp.Until(() => !app.Cache.IsTrusted);

        var asked = app.Wire.Questions;
        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        Assert.Equal(asked + 2, app.Wire.Questions);
        await gate.Act(id, "revoke");
        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));

        // What was missed meanwhile is told when the feed is back.
        app.Wire.Feed = Feed.Flows;
        await GuardedApp.Until(() => app.Cache.IsTrusted);
        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));
    }

    [Fact]
    public async Task A_feed_that_hangs_unnoticed_is_believed_no_longer_than_the_bound()
    {
        var clock = new ManualClock();
        var (gate, app) = await Start(clock);
        await using var _ = app;
        var (id, secret) = await gate.NewPair();
        await FirstQuestion(app, secret);
        app.Wire.Feed = Feed.Hangs;
        await gate.Act(id, "revoke");

        clock.Advance(Bound - TimeSpan.FromTicks(1));
        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));
    }

    [Fact]
    public async Task An_answer_under_way_while_the_key_is_revoked_is_not_kept_and_nobody_later_waits_for_it()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var (id, secret) = await gate.NewPair();
        await GuardedApp.Until(() => app.Cache.IsTrusted);
        app.Wire.Hold();
        var before = app.Status("POST", "/endpoints", secret);
        await GuardedApp.Until(() => app.Wire.HeldBack == 1);
        var letGo = app.Wire.HoldNoMore();
        await gate.Act(id, "revoke");
        var told = gate.Database.Changes.Seq;
        await GuardedApp.Until(() => app.Cache.HeardUpTo >= told);

        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));
        Assert.False(before.IsCompleted);
        letGo();
        Assert.Equal(200, await before);
        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));
    }

    [Fact]
    public async Task However_many_requests_wait_for_a_verdict_it_is_asked_for_once()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var secret = await gate.NewSecret();
        await Settled(gate, app);
        var (asked, arrived) = (app.Wire.Questions, app.Arrived);
        app.Wire.Hold();
        var waiting = Enumerable.Range(0, 50).Select(_ => app.Status("POST", "/endpoints", secret)).ToList();
        await GuardedApp.Until(() => app.Arrived == arrived + waiting.Count && app.Wire.HeldBack == 1);
        app.Wire.Release();

        Assert.All(await Task.WhenAll(waiting), status => Assert.Equal(200, status));
        Assert.Equal(asked + 1, app.Wire.Questions);
    }

    [Fact]
    public async Task Without_a_cache_a_revocation_binds_the_very_next_request()
    {
        var gate = await gates.OfUnlimited("tensorone");
        await using var app = await GuardedApp.Start(
            gate.Address, RunningGate.RootKey, options => options.CacheFor = TimeSpan.Zero, isFollowed: false);
        var (id, secret) = await gate.NewPair();

        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        await gate.Act(id, "revoke");
        Assert.Equal(401, await app.Status("POST", "/endpoints", secret));
        Assert.Equal(0, app.Cache.Count);
    }

    private async Task<(RunningGate Gate, GuardedApp App)> Start(ManualClock? clock = null)
    {
        var gate = await gates.OfUnlimited("tensorone");
        return (gate, await GuardedApp.Start(gate.Address, RunningGate.RootKey, clock: clock));
    }

    /// <summary>The verdict is kept: changes on their way, such as the making of the key, may have kept the first one out.</summary>
    private static Task FirstQuestion(GuardedApp app, string secret) => GuardedApp.Until(async () =>
    {
        var asked = app.Wire.Questions;
        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        return app.Wire.Questions == asked;
    });

    /// <summary>Everything the gate has done so far has been told: a change that is made now comes after it.</summary>
    private static async Task Settled(RunningGate gate, GuardedApp app) => await FirstQuestion(app, await gate.NewSecret());
}
