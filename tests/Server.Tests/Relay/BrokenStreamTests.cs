using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Relay;

/// <summary>Streams that do not come to their end: each is billed once, for what had passed, and nothing stays held.</summary>
public sealed class BrokenStreamTests : IAsyncLifetime
{
    private GatewayRun _run = null!;

    public async ValueTask InitializeAsync() => _run = await GatewayRun.Start();

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_stream_that_the_server_breaks_off_ends_in_an_error_and_no_clean_end()
    {
        var heard = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One") + ModelServer.Word("Two"));
            await heard.Task;
            http.Abort();
        };
        var text = await ManyStreamsTests.End(
            await _run.Begin(), soFar => _ = soFar.Contains("Two", StringComparison.Ordinal) && heard.TrySetResult());
        Assert.StartsWith(ModelServer.Word("One") + ModelServer.Word("Two"), text, StringComparison.Ordinal);
        Assert.Contains("upstream_broken", text[(ModelServer.Word("One").Length * 2)..], StringComparison.Ordinal);
        await IsBilled(status: 502);
    }

    [Fact]
    public async Task Within_an_event_that_nobody_reads_the_error_begins_anew()
    {
        var heard = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, "data: {\"half\":");
            await heard.Task;
            http.Abort();
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/files/events");
        request.Headers.Authorization = new("Bearer", _run.Secret);
        var answer = await _run.Gate.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var text = await ManyStreamsTests.End(
            answer, soFar => _ = soFar.Contains("half", StringComparison.Ordinal) && heard.TrySetResult());
        Assert.StartsWith("data: {\"half\":\n\ndata: {\"error\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_ends_too_early_has_broken_too()
    {
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
        };
        Assert.Contains("upstream_broken", await ManyStreamsTests.End(await _run.Begin()), StringComparison.Ordinal);
        await IsBilled(status: 502);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_request_there_and_is_billed_what_it_saw()
    {
        var left = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            http.RequestAborted.Register(left.SetResult);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        var answer = await _run.Begin();
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[ModelServer.Word("One").Length]);
        answer.Dispose();
        await left.Task;
        await IsBilled(status: 499);
    }

    [Fact]
    public async Task A_client_that_leaves_before_the_answer_began_pays_nothing()
    {
        var left = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            http.RequestAborted.Register(left.SetResult);
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        using var leave = new CancellationTokenSource();
        var asked = _run.Begin("", leave.Token);
        await GatewayRun.Until(() => !_run.Model.Requests.IsEmpty);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await left.Task;
        Assert.Equal("coin 0 0 499 False", RelayTests.Told(Assert.Single(await _run.Log())));
        Assert.Equal(0, await _run.Held());
    }

    [Fact]
    public async Task A_key_that_leaked_takes_its_streams_with_it()
    {
        _run.Model.Answers = Endless;
        var answer = await _run.Begin();
        var revoked = await _run.Gate.Send(
            "POST", $"/api/v1/keys/{_run.KeyId}/revoke", RunningGate.RootKey, "{\"reason\":\"compromised\"}");
        Assert.Equal(200, (int)revoked.Status);
        Assert.Contains("invalid_key", await ManyStreamsTests.End(answer), StringComparison.Ordinal);
        await IsBilled(status: 200);
    }

    [Fact]
    public async Task A_key_that_is_revoked_for_another_reason_lets_its_streams_end()
    {
        var goOn = new TaskCompletionSource();
        _run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await goOn.Task;
            await ModelServer.Say(http, ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n");
        };
        using var answer = await _run.Begin();
        Assert.Equal(200, (int)(await _run.Gate.Send("POST", $"/api/v1/keys/{_run.KeyId}/revoke", RunningGate.RootKey)).Status);
        goOn.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("coin 9 1 200 False", RelayTests.Told(Assert.Single(await _run.Log())));
    }

    private static async Task Endless(Microsoft.AspNetCore.Http.HttpContext http)
    {
        ModelServer.Streams(http);
        await ModelServer.Say(http, ModelServer.Word("One"));
        await Task.Delay(Timeout.Infinite, http.RequestAborted);
    }

    private async Task IsBilled(int status)
    {
        var line = Assert.Single(await _run.Log());
        Assert.Equal(status, line.GetProperty("status").GetInt32());
        Assert.True(line.GetProperty("estimated").GetBoolean());
        Assert.True(line.GetProperty("output_tokens").GetInt32() > 0);
        Assert.Equal(0, await _run.Held());
        await GatewayRun.Until(() => _run.OpenRequests == 0);
        Assert.Equal(0, _run.OpenReservations);
    }
}
