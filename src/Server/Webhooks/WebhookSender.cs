using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// Sends one message. The name is resolved once, each of its addresses goes past the guard, and the connection is made to exactly such an
/// address: a name that answers otherwise a moment later changes nothing. No redirects, no proxies, no cookies, nothing from the
/// environment.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    public const int ResponseBytesMax = 65_536;
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int AddressesMax = 4;
    private const int ResponseHeadersKilobytesMax = 16;

    private static readonly MediaTypeHeaderValue JsonType = new("application/json");

    private readonly AddressGuard _guard;
    private readonly TimeProvider _time;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly HttpMessageInvoker _http;

    public WebhookSender(AddressGuard guard, TimeProvider time)
        : this(guard, time, Dns.GetHostAddressesAsync)
    {
    }

    /// <param name="guard">Judges every address.</param>
    /// <param name="time">The clock of timestamps, time-outs and durations.</param>
    /// <param name="resolve">The addresses of a name.</param>
    public WebhookSender(AddressGuard guard, TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
    {
        (_guard, _time, _resolve) = (guard, time, resolve);
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = ResponseHeadersKilobytesMax,
            MaxResponseDrainSize = 0,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
            ConnectTimeout = Patience,
            ConnectCallback = Connect,
        });
    }

    /// <summary>Tells the outcome; throws only when <paramref name="cancel"/> ends it.</summary>
    public async Task<Attempt> Send(string url, WebhookDelivery delivery, IReadOnlyList<byte[]> secrets, CancellationToken cancel)
    {
        var began = _time.GetTimestamp();
        using var late = new CancellationTokenSource(Patience, _time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        try
        {
            using var request = RequestOf(url, delivery, secrets);
            using var response = await _http.SendAsync(request, ended.Token);
            var status = (int)response.StatusCode;
            await Drain(response, ended.Token);
            return new Attempt(status, status is >= 200 and < 300 ? null : AttemptErrors.Status, Since(began));
        }
        catch (Exception error) when (!cancel.IsCancellationRequested && Reason(error, late.IsCancellationRequested) is { } reason)
        {
            return new Attempt(null, reason, Since(began));
        }
    }

    public void Dispose() => _http.Dispose();

    private long Since(long began) => (long)_time.GetElapsedTime(began).TotalMilliseconds;

    private HttpRequestMessage RequestOf(string url, WebhookDelivery delivery, IReadOnlyList<byte[]> secrets)
    {
        var timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        var content = new ByteArrayContent(delivery.Body);
        content.Headers.ContentType = JsonType;
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = content,
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("User-Agent", "Tollgate-Webhooks");
        request.Headers.TryAddWithoutValidation(WebhookSigner.IdHeader, delivery.MessageId);
        request.Headers.TryAddWithoutValidation(WebhookSigner.TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation(
            WebhookSigner.SignatureHeader, WebhookSigner.Sign(delivery.MessageId, timestamp, delivery.Body, secrets));
        return request;
    }

    /// <summary>
    /// Reads what is answered up to the bound, so that the connection can be used again; what is longer, late or broken off there costs the
    /// connection and nothing else, since the status has said all that counts.
    /// </summary>
    private static async Task Drain(HttpResponseMessage response, CancellationToken cancel)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            var buffer = new byte[4_096];
            var total = 0;
            int read;
            while (total <= ResponseBytesMax && (read = await body.ReadAsync(buffer, cancel)) > 0)
            {
                total += read;
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
        }
    }

    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await Resolve(host, cancel);
        var permitted = found.Where(_guard.Permits).Take(AddressesMax).ToList();
        if (permitted.Count == 0)
        {
            throw new AddressRefusedException();
        }

        for (var i = 0; ; i++)
        {
            var socket = new Socket(permitted[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(permitted[i], port), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < permitted.Count)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private async Task<IPAddress[]> Resolve(string host, CancellationToken cancel)
    {
        try
        {
            return await _resolve(host, cancel) is { Length: > 0 } found ? found : throw new NameUnknownException();
        }
        catch (SocketException)
        {
            throw new NameUnknownException();
        }
    }

    /// <summary>Null for what is nobody's fault but ours.</summary>
    private static string? Reason(Exception error, bool isLate) => error switch
    {
        _ when isLate => AttemptErrors.Late,
        HttpRequestException { InnerException: AddressRefusedException } or AddressRefusedException => AttemptErrors.AddressRefused,
        HttpRequestException { InnerException: NameUnknownException } or NameUnknownException => AttemptErrors.NameUnknown,
        HttpRequestException { InnerException: AuthenticationException } => AttemptErrors.Tls,
        HttpRequestException { InnerException: SocketException } => AttemptErrors.Connect,
        HttpRequestException or IOException => AttemptErrors.NoAnswer,
        _ => null,
    };

    private sealed class AddressRefusedException : IOException;

    private sealed class NameUnknownException : IOException;
}

/// <summary>What became of one try: the status that was answered, or why none was.</summary>
internal sealed record Attempt(int? Status, string? Error, long DurationMs)
{
    public bool IsDelivered => Error is null;

    public const int StatusGone = 410;

    /// <summary>The receiver wants nothing more, ever.</summary>
    public bool IsGone => Status == StatusGone;
}

/// <summary>Why an attempt failed, as the API says it.</summary>
internal static class AttemptErrors
{
    public const string Status = "status";
    public const string Late = "timeout";
    public const string AddressRefused = "address_refused";
    public const string NameUnknown = "name_unknown";
    public const string Tls = "tls_failed";
    public const string Connect = "connect_failed";
    public const string NoAnswer = "no_answer";

    /// <summary>It waited until nobody would want it any more, on a webhook that was disabled.</summary>
    public const string Expired = "expired";

    public static IReadOnlyList<string> All { get; } = [Status, Late, AddressRefused, NameUnknown, Tls, Connect, NoAnswer, Expired];
}
