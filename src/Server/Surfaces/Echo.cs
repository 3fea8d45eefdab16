using System.Buffers;
using System.Text.Json;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// What answers a route as long as no server stands behind it: what was asked for, never with what key. The models of the provider file are
/// listed where a route names them.
/// </summary>
internal sealed class Echo(ProviderModel provider)
{
    private const string ModelsPath = "/v1/models";

    public async Task Answer(HttpContext http, string path, RouteMatch match)
    {
        var size = await Drain(http);
        var output = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = Json.Encoder }))
        {
            if (HttpMethods.IsGet(http.Request.Method) && path == ModelsPath)
            {
                WriteModels(json);
            }
            else if (HttpMethods.IsGet(http.Request.Method) && ModelOf(path, match) is { } model)
            {
                WriteModel(json, model);
            }
            else
            {
                json.WriteStartObject();
                json.WriteBoolean("echo"u8, true);
                json.WriteString("method"u8, http.Request.Method);
                json.WriteString("path"u8, path);
                json.WriteNumber("body_bytes"u8, size);
                json.WriteEndObject();
            }
        }

        await Answers.Json(output.WrittenMemory).ExecuteAsync(http);
    }

    /// <summary>The model that <c>/v1/models/{model}</c> names, when the file has it; ids may hold slashes, sent encoded.</summary>
    private string? ModelOf(string path, RouteMatch match)
    {
        if (match.Id.IsAbsent || !path.StartsWith(ModelsPath, StringComparison.Ordinal))
        {
            return null;
        }

        var id = Uri.UnescapeDataString(match.Id.Of(path.AsSpan()));
        return provider.Models.FirstOrDefault(model => model.Id == id)?.Id;
    }

    private void WriteModels(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (var model in provider.Models)
        {
            WriteModel(json, model.Id);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteModel(Utf8JsonWriter json, string model)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, model);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, 0);
        json.WriteString("owned_by"u8, provider.Name);
        json.WriteEndObject();
    }

    /// <summary>Reads the body through without keeping it; its bound is the server's.</summary>
    private static async Task<long> Drain(HttpContext http)
    {
        var size = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(16_384);
        try
        {
            while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is var read and > 0)
            {
                size += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return size;
    }
}
