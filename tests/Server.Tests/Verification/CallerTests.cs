using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Tests.Verification;

/// <summary>Callers of <c>POST /api/v1/verify</c>, which is answered ahead of routing: what they may is asked anew at every call.</summary>
public sealed class CallerTests(Gates gates) : IClassFixture<Gates>
{
    [Fact]
    public async Task An_answer_has_its_length_its_id_and_no_place_in_a_cache()
    {
        var gate = await gates.Of("default");
        var answer = await gate.Verify(await gate.NewSecret());
        Assert.Equal(answer.Text.Length.ToString(), answer.Headers["Content-Length"]);
        Assert.Equal("application/json", answer.Headers["Content-Type"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Matches("^req_[0-9a-z]{13}$", answer.Headers["X-Request-Id"]);
    }

    [Fact]
    public async Task A_caller_without_the_right_is_refused_and_one_that_loses_it_at_its_next_call()
    {
        var gate = await gates.Of("default");
        await Finds(gate, HttpStatusCode.Forbidden, await gate.NewSecret());
        var caller = await gate.NewKey("\"name\":\"An API server\",\"rights\":[\"verify\"]");
        var secret = caller.GetProperty("secret").GetString()!;
        await Finds(gate, HttpStatusCode.OK, secret);
        var path = $"/api/v1/keys/{caller.GetProperty("id").GetString()}";
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("PATCH", path, RunningGate.RootKey, "{\"rights\":[]}")).Status);
        await Finds(gate, HttpStatusCode.Forbidden, secret);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("PATCH", path, RunningGate.RootKey, "{\"rights\":[\"verify\"]}")).Status);
        await Finds(gate, HttpStatusCode.OK, secret);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("POST", path + "/revoke", RunningGate.RootKey)).Status);
        await Finds(gate, HttpStatusCode.Unauthorized, secret);
    }

    [Fact]
    public async Task A_caller_is_refused_alike_ahead_of_routing_and_behind_it()
    {
        var gate = await gates.Of("default");
        foreach (var key in new[] { null, "junk", await gate.NewSecret() })
        {
            var ahead = await Ask(gate, key);
            var behind = await gate.Send("POST", "/api/v1/verify/explain", key, "{\"key\":\"x\"}");
            Assert.Equal(behind.Status, ahead.Status);
            Assert.Equal(behind.String("code"), ahead.String("code"));
        }
    }

    [Fact]
    public async Task A_caller_counts_once_a_request_admitted_or_not_and_when_it_is_asked_again()
    {
        var gate = await gates.Of("default");
        var meter = gate.Services.GetRequiredService<Gate>().Meter;
        var (without, with) = (await gate.NewSecret(), await gate.NewSecret("\"name\":\"All\",\"rights\":[\"verify\",\"keys:manage\"]"));
        await Finds(gate, HttpStatusCode.Forbidden, without);
        await Finds(gate, HttpStatusCode.OK, with);

        Assert.Equal(1, await Counted(HttpStatusCode.Forbidden, () => Ask(gate, without)));
        Assert.Equal(1, await Counted(HttpStatusCode.OK, () => Ask(gate, with)));
        Assert.Equal(1, await Counted(
            HttpStatusCode.Created, () => gate.Send("POST", $"/api/v1/projects/{gate.ProjectId}/keys", with, "{\"name\":\"x\"}")));

        async Task<long> Counted(HttpStatusCode status, Func<Task<Answer>> call)
        {
            var before = meter.Read(CheckDoor.Caller, VerdictCode.Allowed);
            var answer = await call();
            Assert.True(answer.Status == status, answer.ToString());
            return meter.Read(CheckDoor.Caller, VerdictCode.Allowed) - before;
        }
    }

    // The first call after a change finds the caller out of memory and goes behind routing; the next ones go ahead of it.
    private static async Task Finds(RunningGate gate, HttpStatusCode status, string key)
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(status, (await Ask(gate, key)).Status);
        }
    }

    private static Task<Answer> Ask(RunningGate gate, string? key) => gate.Send("POST", "/api/v1/verify", key, "{\"key\":\"x\"}");
}
