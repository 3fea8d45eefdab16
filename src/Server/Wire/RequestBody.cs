using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Wire;

/// <summary>
/// Bodies of the management API: JSON objects, bounded before a byte is understood, refused with the place and what was expected there.
/// </summary>
internal static class RequestBody
{
    public const int BytesMax = 64 * 1_024;

    /// <summary>Lines of JSON, an object on each.</summary>
    public const string LinesType = "application/x-ndjson";

    private const string JsonType = "application/json";

    /// <summary>A body that must be there.</summary>
    public static async Task<Outcome<RequestBody<T>>> Read<T>(HttpContext http, JsonTypeInfo<T> type, int bytesMax = BytesMax)
        where T : class
    {
        if (!(await ReadOptional(http, type, bytesMax)).TryGet(out var body, out var problem))
        {
            return problem;
        }

        return body.Value is { } value
            ? new RequestBody<T>(value, body.Raw)
            : new Problem(ProblemCode.InvalidJson, "A JSON object is needed as the body.");
    }

    /// <summary>A body that may be left out; then the value is null.</summary>
    public static async Task<Outcome<RequestBody<T?>>> ReadOptional<T>(HttpContext http, JsonTypeInfo<T> type, int bytesMax = BytesMax)
        where T : class
    {
        if (!(await ReadBytes(http, bytesMax)).TryGet(out var bytes, out var problem))
        {
            return problem;
        }

        if (bytes.IsEmpty)
        {
            return new RequestBody<T?>(null, bytes);
        }

        return Parse(bytes, type).TryGet(out var value, out problem) ? new RequestBody<T?>(value, bytes) : problem;
    }

    /// <summary>For calls that take nothing: no body, or an empty object.</summary>
    public static async Task<Outcome<ReadOnlyMemory<byte>>> ReadNothing(HttpContext http)
    {
        if (!(await ReadBytes(http)).TryGet(out var bytes, out var problem) || bytes.IsEmpty)
        {
            return problem is null ? bytes : problem;
        }

        return BodyFaults.Find(bytes.Span, out var members) is { } fault ? fault
            : members.Count > 0 ? Problem.Invalid(JsonPointer.Of(JsonPointer.Short(members[0])), "is unknown: this call takes no members.")
            : bytes;
    }

    /// <summary>The body as bytes, at most <paramref name="bytesMax"/> of them however it is sent; empty when there is none.</summary>
    public static async Task<Outcome<ReadOnlyMemory<byte>>> ReadBytes(
        HttpContext http, int bytesMax = BytesMax, string mediaType = JsonType)
    {
        if (http.Request.ContentLength > bytesMax)
        {
            return TooLarge(bytesMax);
        }

        if (http.Request.ContentLength > 0 && !Is(mediaType, http))
        {
            return NotOfType(mediaType);
        }

        var body = new ArrayBufferWriter<byte>((int)(http.Request.ContentLength ?? 0) + 1);
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (body.WrittenCount + read.Buffer.Length > bytesMax)
            {
                reader.AdvanceTo(read.Buffer.End);
                return TooLarge(bytesMax);
            }

            foreach (var segment in read.Buffer)
            {
                body.Write(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return body.WrittenCount == 0 || Is(mediaType, http) ? body.WrittenMemory : NotOfType(mediaType);
            }
        }
    }

    /// <summary>
    /// The whole body without waiting, when it has arrived and nothing is wrong with its size or type; the caller then advances the body
    /// reader. When false nothing is consumed, and <see cref="ReadBytes"/> reads it or says what is wrong.
    /// </summary>
    public static bool TryReadNow(HttpContext http, int bytesMax, out ReadOnlySequence<byte> body)
    {
        body = default;
        if (!Is(JsonType, http) || !http.Request.BodyReader.TryRead(out var read))
        {
            return false;
        }

        if (read.IsCompleted && !read.IsCanceled && read.Buffer.Length > 0 && read.Buffer.Length <= bytesMax)
        {
            body = read.Buffer;
            return true;
        }

        http.Request.BodyReader.AdvanceTo(read.Buffer.Start);
        return false;
    }

    public static Outcome<T> Parse<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        if (BodyFaults.Find(json.Span, out var members) is { } fault)
        {
            return fault;
        }

        try
        {
            return JsonSerializer.Deserialize(json.Span, type)!;
        }
        catch (JsonException error)
        {
            return BodyFaults.Explain(error, type, members);
        }
    }

    /// <summary>
    /// Malformed JSON, with the place. The parser's own text may quote the body, which may hold a key, so it is not shown.
    /// </summary>
    public static Problem InvalidJson(JsonException error) => error.LineNumber is { } line
        ? new(ProblemCode.InvalidJson, $"The body is not valid JSON at line {line + 1}, byte {error.BytePositionInLine + 1}.")
        : Problem.Of(ProblemCode.InvalidJson);

    /// <summary>
    /// Half of a surrogate pair, or bytes that are not UTF-8. The parser finds them only when a text is taken out, and says so by an
    /// <see cref="InvalidOperationException"/>.
    /// </summary>
    public static Problem NotUnicode => new(ProblemCode.InvalidJson, "The body holds text that is not Unicode.");

    private static Problem TooLarge(int bytesMax) => new(ProblemCode.BodyTooLarge, $"The body may have at most {bytesMax} bytes.");

    private static Problem NotOfType(string mediaType) => new(ProblemCode.UnsupportedMediaType, $"The body must be {mediaType}.");

    private static bool Is(string expected, HttpContext http)
    {
        var type = http.Request.ContentType;
        return type == expected
            || (type is not null && MediaTypeHeaderValue.TryParse(type, out var parsed) && Is(expected, parsed.MediaType));
    }

    private static bool Is(string expected, string? mediaType) =>
        string.Equals(mediaType, expected, StringComparison.OrdinalIgnoreCase)
        || (expected == JsonType
            && mediaType?.StartsWith("application/", StringComparison.OrdinalIgnoreCase) == true
            && mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
}

/// <summary>A body and the bytes it came as, which the idempotency check compares.</summary>
internal sealed record RequestBody<T>(T Value, ReadOnlyMemory<byte> Raw);
