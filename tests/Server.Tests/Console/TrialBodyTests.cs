using Microsoft.AspNetCore.Http;
using Tollgate.Server.Console.Try;

namespace Tollgate.Server.Tests.Console;

/// <summary>The answer of a trial: kept up to a bound, or passed on as it comes.</summary>
public sealed class TrialBodyTests
{
    [Fact]
    public async Task An_answer_for_a_page_is_kept_up_to_its_bound_and_not_one_byte_more()
    {
        var page = new DefaultHttpContext();
        var body = new TrialBody(page, new TrialResponse(page) { StatusCode = 200 }, mayStream: false);

        await body.WriteAsync(new byte[TrialBody.BytesMax], TestContext.Current.CancellationToken);
        Assert.Equal((TrialBody.BytesMax, false), (body.Kept.Length, body.IsFull));

        await Assert.ThrowsAsync<IOException>(() => body.WriteAsync(new byte[1], TestContext.Current.CancellationToken).AsTask());
        Assert.Equal((TrialBody.BytesMax, true), (body.Kept.Length, body.IsFull));
    }

    [Theory]
    [InlineData(200, "text/event-stream", true, true)]
    [InlineData(200, "text/event-stream; charset=utf-8", true, true)]
    [InlineData(200, "text/event-stream", false, false)]
    [InlineData(502, "text/event-stream", true, false)]
    [InlineData(200, "application/json", true, false)]
    public async Task Only_good_events_pass_on_and_only_to_who_asked_for_them(int status, string type, bool mayStream, bool passes)
    {
        var (page, sent) = (new DefaultHttpContext(), new MemoryStream());
        page.Response.Body = sent;
        var response = new TrialResponse(page) { StatusCode = status };
        var isStarted = false;
        response.Headers.ContentType = type;
        response.OnStarting(
            _ =>
            {
                isStarted = true;
                return Task.CompletedTask;
            },
            page);
        var body = new TrialBody(page, response, mayStream);
        Assert.False(response.HasStarted);

        await body.WriteAsync("data: 1\n\n"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.True(response.HasStarted && isStarted);
        Assert.Equal((passes, passes ? 0 : 9), (body.IsStreamed, body.Kept.Length));
        Assert.Equal(passes ? "event: headers\ndata: []\n\ndata: 1\n\n" : "", System.Text.Encoding.UTF8.GetString(sent.ToArray()));
    }
}
