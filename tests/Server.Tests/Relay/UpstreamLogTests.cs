using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>What an operator finds in the log of a gate whose server fails.</summary>
public sealed class UpstreamLogTests
{
    [Fact]
    public async Task The_id_of_a_request_that_failed_leads_to_the_server_and_the_cause()
    {
        await using var origin = RawOrigin.Says(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: {}\n\n");
        await using var run = await ServedRelay.Start(
            $"  - {{ name: faulty, url: \"{origin.Config().Url}\", key: the-operators-own }}\n"
            + $"  - {{ name: absent, url: \"{Asking.Nobody().Url}\", routes: [/v1/files/**] }}");
        using (var answer = await run.Chat(FaultyRun.Streamed))
        {
            await Said($"{Id(answer)} failed at an upstream. faulty: its answer broke off");
        }

        run.Configure($"  - {{ name: absent, url: \"{Asking.Nobody().Url}\" }}");
        await run.Gate.HangUp();
        await Said("The upstreams were read anew: 1, absent");
        for (var i = 0; i < 3; i++)
        {
            using var answer = await run.Chat("");
            Assert.Equal(502, (int)answer.StatusCode);
            await Said($"{Id(answer)} failed at an upstream. absent: Connection refused");
        }

        await Said("The upstream absent failed; it rests");
        Assert.DoesNotContain("the-operators-own", run.Gate.Said, StringComparison.Ordinal);

        Task Said(string text) => GatewayRun.Until(() => run.Gate.Said.Contains(text, StringComparison.Ordinal));
    }

    private static string Id(HttpResponseMessage answer) => answer.Headers.GetValues("X-Request-Id").Single();
}
