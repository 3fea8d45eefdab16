using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Echo;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>A pool, what it is asked, and what it answers.</summary>
internal static class Asking
{
    public static UpstreamPool Pool(params UpstreamConfig[] upstreams) => Pool(TimeProvider.System, upstreams);

    public static UpstreamPool Pool(TimeProvider time, params UpstreamConfig[] upstreams)
    {
        var pool = new UpstreamPool(new EchoHandler("nobody", ["a", "org/b:c"], time), time);
        pool.Replace(upstreams);
        return pool;
    }

    public static UpstreamRequest Get(string path, string? model = null, params (string Name, string Value)[] headers) =>
        new() { Method = "GET", Path = path, Model = model, Headers = Headers(headers) };

    public static UpstreamRequest Post(string path, string body, params (string Name, string Value)[] headers) => new()
    {
        Method = "POST",
        Path = path,
        Headers = Headers([("Content-Type", "application/json"), .. headers]),
        Body = Encoding.UTF8.GetBytes(body),
    };

    public static HeaderDictionary Headers(params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            dictionary.Append(name, value);
        }

        return dictionary;
    }

    /// <summary>The status and the whole body.</summary>
    public static async Task<(int Status, string Text, string From)> Ask(this UpstreamPool pool, UpstreamRequest request)
    {
        using var answer = await pool.Send(request, TestContext.Current.CancellationToken);
        return ((int)answer.Message.StatusCode, Encoding.UTF8.GetString(await answer.ReadAll()), answer.Upstream);
    }

    public static async Task<byte[]> ReadAll(this UpstreamAnswer answer)
    {
        using var body = new MemoryStream();
        var buffer = new byte[8_192];
        while (await answer.Read(buffer, TestContext.Current.CancellationToken) is var read and > 0)
        {
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    public static async Task<UpstreamFault> FaultOf(this UpstreamPool pool, UpstreamRequest request) =>
        (await Assert.ThrowsAsync<UpstreamException>(() => pool.Ask(request))).Fault;

    /// <summary>An address on which nothing listens.</summary>
    public static UpstreamConfig Nobody(string name = "nobody")
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new UpstreamConfig { Name = name, Url = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}") };
    }

    /// <summary>Waits for what a working gate brings about within the time of the test.</summary>
    public static async Task Until(Func<bool> holds)
    {
        while (!holds())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
