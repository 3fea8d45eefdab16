using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Relay;

/// <summary>What passes to the server behind the gate and back, and what does not.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    private GatewayRun _run = null!;

    public async ValueTask InitializeAsync() => _run = await GatewayRun.Start();

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_chat_reaches_the_server_and_its_answer_comes_back_as_it_was()
    {
        var answer = await _run.Chat();
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        Assert.Equal(ModelServer.Chat(), answer.Text);
        Assert.Equal("application/json", answer.Headers["Content-Type"]);
        var arrived = Assert.Single(_run.Model.Requests);
        Assert.Equal(("POST", "/v1/chat/completions"), (arrived.Method, arrived.Target));
        Assert.Equal(answer.Headers["X-Request-Id"], arrived.Headers["X-Request-Id"]);
    }

    [Fact]
    public async Task It_is_billed_what_the_server_says_it_has_used()
    {
        var before = await _run.Balance();
        await _run.Chat();
        Assert.Equal(before - RelayedProvider.Cost(9, 3), await _run.Balance());
        Assert.Equal(0, await _run.Held());
        var line = Assert.Single(await _run.Log());
        Assert.Equal("coin 9 3 200 False", Told(line));
        Assert.Equal(RelayedProvider.Cost(9, 3), RelayedProvider.Read(line.GetProperty("cost").GetString()!));
    }

    [Fact]
    public async Task The_clients_key_stays_here_and_the_operators_goes_in_its_place()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(GatewayRun.ChatOf(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _run.Secret);
        foreach (var (name, value) in new[]
        {
            ("Cookie", "a=b"), ("X-Tollgate-Key", "mine"), ("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-Organization-Id", "org_other"),
            ("Connection", "X-Hop"), ("X-Hop", "1"), ("X-Stainless-Lang", "js"), ("traceparent", "00-1-2-00"),
        })
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        _run.Model.Answers = http =>
        {
            http.Response.Headers.SetCookie = "upstream=1";
            http.Response.Headers["X-Tollgate-Max-Tokens"] = "1";
            http.Response.Headers["X-Kept"] = "yes";
            return ModelServer.Json(http, ModelServer.Chat());
        };
        using var answer = await _run.Gate.Http.SendAsync(request);
        var arrived = Assert.Single(_run.Model.Requests);
        Assert.Equal($"Bearer {GatewayRun.UpstreamKey}", arrived.Headers["Authorization"]);
        string[] kept = ["X-Stainless-Lang", "traceparent"];
        Assert.All(kept, name => Assert.Contains(name, arrived.Headers.Keys));
        string[] gone = ["Cookie", "X-Tollgate-Key", "X-Forwarded-For", "X-Forwarded-Organization-Id", "X-Hop"];
        Assert.All(gone, name => Assert.DoesNotContain(name, arrived.Headers.Keys));
        Assert.DoesNotContain(arrived.Headers.Values, value => value.Contains(_run.Secret, StringComparison.Ordinal));
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.Equal("yes", Assert.Single(answer.Headers.GetValues("X-Kept")));
        Assert.Equal("1000", Assert.Single(answer.Headers.GetValues("X-Tollgate-Max-Tokens")));
    }

    [Fact]
    public async Task Usage_that_was_told_before_the_text_is_kept_as_far_as_it_goes()
    {
        _run.Model.Answers = async http =>
        {
            const string Early = ",\"usage\":{\"prompt_tokens\":5000,\"completion_tokens\":0,"
                + "\"prompt_tokens_details\":{\"cached_tokens\":4000}}";
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Piece("\"role\":\"assistant\"", usage: Early) + ModelServer.Word("One"));
            await ModelServer.Say(http, ModelServer.Piece("", "\"stop\"") + "data: [DONE]\n\n");
        };
        Assert.Equal(200, (int)(await _run.Chat(",\"stream\":true")).Status);
        var line = Assert.Single(await _run.Log());
        Assert.Equal("coin 5000 1 200 True", Told(line));
        Assert.Equal(4_000, line.GetProperty("cached_tokens").GetInt32());
        Assert.Equal((0, 0m), (_run.OpenReservations, await _run.Held()));
    }

    [Theory]
    [InlineData("/v1/responses")]
    [InlineData("/v1/messages/")]
    public async Task Where_requests_are_paid_for_no_model_works_uncounted(string path)
    {
        var refused = await _run.Gate.Send("POST", path, _run.Secret, "{\"model\":\"coin\",\"input\":\"Hello\"}");
        Assert.Equal(HttpStatusCode.NotFound, refused.Status);
        Assert.Empty(_run.Model.Requests);

        await using var free = await GatewayRun.Start(wallet: null);
        Assert.Equal(HttpStatusCode.OK, (await free.Gate.Send("POST", path, free.Secret, "{\"model\":\"coin\"}")).Status);
        Assert.Equal(path, Assert.Single(free.Model.Requests).Target);
    }

    [Fact]
    public async Task Whoever_may_not_pass_never_reaches_the_server()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await _run.Chat(secret: "rl_nokey")).Status);
        await _run.Gate.Send("POST", $"/api/v1/keys/{_run.KeyId}/disable", RunningGate.RootKey);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _run.Chat()).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _run.Gate.Send("GET", "/v1/other", _run.Secret)).Status);
        Assert.Empty(_run.Model.Requests);
    }

    [Fact]
    public async Task What_is_no_call_to_a_model_passes_byte_for_byte_both_ways()
    {
        var bytes = new byte[3_000_000];
        new Random(7).NextBytes(bytes);
        _run.Model.Answers = async http =>
        {
            http.Response.StatusCode = 201;
            http.Response.ContentType = "application/octet-stream";
            http.Response.Headers.ETag = "\"one\"";
            await http.Response.Body.WriteAsync(bytes);
        };
        using var request = new HttpRequestMessage(HttpMethod.Put, "/v1/files/a%2Cb?part=1&part=%202")
        {
            Content = new ByteArrayContent(bytes),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _run.Secret);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-any");
        using var answer = await _run.Gate.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(bytes, await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal("\"one\"", answer.Headers.ETag!.Tag);
        var arrived = Assert.Single(_run.Model.Requests);
        Assert.Equal(("PUT", "/v1/files/a%2Cb?part=1&part=%202"), (arrived.Method, arrived.Target));
        Assert.Equal(bytes, arrived.Body);
        Assert.Equal("application/x-any", arrived.Headers["Content-Type"]);
        Assert.Equal("3000000", arrived.Headers["Content-Length"]);
        Assert.Equal(" 0 0 201 False", Told(Assert.Single(await _run.Log())));
    }

    [Fact]
    public async Task A_stream_comes_piece_by_piece_while_the_server_still_speaks()
    {
        var goOn = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await goOn.Task;
            await ModelServer.Say(http, ModelServer.Piece("", "\"stop\"") + ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n");
        };
        using var answer = await _run.Begin();
        await using var body = await answer.Content.ReadAsStreamAsync();
        var first = new byte[ModelServer.Word("One").Length];
        await body.ReadExactlyAsync(first);
        Assert.Equal(ModelServer.Word("One"), Encoding.UTF8.GetString(first));
        goOn.SetResult();
        using var rest = new StreamReader(body);
        // The usage was the gate's question, not the client's.
        Assert.Equal(ModelServer.Piece("", "\"stop\"") + "data: [DONE]\n\n", await rest.ReadToEndAsync());
        using var sent = JsonDocument.Parse(Assert.Single(_run.Model.Requests).Body);
        Assert.True(sent.RootElement.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        Assert.Equal("coin 9 1 200 False", Told(Assert.Single(await _run.Log())));
    }

    [Fact]
    public async Task A_client_that_asks_for_the_usage_gets_it()
    {
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One") + ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n");
        };
        using var answer = await _run.Begin(""","stream":true,"stream_options":{"include_usage":true}""");
        Assert.Equal(
            ModelServer.Word("One") + ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_answer_without_usage_is_billed_as_an_estimate()
    {
        _run.Model.Answers = http => ModelServer.Json(http, ModelServer.Chat(input: null));
        await _run.Chat();
        var line = Assert.Single(await _run.Log());
        Assert.True(line.GetProperty("estimated").GetBoolean());
        Assert.True(line.GetProperty("output_tokens").GetInt32() > 0);
        Assert.True(line.GetProperty("input_tokens").GetInt32() > 0);
        Assert.Equal(0, await _run.Held());
    }

    [Fact]
    public async Task Where_a_wallet_pays_an_answer_without_a_bound_gets_the_models_and_a_bound_beyond_it_is_lowered()
    {
        Assert.Equal("1000", (await _run.Chat()).Headers["X-Tollgate-Max-Tokens"]);
        Assert.Equal("4000", (await _run.Chat(",\"max_tokens\":100000")).Headers["X-Tollgate-Max-Tokens"]);
        Assert.False((await _run.Chat(",\"max_tokens\":50")).Headers.ContainsKey("X-Tollgate-Max-Tokens"));
        Assert.Equal(
            [1_000, 4_000, 50],
            _run.Model.Requests.Select(arrived => JsonElement.Parse(arrived.Text).GetProperty("max_tokens").GetInt32()));
    }

    [Fact]
    public async Task While_it_runs_the_most_it_can_cost_is_held()
    {
        var goOn = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            await goOn.Task;
            await ModelServer.Json(http, ModelServer.Chat());
        };
        var chat = _run.Chat(",\"max_tokens\":100,\"n\":3");
        await GatewayRun.Until(() => !_run.Model.Requests.IsEmpty);
        var held = await _run.Held();
        Assert.True(held >= RelayedProvider.Cost(10, 300) && held < RelayedProvider.Cost(1_000, 300), $"{held}");
        goOn.SetResult();
        await chat;
        Assert.Equal(0, await _run.Held());
    }

    [Theory]
    [InlineData("""{"model":"coin","messages":[],"model":"vector"}""", 400, "invalid_json")]
    [InlineData("""{"model":"coin","messages":[]""", 400, "invalid_json")]
    [InlineData("""{"messages":[]}""", 422, "validation_failed")]
    [InlineData("""{"model":"coin","messages":[],"max_tokens":-1}""", 422, "validation_failed")]
    [InlineData("""{"model":"nobody's","messages":[]}""", 400, "model_unknown")]
    public async Task A_call_that_cannot_be_is_refused_before_anything_is_held(string body, int status, string code)
    {
        var answer = await _run.Gate.Send("POST", "/v1/chat/completions", _run.Secret, body);
        Assert.Equal((status, code), ((int)answer.Status, answer.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Empty(_run.Model.Requests);
        Assert.Equal(0, _run.OpenReservations);
    }

    [Fact]
    public async Task What_the_server_refuses_is_told_as_it_said_it_and_costs_nothing()
    {
        var before = await _run.Balance();
        _run.Model.Answers = http => ModelServer.Json(http, """{"error":{"message":"too long","code":"context_length_exceeded"}}""", 400);
        var answer = await _run.Chat();
        Assert.Equal(
            (HttpStatusCode.BadRequest, "context_length_exceeded"),
            (answer.Status, answer.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal(before, await _run.Balance());
        Assert.Equal("coin 0 0 400 False", Told(Assert.Single(await _run.Log())));
    }

    [Fact]
    public async Task That_the_server_does_not_know_the_gate_is_no_fault_of_the_clients()
    {
        _run.Model.Answers = http => ModelServer.Json(http, "{}", 401);
        var answer = await _run.Chat();
        Assert.Equal(
            (502, "upstream_unauthorized"),
            ((int)answer.Status, answer.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal("coin 0 0 502 False", Told(Assert.Single(await _run.Log())));
        Assert.Equal(0, await _run.Held());
    }

    [Fact]
    public async Task The_operators_own_requests_pass_uncounted()
    {
        var answer = await _run.Chat(secret: RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        Assert.Equal($"Bearer {GatewayRun.UpstreamKey}", Assert.Single(_run.Model.Requests).Headers["Authorization"]);
        Assert.Equal(0, _run.OpenReservations);
    }

    internal static string Told(JsonElement line) =>
        $"{line.GetProperty("model").GetString()} {line.GetProperty("input_tokens")} {line.GetProperty("output_tokens")} "
        + $"{line.GetProperty("status")} {line.GetProperty("estimated").GetBoolean()}";
}
