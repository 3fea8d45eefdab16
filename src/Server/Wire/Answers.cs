using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tollgate.Server.Wire;

/// <summary>What the management API answers when all went well: JSON of known length that no cache keeps.</summary>
internal static class Answers
{
    public static IResult Json<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => Json(Bytes(value, type), status);

    public static IResult Json(ReadOnlyMemory<byte> json, int status = StatusCodes.Status200OK) => new JsonAnswer(json, status);

    public static byte[] Bytes<T>(T value, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Wire.Json.Encoder }))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return buffer.ToArray();
    }

    private sealed class JsonAnswer(ReadOnlyMemory<byte> json, int status) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.Headers.CacheControl = "no-store";
            if (json.IsEmpty)
            {
                return;
            }

            response.ContentType = "application/json";
            response.ContentLength = json.Length;
            await response.Body.WriteAsync(json, httpContext.RequestAborted);
        }
    }
}
