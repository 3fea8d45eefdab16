using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Tollgate.Gateway.Echo;

/// <summary>
/// What stands behind the gate where no server does: a model that says what it was told, in the OpenAI API's words, counts its tokens, and
/// answers every other path with what was asked for. It is asked like any upstream.
/// </summary>
/// <param name="owner">Whom the models belong to.</param>
/// <param name="models">Those that are listed; it answers under any name.</param>
/// <param name="time">The clock of <c>created</c>.</param>
internal sealed class EchoHandler(string owner, IReadOnlyList<string> models, TimeProvider time) : HttpMessageHandler
{
    /// <summary>The largest body of a call to the model.</summary>
    public const int BodyBytesMax = 64 * 1_048_576;

    /// <summary>What a chat counts besides its words.</summary>
    public const int ChatTokens = 3;

    private const string JsonType = "application/json";
    private const string EventsType = "text/event-stream";
    private const string ModelsPath = "/models";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath.TrimEnd('/');
        var isPost = request.Method == HttpMethod.Post;
        if (isPost && (path.EndsWith("/completions", StringComparison.Ordinal) || path.EndsWith("/embeddings", StringComparison.Ordinal)))
        {
            return await Call(path, request.Content, cancellationToken);
        }

        var size = await Drain(request.Content, cancellationToken);
        if (request.Method == HttpMethod.Get && path.EndsWith(ModelsPath, StringComparison.Ordinal))
        {
            return Answer(HttpStatusCode.OK, Models());
        }

        if (request.Method == HttpMethod.Get && ModelOf(path) is { } model)
        {
            return models.Count == 0 || models.Contains(model)
                ? Answer(HttpStatusCode.OK, Written(json => WriteModel(json, model)))
                : Refusal(HttpStatusCode.NotFound, $"The model '{model}' does not exist", "model", "model_not_found");
        }

        return Answer(HttpStatusCode.OK, Written(json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("echo"u8, true);
            json.WriteString("method"u8, request.Method.Method);
            json.WriteString("path"u8, request.RequestUri.AbsolutePath);
            json.WriteNumber("body_bytes"u8, size);
            json.WriteEndObject();
        }));
    }

    private async Task<HttpResponseMessage> Call(string path, HttpContent? content, CancellationToken cancel)
    {
        if (await Read(content, cancel) is not { } body)
        {
            return Refusal(HttpStatusCode.RequestEntityTooLarge, $"The body has more than {BodyBytesMax} bytes", null, null);
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return Refusal(HttpStatusCode.BadRequest, "The body must be a JSON object", null, null);
            }

            return Said(path, new EchoCall(document.RootElement), Convert.ToHexStringLower(SHA256.HashData(body))[..24]);
        }
        // A name that is no text, such as half a surrogate pair, is the latter.
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return Refusal(HttpStatusCode.BadRequest, "We could not parse the JSON body of your request", null, null);
        }
        catch (EchoFaultException fault)
        {
            return Refusal(HttpStatusCode.BadRequest, fault.Message, fault.Member, null);
        }
    }

    private HttpResponseMessage Said(string path, EchoCall call, string id)
    {
        if (path.EndsWith("/embeddings", StringComparison.Ordinal))
        {
            return Answer(HttpStatusCode.OK, new EmbeddingEcho(call, call.ReadTexts("input")).Whole());
        }

        TextEcho echo;
        var created = time.GetUtcNow().ToUnixTimeSeconds();
        if (path.EndsWith("/chat/completions", StringComparison.Ordinal))
        {
            var (said, tokens) = call.ReadMessages();
            echo = new TextEcho($"chatcmpl-{id}", created, call, isChat: true, [said], tokens + ChatTokens);
        }
        else
        {
            var prompts = call.ReadTexts("prompt");
            echo = new TextEcho($"cmpl-{id}", created, call, isChat: false, prompts, prompts.Sum(EchoTokens.Count));
        }

        return call.Streams
            ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new ProducedContent(echo.Events(), EventsType) }
            : Answer(HttpStatusCode.OK, echo.Whole());
    }

    /// <summary>The id may hold a slash, encoded.</summary>
    private static string? ModelOf(string path) =>
        path.LastIndexOf('/') is var slash && path[..Math.Max(slash, 0)].EndsWith(ModelsPath, StringComparison.Ordinal)
            ? Uri.UnescapeDataString(path[(slash + 1)..])
            : null;

    private IEnumerable<ReadOnlyMemory<byte>> Models() => Written(json =>
    {
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (var model in models)
        {
            WriteModel(json, model);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private void WriteModel(Utf8JsonWriter json, string model)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, model);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, 0);
        json.WriteString("owned_by"u8, owner);
        json.WriteEndObject();
    }

    private static HttpResponseMessage Refusal(HttpStatusCode status, string message, string? member, string? code) =>
        Answer(status, Written(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("error"u8);
            json.WriteString("message"u8, message);
            json.WriteString("type"u8, "invalid_request_error"u8);
            json.WriteString("param"u8, member);
            json.WriteString("code"u8, code);
            json.WriteEndObject();
            json.WriteEndObject();
        }));

    private static IEnumerable<ReadOnlyMemory<byte>> Written(Action<Utf8JsonWriter> write)
    {
        using var output = new EchoWriter();
        write(output.Json);
        yield return output.Piece();
    }

    /// <summary>What is one piece has a length.</summary>
    private static HttpResponseMessage Answer(HttpStatusCode status, IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        using var reading = pieces.GetEnumerator();
        var first = reading.MoveNext() ? reading.Current.ToArray() : [];
        var content = reading.MoveNext() ? (HttpContent)new ProducedContent(pieces, JsonType) : new ByteArrayContent(first);
        content.Headers.ContentType = new MediaTypeHeaderValue(JsonType);
        return new HttpResponseMessage(status) { Content = content };
    }

    /// <summary>Null for more than is taken.</summary>
    private static async Task<byte[]?> Read(HttpContent? content, CancellationToken cancel)
    {
        if (content is null)
        {
            return [];
        }

        using var kept = new MemoryStream();
        return await Pieces(content, piece => kept.Write(piece.Span), BodyBytesMax, cancel) <= BodyBytesMax ? kept.ToArray() : null;
    }

    private static async Task<long> Drain(HttpContent? content, CancellationToken cancel) =>
        content is null ? 0 : await Pieces(content, _ => { }, long.MaxValue, cancel);

    private static async Task<long> Pieces(HttpContent content, Action<ReadOnlyMemory<byte>> take, long most, CancellationToken cancel)
    {
        var stream = await content.ReadAsStreamAsync(cancel);
        var (size, buffer) = (0L, ArrayPool<byte>.Shared.Rent(16_384));
        try
        {
            while (size <= most && await stream.ReadAsync(buffer, cancel) is var read and > 0)
            {
                size += read;
                take(buffer.AsMemory(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return size;
    }
}
