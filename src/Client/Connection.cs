using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tollgate.Client;

/// <summary>
/// Sends a call and reads its answer. Every call may be sent again: reads and checks change nothing, and a change carries one
/// Idempotency-Key through all its tries, so the gate makes it once and answers the same, secret included.
/// </summary>
internal sealed class Connection(HttpClient http, Secret key, TollgateClientOptions options)
{
    private static readonly TimeSpan RetryWaitMax = TimeSpan.FromSeconds(60);

    private readonly Uri _api = new(http.BaseAddress!.AbsoluteUri.TrimEnd('/') + "/api/v1/");

    public Task<T> Get<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancel) =>
        Read(new Call(HttpMethod.Get, path, null, null), answer, cancel);

    /// <summary>A question that is asked by POST: it changes nothing and needs no Idempotency-Key.</summary>
    public Task<T> Ask<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> shape, JsonTypeInfo<T> answer, CancellationToken cancel) =>
        Read(new Call(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, shape), null), answer, cancel);

    public Task<T> Change<T>(HttpMethod method, string path, string? idempotencyKey, JsonTypeInfo<T> answer, CancellationToken cancel) =>
        Read(new Call(method, path, null, idempotencyKey ?? NewIdempotencyKey()), answer, cancel);

    public Task<T> Change<TBody, T>(
        HttpMethod method,
        string path,
        TBody body,
        JsonTypeInfo<TBody> shape,
        string? idempotencyKey,
        JsonTypeInfo<T> answer,
        CancellationToken cancel)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, shape);
        return Read(new Call(method, path, bytes, idempotencyKey ?? NewIdempotencyKey()), answer, cancel);
    }

    /// <summary>A change whose body is lines of JSON.</summary>
    public Task<T> ChangeByLines<T>(
        string path, ReadOnlyMemory<byte> lines, string? idempotencyKey, JsonTypeInfo<T> answer, CancellationToken cancel) =>
        Read(new Call(HttpMethod.Post, path, lines, idempotencyKey ?? NewIdempotencyKey(), "application/x-ndjson"), answer, cancel);

    /// <summary>A change whose answer is a key and its secret.</summary>
    public async Task<IssuedKey> Issue(string path, byte[]? body, string? idempotencyKey, CancellationToken cancel)
    {
        ReadOnlyMemory<byte>? bytesOf = body is null ? null : body;
        var call = new Call(HttpMethod.Post, path, bytesOf, idempotencyKey ?? NewIdempotencyKey());
        var (bytes, status) = await Send(call, cancel).ConfigureAwait(false);
        var issued = Parse(bytes, status, TollgateJson.Default.Key);
        return new IssuedKey(issued, Parse(bytes, status, TollgateJson.Default.SecretAnswer).Secret);
    }

    private async Task<T> Read<T>(Call call, JsonTypeInfo<T> answer, CancellationToken cancel)
    {
        var (bytes, status) = await Send(call, cancel).ConfigureAwait(false);
        return Parse(bytes, status, answer);
    }

    private async Task<(byte[] Body, HttpStatusCode Status)> Send(Call call, CancellationToken cancel)
    {
        for (var attempt = 0; ; attempt++)
        {
            var last = attempt >= options.RetriesMax;
            TimeSpan? wait = null;
            try
            {
                using var request = Message(call);
                using var response = await http.SendAsync(request, cancel).ConfigureAwait(false);
                var body = await response.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                {
                    return (body, response.StatusCode);
                }

                wait = RetryAfter(response);
                if (last || !MayRepeat(response, wait))
                {
                    throw new TollgateException(ProblemOf(response, body)) { RetryAfter = wait };
                }
            }
            catch (HttpRequestException) when (!last)
            {
                // Refused, reset or cut off: nothing was answered, and sending again is safe.
            }

            await Task.Delay(wait ?? Backoff(attempt), options.Time, cancel).ConfigureAwait(false);
        }
    }

    private HttpRequestMessage Message(Call call)
    {
        var request = new HttpRequestMessage(call.Method, new Uri(_api, call.Path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Reveal());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (call.IdempotencyKey is { } idempotencyKey)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        if (call.Body is { } body)
        {
            request.Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(call.MediaType) } };
        }

        return request;
    }

    /// <summary>Only what passes by itself, and only when the wait is short: a caller should not sleep an hour unasked.</summary>
    private bool MayRepeat(HttpResponseMessage response, TimeSpan? wait)
    {
        if (wait > RetryWaitMax || (response.Headers.TryGetValues("x-should-retry", out var told) && told.Contains("false")))
        {
            return false;
        }

        return response.StatusCode switch
        {
            HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => true,
            HttpStatusCode.TooManyRequests => options.WaitsOutLimits && wait is not null,
            _ => false,
        };
    }

    /// <summary>0.2 s, 0.4 s, 0.8 s …, at most 5 s.</summary>
    private static TimeSpan Backoff(int attempt) => TimeSpan.FromSeconds(Math.Min(5, 0.2 * Math.Pow(2, attempt)));

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } at } when at > options.Time.GetUtcNow() => at - options.Time.GetUtcNow(),
        { Date: not null } => TimeSpan.Zero,
        _ => null,
    };

    private static Problem ProblemOf(HttpResponseMessage response, byte[] body)
    {
        Problem? told = null;
        try
        {
            told = JsonSerializer.Deserialize(body, TollgateJson.Default.Problem);
        }
        catch (JsonException)
        {
            // A proxy's page, or a cut answer: the status is what we know.
        }

        var problem = told ?? new Problem();
        if (told is null || told.Code == Problem.UnexpectedAnswer)
        {
            problem = problem with { Title = $"HTTP {(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd() };
        }

        return problem with
        {
            Status = (int)response.StatusCode,
            RequestId = problem.RequestId ?? (response.Headers.TryGetValues("X-Request-Id", out var ids) ? ids.First() : null),
        };
    }

    private static T Parse<T>(byte[] body, HttpStatusCode status, JsonTypeInfo<T> shape)
    {
        try
        {
            return JsonSerializer.Deserialize(body, shape) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            const string title = "The answer could not be read: is this the address of a Tollgate?";
            throw new TollgateException(new Problem { Status = (int)status, Title = title }, e);
        }
    }

    private static string NewIdempotencyKey() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private readonly record struct Call(
        HttpMethod Method, string Path, ReadOnlyMemory<byte>? Body, string? IdempotencyKey, string MediaType = "application/json");
}

/// <summary>Parts of an address, made so that no value can leave its place in it.</summary>
internal static class Address
{
    /// <summary>An id as a segment of a path. Ids have letters, digits, <c>_</c> and <c>-</c>; all else is a mistake.</summary>
    public static string Segment(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? id
            : throw new ArgumentException($"\"{id}\" is not an id: it has letters, digits, _ and - only.", nameof(id));
    }

    /// <summary>The query of those members that have a value, with its question mark.</summary>
    public static string Query(params ReadOnlySpan<(string Name, string? Value)> members)
    {
        var query = "";
        foreach (var (name, value) in members)
        {
            if (value is not null)
            {
                query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
            }
        }

        return query;
    }
}
