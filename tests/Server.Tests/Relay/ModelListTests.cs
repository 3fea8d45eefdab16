using System.Net;

namespace Tollgate.Server.Tests.Relay;

/// <summary>Which models a key is shown, and which it may use.</summary>
public sealed class ModelListTests
{
    [Fact]
    public async Task Where_requests_are_paid_for_those_with_a_price_are_on_offer_and_no_others()
    {
        await using var run = await GatewayRun.Start();
        Assert.Equal("coin vector", await Listed(run));
        Assert.Equal("coin", (await run.Gate.Send("GET", "/v1/models/coin", run.Secret)).String("id"));
        Assert.Equal(HttpStatusCode.NotFound, (await run.Gate.Send("GET", "/v1/models/other", run.Secret)).Status);
        Assert.Empty(run.Model.Requests);
    }

    [Fact]
    public async Task Elsewhere_the_server_says_what_it_has_also_of_ids_with_slashes_and_colons()
    {
        await using var run = await GatewayRun.Start(wallet: null);
        run.Model.Answers = http => ModelServer.Json(http, """{"object":"list","data":[{"id":"a/b:c","object":"model"}]}""");
        Assert.Equal("a/b:c", await Listed(run));
        await run.Gate.Send("GET", "/v1/models/a%2Fb:c", run.Secret);
        Assert.Equal(["/v1/models", "/v1/models/a%2Fb:c"], run.Model.Requests.Select(arrived => arrived.Target));
    }

    [Fact]
    public async Task Who_is_asked_about_a_model_is_who_serves_it()
    {
        await using var other = await ModelServer.Start();
        await using var run = await GatewayRun.Start(wallet: null, with: options => options with
        {
            Upstreams = [new() { Name = "other", Url = new Uri(other.Address + "/v1"), Models = ["x"] }, .. options.Upstreams],
        });
        await run.Gate.Send("GET", "/v1/models/coin", run.Secret);
        await run.Gate.Send("GET", "/v1/models/x", run.Secret);
        Assert.Equal("/v1/models/coin", Assert.Single(run.Model.Requests).Target);
        Assert.Equal("/v1/models/x", Assert.Single(other.Requests).Target);
    }

    [Fact]
    public async Task A_key_that_is_bound_to_models_sees_and_uses_these_alone()
    {
        await using var run = await GatewayRun.Start(wallet: null, members: "\"name\":\"Bound\",\"models\":[\"org/one:latest\"]");
        Assert.Equal("org/one:latest", await Listed(run));
        Assert.Equal(HttpStatusCode.OK, (await run.Gate.Send("GET", "/v1/models/org%2Fone:latest", run.Secret)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await run.Gate.Send("GET", "/v1/models/coin", run.Secret)).Status);
        Assert.Empty(run.Model.Requests);
        Assert.Equal(
            HttpStatusCode.OK,
            (await run.Gate.Send("POST", "/v1/chat/completions", run.Secret, GatewayRun.ChatOf(model: "org/one:latest"))).Status);
        await IsRefused(run, "/v1/chat/completions", GatewayRun.ChatOf());
        Assert.Single(run.Model.Requests);
    }

    [Fact]
    public async Task What_a_bound_key_sends_elsewhere_must_show_its_model_too()
    {
        await using var run = await GatewayRun.Start(wallet: null, members: "\"name\":\"Bound\",\"models\":[\"one\"]");
        Assert.Equal(HttpStatusCode.OK, (await run.Gate.Send("POST", "/v1/files/x", run.Secret, """{"model":"one"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await run.Gate.Send("POST", "/v1/files/x", run.Secret, """{"name":"no model"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await run.Gate.Send("GET", "/v1/files/x", run.Secret)).Status);
        Assert.Equal(["""{"model":"one"}""", """{"name":"no model"}""", ""], run.Model.Requests.Select(arrived => arrived.Text));
        await IsRefused(run, "/v1/files/x", """{"model":"two"}""");
        await IsRefused(run, "/v1/files/x", "model=one", ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal(3, run.Model.Requests.Count);
    }

    private static async Task<string> Listed(GatewayRun run)
    {
        var answer = await run.Gate.Send("GET", "/v1/models", run.Secret);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return string.Join(' ', answer.Json.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
    }

    private static async Task IsRefused(GatewayRun run, string path, string body, params (string Name, string Value)[] headers)
    {
        var answer = await run.Gate.Send("POST", path, run.Secret, body, headers);
        Assert.Equal((403, "model_refused"), ((int)answer.Status, answer.Json.GetProperty("error").GetProperty("code").GetString()));
    }
}
