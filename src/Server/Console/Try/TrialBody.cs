using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Try;

/// <summary>The head of a trial's answer: it has started when its first byte is out, as on a connection.</summary>
internal sealed class TrialResponse(HttpContext page) : HttpResponseFeature
{
    private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();
    private bool _hasStarted;

    public override bool HasStarted => _hasStarted;

    public override void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

    public override void OnCompleted(Func<object, Task> callback, object state) => page.Response.OnCompleted(callback, state);

    public async ValueTask Start()
    {
        while (_starting.TryPop(out var one))
        {
            await one.Callback(one.State);
        }

        _hasStarted = true;
    }
}

/// <summary>
/// The body of a trial's answer. Events go on as they come, where the page asked for that, behind one of our own that tells the headers;
/// all else is kept, up to a bound, for the page that is drawn of it.
/// </summary>
internal sealed class TrialBody(HttpContext page, TrialResponse response, bool mayStream) : Stream
{
    /// <summary>Of an answer that is shown on a page.</summary>
    public const int BytesMax = 262_144;

    private const string Events = "text/event-stream";

    private readonly MemoryStream _kept = new();

    public bool IsStreamed { get; private set; }

    /// <summary>Whether more came than is kept.</summary>
    public bool IsFull { get; private set; }

    public ReadOnlyMemory<byte> Kept => _kept.ToArray();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!response.HasStarted)
        {
            await response.Start();
            await Begin(cancellationToken);
        }

        if (IsStreamed)
        {
            await page.Response.Body.WriteAsync(buffer, cancellationToken);
            return;
        }

        if (_kept.Length + buffer.Length > BytesMax)
        {
            IsFull = true;
            throw new IOException("The answer is longer than a page shows.");
        }

        _kept.Write(buffer.Span);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        IsStreamed ? page.Response.Body.FlushAsync(cancellationToken) : Task.CompletedTask;

    public override void Flush()
    {
        // Whoever writes here flushes without blocking.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async Task Begin(CancellationToken cancel)
    {
        IsStreamed = mayStream && response.StatusCode == StatusCodes.Status200OK
            && response.Headers.ContentType.ToString().StartsWith(Events, StringComparison.OrdinalIgnoreCase);
        if (IsStreamed)
        {
            page.Response.ContentType = $"{Events}; charset=utf-8";
            var headers = new JsonArray([.. TrialWords.Headers(response.Headers).Select(one => new JsonArray(one.Name, one.Value))]);
            var text = $"event: headers\ndata: {headers.ToJsonString(new() { Encoder = Json.Encoder })}\n\n";
            await page.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
        }
    }
}
