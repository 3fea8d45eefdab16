using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tollgate.Server.Tests.Telemetry;

/// <summary>An OpenTelemetry collector on loopback that keeps what it is sent, by HTTP or gRPC, and reads just enough of it.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Export> _exports = new();

    private Collector(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>The status of every answer from now on.</summary>
    public int Status { get; set; } = 200;

    public IReadOnlyCollection<Export> Exports => _exports;

    /// <summary>Everything that came, as text in which no byte is lost.</summary>
    public string Bytes => string.Concat(_exports.Select(export => Encoding.Latin1.GetString(export.Body)));

    public IEnumerable<Message> Metrics => Of("metrics").SelectMany(export => export.Root.Each(1, 2, 2));

    public IEnumerable<Message> Spans => Of("trace").SelectMany(export => export.Root.Each(1, 2, 2));

    public static async Task<Collector> Start(bool grpc = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var collector = new Collector(builder.Build());
        collector._app.Run(http => collector.Take(http, grpc));
        await collector._app.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Waits until what came is enough.</summary>
    public async Task Until(Func<Collector, bool> isEnough)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isEnough(this))
        {
            Assert.False(patience.IsCancellationRequested, $"only {Exports.Count} exports, spans {string.Join(", ", Names(Spans, 5))}");
            await Task.Delay(20);
        }
    }

    public static IEnumerable<string> Names(IEnumerable<Message> messages, int field) => messages.Select(message => message.Text(field));

    private IEnumerable<Export> Of(string signal) =>
        _exports.Where(export => export.Path.Contains(signal, StringComparison.OrdinalIgnoreCase));

    private async Task Take(HttpContext http, bool grpc)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        // A gRPC message has five bytes of its own in front.
        _exports.Enqueue(new Export(
            http.Request.Path, http.Request.Headers["X-Token"].ToString(), body.ToArray()[(grpc ? 5 : 0)..]));
        http.Response.StatusCode = Status;
        if (grpc)
        {
            http.Response.ContentType = "application/grpc";
            http.Response.AppendTrailer("grpc-status", "0");
            await http.Response.Body.WriteAsync(new byte[5]);
        }
    }

    internal sealed record Export(string Path, string Token, byte[] Body)
    {
        public Message Root => new(Body);
    }

    /// <summary>A protobuf message, read field by field.</summary>
    internal sealed record Message(ReadOnlyMemory<byte> Bytes)
    {
        public string Text(int field) => Encoding.UTF8.GetString(Fields().First(one => one.Number == field).Value.Span);

        public bool Has(int field) => Fields().Any(one => one.Number == field);

        /// <summary>The messages at the end of a path of fields.</summary>
        public IEnumerable<Message> Each(params int[] path) => path.Length == 0
            ? [this]
            : Fields().Where(one => one.Number == path[0]).SelectMany(one => new Message(one.Value).Each(path[1..]));

        public string Hex(int field) => Convert.ToHexStringLower(Fields().First(one => one.Number == field).Value.Span);

        private List<(int Number, ReadOnlyMemory<byte> Value)> Fields()
        {
            var fields = new List<(int, ReadOnlyMemory<byte>)>();
            for (var at = 0; at < Bytes.Length;)
            {
                var tag = Varint(ref at);
                var start = at;
                switch (tag & 7)
                {
                    case 0:
                        Varint(ref at);
                        break;
                    case 1:
                        at += 8;
                        break;
                    case 5:
                        at += 4;
                        break;
                    case 2:
                        var length = (int)Varint(ref at);
                        start = at;
                        at += length;
                        break;
                    default:
                        throw new InvalidDataException($"wire type {tag & 7}");
                }

                fields.Add(((int)(tag >> 3), Bytes[start..at]));
            }

            return fields;
        }

        private ulong Varint(ref int at)
        {
            var value = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                var part = Bytes.Span[at++];
                value |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80)
                {
                    return value;
                }
            }
        }
    }
}
