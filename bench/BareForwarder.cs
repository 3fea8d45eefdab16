using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Tollgate.Bench;

/// <summary>The least that passes a request on: no key, no limit, no count. What a gate adds is measured against it.</summary>
internal static class BareForwarder
{
    public static async Task<int> Run(string upstream)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using WebApplication app = builder.Build();
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
        app.Run(async http =>
        {
            using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), upstream + http.Request.Path);
            request.Content = new StreamContent(http.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
            request.Content.Headers.ContentLength = http.Request.ContentLength;
            using HttpResponseMessage answer = await client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
            http.Response.StatusCode = (int)answer.StatusCode;
            http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            http.Response.ContentLength = answer.Content.Headers.ContentLength;
            await using Stream body = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
            var buffer = new byte[16_384];
            while (await body.ReadAsync(buffer, http.RequestAborted) is var count and > 0)
            {
                await http.Response.Body.WriteAsync(buffer.AsMemory(0, count), http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        });
        await app.StartAsync();
        Console.WriteLine($"listening on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
        return 0;
    }
}
