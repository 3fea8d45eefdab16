using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Tollgate.Bench;

/// <summary>
/// A model server that thinks of nothing: the same answer to every chat, in one piece or as a stream of <see cref="Events"/> events at
/// once; asked to go slowly, of <see cref="SlowEvents"/> with <see cref="SlowMs"/> between them; asked to wait, of one, and then nothing.
/// </summary>
internal static class ModelStandIn
{
    public const int Events = 200;
    public const int SlowEvents = 50;
    public const int SlowMs = 10;

    private const string Head = "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"coin\",";

    private static readonly byte[] Whole = Encoding.UTF8.GetBytes(
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"coin\","
        + "\"choices\":[{\"index\":0,\"message\":"
        + "{\"role\":\"assistant\",\"content\":\"" + string.Concat(Enumerable.Repeat("a gate is a wall that may open ", 12))
        + "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":96,\"total_tokens\":120}}");

    private static readonly byte[] Word = Encoding.UTF8.GetBytes(
        $"data: {Head}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\"finish_reason\":null}}]}}\n\n");

    private static readonly byte[] End = Encoding.UTF8.GetBytes(
        $"data: {Head}\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n");

    private static readonly byte[] Usage = Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"data: {Head}\"choices\":[],"
        + $"\"usage\":{{\"prompt_tokens\":24,\"completion_tokens\":{Events},\"total_tokens\":{Events + 24}}}}}\n\n"));

    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    public static async Task<int> Run()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using WebApplication app = builder.Build();
        app.Run(Answer);
        await app.StartAsync();
        Console.WriteLine($"listening on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task Answer(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        string asked = Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
        if (!asked.Contains("\"stream\":true", StringComparison.Ordinal))
        {
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = Whole.Length;
            await http.Response.Body.WriteAsync(Whole);
            return;
        }

        http.Response.ContentType = "text/event-stream";
        bool isSlow = asked.Contains("slowly", StringComparison.Ordinal);
        int words = asked.Contains("wait for me", StringComparison.Ordinal) ? 1 : isSlow ? SlowEvents : Events;
        for (int i = 0; i < words; i++)
        {
            await http.Response.Body.WriteAsync(Word);
            await http.Response.Body.FlushAsync();
            if (isSlow)
            {
                await Task.Delay(SlowMs);
            }
        }

        if (words == 1)
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        await http.Response.Body.WriteAsync(End);
        if (asked.Contains("\"include_usage\":true", StringComparison.Ordinal))
        {
            await http.Response.Body.WriteAsync(Usage);
        }

        await http.Response.Body.WriteAsync(Done);
    }
}
