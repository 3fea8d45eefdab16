using System.Net;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>A key whose requests count is asked about for each of them.</summary>
public sealed class MeteredTests
{
    [Fact]
    public async Task Requests_of_a_limited_key_are_each_counted_however_they_come_together()
    {
        await using var gate = await RunningGate.Start("tensoras");
        await using var app = await GuardedApp.Start(gate.Address, RunningGate.RootKey);
        var secret = await gate.NewSecret();

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => app.Send("GET", "/key", secret)));

        Assert.Equal(30, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Equal(0, app.Cache.Count);
    }
}
