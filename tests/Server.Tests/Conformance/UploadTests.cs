using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Relay;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>TL9: an upload reaches the server behind the gate as it was sent, or not at all.</summary>
public sealed class UploadTests : IAsyncLifetime
{
    private const string Path = "/documents/v2/files";
    private const int PieceBytes = 1 << 20;

    private ModelServer _server = null!;
    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ModelServer.Start();
        var upstream = new UpstreamConfig { Name = "documents", Url = new Uri(_server.Address) };
        _gate = await RunningGate.Start("tensorlake", new GateOptions { LogLevel = "none", Upstreams = [upstream] });
    }

    public async ValueTask DisposeAsync()
    {
        await _gate.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task TL9_a_multipart_upload_with_a_good_key_reaches_the_server_byte_for_byte()
    {
        var file = new byte[300_000];
        new Random(11).NextBytes(file);
        using var form = new MultipartFormDataContent("a boundary'of:odd/signs")
        {
            { new ByteArrayContent(file), "file_bytes", "Grüße.pdf" },
            { new StringContent("{}"), "labels" },
        };
        var sent = await form.ReadAsByteArrayAsync();
        using var answer = await Upload(form, await _gate.NewSecret());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var arrived = Assert.Single(_server.Requests);
        Assert.Equal(("POST", Path), (arrived.Method, arrived.Target));
        Assert.Equal(sent, arrived.Body);
        Assert.Equal(form.Headers.ContentType!.ToString(), arrived.Headers["Content-Type"]);
        Assert.False(arrived.Headers.ContainsKey("Authorization"));
    }

    [Theory]
    [InlineData("tl_apiKey_unknown")]
    [InlineData("no key at all")]
    [InlineData(null)]
    public async Task TL9_an_upload_with_a_bad_key_never_reaches_the_server(string? key)
    {
        using var form = new MultipartFormDataContent { { new StringContent("{}"), "labels" } };
        using var answer = await Upload(form, key);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task TL9_an_upload_of_any_size_passes_and_is_not_held()
    {
        const int Pieces = 400;
        const long BytesMax = 64 << 20;
        var piece = new byte[PieceBytes];
        new Random(12).NextBytes(piece);
        using var expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < Pieces; i++)
        {
            expected.AppendData(piece);
        }

        _server.KeepsBodies = false;
        _server.Answers = async http =>
            await http.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(http.Request.Body, http.RequestAborted)));
        var secret = await _gate.NewSecret();
        var sum = Convert.ToHexString(expected.GetHashAndReset());
        // The least of five: what neighbours make meanwhile counts too.
        var least = long.MaxValue;
        for (var round = 0; round < 5 && least > BytesMax; round++)
        {
            var before = GC.GetTotalAllocatedBytes();
            using var answer = await Upload(new RepeatedContent(piece, Pieces), secret);
            least = Math.Min(least, GC.GetTotalAllocatedBytes() - before);
            Assert.Equal(sum, await answer.Content.ReadAsStringAsync());
        }

        Assert.InRange(least, 0, BytesMax);
    }

    private Task<HttpResponseMessage> Upload(HttpContent content, string? key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = content };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        }

        return _gate.Http.SendAsync(request);
    }

    /// <summary>A long body that is never whole in memory.</summary>
    private sealed class RepeatedContent : HttpContent
    {
        private readonly byte[] _piece;
        private readonly int _times;

        public RepeatedContent(byte[] piece, int times)
        {
            (_piece, _times) = (piece, times);
            Headers.ContentType = new MediaTypeHeaderValue("multipart/form-data") { Parameters = { new("boundary", "b") } };
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < _times; i++)
            {
                await stream.WriteAsync(_piece);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
