using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>Who is asked: by path, model, order, places that are free, and what is configured.</summary>
public sealed class UpstreamPoolTests
{
    [Theory]
    [InlineData("/v1/chat/completions", "gpt-4", "exact")]
    [InlineData("/v1/chat/completions", "gpt-4o-mini", "prefix")]
    [InlineData("/v1/chat/completions", "other", "rest")]
    [InlineData("/v1/chat/completions", null, "exact")]
    [InlineData("/files/a%2Fb/c/", null, "files")]
    [InlineData("/files", "gpt-4", "exact")]
    [InlineData("/%66iles/x/c", "gpt-9", "files")]
    public async Task The_first_that_serves_path_and_model_is_asked(string path, string? model, string name)
    {
        await using var origin = await Origin.Start();
        var pool = Asking.Pool(
            origin.Config("files") with { Routes = ["/files/{model}/c", "/files/{}/c/**"] },
            origin.Config("exact") with { Models = ["gpt-4"] },
            origin.Config("prefix") with { Models = ["x", "gpt-4*"] },
            origin.Config("rest"));

        Assert.Equal((200, "answered", name), await pool.Ask(Asking.Get(path, model)));
    }

    [Fact]
    public async Task The_built_in_model_refuses_a_body_with_a_name_that_is_no_text()
    {
        var pool = Asking.Pool();
        using var answer = await pool.Send(
            Asking.Post("/v1/chat/completions", "{\"\\udd11method\":1,\"model\":\"a\"}"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Message.StatusCode);
    }

    [Fact]
    public async Task Where_none_serves_it_is_said()
    {
        await using var origin = await Origin.Start();
        var pool = Asking.Pool(origin.Config() with { Models = ["a"], Routes = ["/v1/**"] });

        Assert.Equal(UpstreamFault.NoneServes, await pool.FaultOf(Asking.Get("/v1/x", "b")));
        Assert.Equal(UpstreamFault.NoneServes, await pool.FaultOf(Asking.Get("/v2/x", "a")));
        Assert.Equal(200, (await pool.Ask(Asking.Get("/v1/x", "a"))).Status);
    }

    [Fact]
    public async Task One_request_more_than_has_a_place_goes_to_the_next_and_then_is_refused()
    {
        var hold = new TaskCompletionSource();
        await using var origin = await Origin.Start(async http =>
        {
            await http.Response.Body.FlushAsync();
            await hold.Task;
        });
        var pool = Asking.Pool(origin.Config("a") with { ConcurrencyMax = 1 }, origin.Config("b") with { ConcurrencyMax = 1 });
        var request = Asking.Get("/x");
        using var first = await pool.Send(request, CancellationToken.None);
        using var second = await pool.Send(request, CancellationToken.None);

        Assert.Equal(("a", "b"), (first.Upstream, second.Upstream));
        Assert.Equal(UpstreamFault.Busy, await pool.FaultOf(request));
        Assert.Equal([1, 1], pool.States.Select(state => state.InFlight));

        hold.SetResult();
        await first.ReadAll();
        Assert.Equal([0, 1], pool.States.Select(state => state.InFlight));
        Assert.Equal("a", (await pool.Ask(request)).From);
        second.Dispose();
        first.Dispose();
        Assert.Equal([0, 0], pool.States.Select(state => state.InFlight));
        Assert.Equal([2, 1], pool.States.Select(state => state.Requests));
    }

    [Fact]
    public async Task What_is_replaced_ends_what_it_began_and_what_stays_keeps_its_connections()
    {
        var hold = new TaskCompletionSource();
        await using var origin = await Origin.Start(async http =>
        {
            await http.Response.WriteAsync("half ");
            await http.Response.Body.FlushAsync();
            if (http.Request.Path == "/held")
            {
                await hold.Task;
            }

            await http.Response.WriteAsync("whole");
        });
        var (gone, stays) = (origin.Config("gone"), origin.Config("stays") with { Models = ["m"], Key = "k" });
        var pool = Asking.Pool(gone, stays with { Models = ["m"] });
        using var held = await pool.Send(Asking.Get("/held"), CancellationToken.None);
        pool.Replace([stays]);
        await pool.Ask(Asking.Get("/x", "m"));
        pool.Replace([origin.Config("new"), stays with { Models = ["m"] }]);

        hold.SetResult();
        Assert.Equal("half whole"u8.ToArray(), await held.ReadAll());
        Assert.Equal("new", (await pool.Ask(Asking.Get("/x"))).From);
        Assert.Equal([1, 1], pool.States.Select(state => state.Requests));
        pool.Replace([]);
        Assert.Equal(UpstreamPool.BuiltIn, (await pool.Ask(Asking.Get("/x"))).From);
    }

    [Fact]
    public async Task A_name_keeps_its_counts_when_it_is_configured_anew()
    {
        await using var origin = await Origin.Saying(503, "");
        var pool = Asking.Pool(origin.Config("a"), origin.Config("b") with { Models = ["b"] });
        await pool.Ask(Asking.Get("/x", "a"));
        pool.Replace([origin.Config("a") with { Key = "k" }, origin.Config("c")]);
        await pool.Ask(Asking.Get("/x", "a"));

        Assert.Equal([("a", 2, 2), ("c", 1, 1)], pool.States.Select(state => (state.Name, (int)state.Requests, (int)state.Failures)));
        Assert.Equal(1, pool.Retries);
    }

    [Fact]
    public async Task Connections_are_used_again()
    {
        await using var origin = await Origin.Start();
        var pool = Asking.Pool(origin.Config());
        for (var i = 0; i < 3; i++)
        {
            await pool.Ask(Asking.Get("/x"));
        }

        Assert.Single(origin.Heads.Select(head => head.Connection).Distinct());
    }

    [Fact]
    public async Task A_health_path_tells_who_is_down_and_up()
    {
        var status = 503;
        await using var first = await Origin.Start(http =>
        {
            http.Response.StatusCode = http.Request.Path == "/health" ? status : 200;
            return Task.CompletedTask;
        });
        await using var second = await Origin.Start();
        var pool = Asking.Pool(
            first.Config("first") with { Url = new Uri($"{first.Url}/v1"), HealthPath = "/health", Key = "k" }, second.Config("second"));
        var watch = new HealthWatch(pool, TimeProvider.System);

        await watch.Once(CancellationToken.None);
        Assert.Equal(("/health", "Bearer k"), (first.Only.Target, first.Only.Header("Authorization")));
        Assert.Equal("second", (await pool.Ask(Asking.Get("/x"))).From);
        Assert.Equal([false, true], pool.States.Select(state => state.IsHealthy));

        status = 204;
        await watch.Once(CancellationToken.None);
        Assert.Equal("first", (await pool.Ask(Asking.Get("/x"))).From);
    }

    [Fact]
    public async Task One_that_is_down_and_alone_is_asked_all_the_same()
    {
        await using var origin = await Origin.Saying(200, "here");
        var pool = Asking.Pool(origin.Config() with { HealthPath = "/health" });
        pool.Upstreams[0].Standing.Checked(isUp: false);

        Assert.Equal("here", (await pool.Ask(Asking.Get("/x"))).Text);
    }
}
