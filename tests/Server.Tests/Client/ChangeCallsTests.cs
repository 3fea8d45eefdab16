using Tollgate.Client;

namespace Tollgate.Server.Tests.Client;

public sealed class ChangeCallsTests
{
    private const string Answered =
        """
        {"data":[{"seq":41,"kind":"key","id":"key_1","version":3,"at":"2026-01-02T03:04:05Z"}],"next_after":42,"has_more":true,
         "epoch":"e+1","reset":true}
        """;

    [Fact]
    public async Task A_poll_asks_where_the_feed_stands_and_the_next_goes_on_from_its_answer()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Answered));
        using var client = new TollgateClient(gate.Address, "caller");

        var page = await client.Changes.PollAsync(cancellationToken: TestContext.Current.CancellationToken);
        await client.Changes.PollAsync(page, waitSeconds: 3, TestContext.Current.CancellationToken);

        var change = Assert.Single(page.Data);
        Assert.Equal((41, "key", "key_1", 3), (change.Seq, change.Kind, change.Id, change.Version));
        Assert.Equal((42, "e+1", true, true), (page.NextAfter, page.Epoch, page.HasMore, page.Reset));
        Assert.Equal(
            ["/api/v1/changes?wait=20", "/api/v1/changes?after=42&epoch=e%2B1&wait=3"], gate.Log.Select(asked => asked.Path));
    }
}
