using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Docs;

/// <summary>How a document is written down.</summary>
internal enum Form
{
    Json,
    Yaml,
}

/// <summary>
/// The OpenAPI document, made from the endpoints when it is first asked for and kept. Only the address of the server differs from one
/// caller to the next, so a text is kept in two parts with room for it.
/// </summary>
internal sealed class ApiDocument(IServiceProvider services)
{
    /// <summary>Stands in for the address of the server until somebody asks.</summary>
    public const string AddressMark = "@address@";

    // No state of the gate is in it: what fails once would fail again.
    private readonly Lazy<Task<Rendered>> _rendered = new(() => Render(services));

    public async ValueTask<DocumentText> Get(Form form)
    {
        var rendered = await _rendered.Value;
        return form == Form.Json ? rendered.Json : rendered.Yaml;
    }

    private static async Task<Rendered> Render(IServiceProvider services)
    {
        var provider = services.GetRequiredKeyedService<IOpenApiDocumentProvider>(OpenApi.DocumentName);
        var document = await provider.GetOpenApiDocumentAsync(CancellationToken.None);
        var root = JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!;
        var json = root.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = Json.Encoder });
        return new Rendered(DocumentText.Of(json), DocumentText.Of(Yaml.Write(root)));
    }

    private sealed record Rendered(DocumentText Json, DocumentText Yaml);
}

/// <summary>A text with one gap, for the address of the server.</summary>
internal sealed class DocumentText
{
    private readonly byte[] _before;
    private readonly byte[] _after;

    private DocumentText(byte[] before, byte[] after) => (_before, _after) = (before, after);

    public static DocumentText Of(string text)
    {
        var parts = text.Split(ApiDocument.AddressMark);
        return parts.Length == 2
            ? new DocumentText(Encoding.UTF8.GetBytes(parts[0]), Encoding.UTF8.GetBytes(parts[1]))
            : throw new InvalidOperationException("The document names its address once.");
    }

    /// <param name="address">From <see cref="PublicAddress"/>: nothing in it needs an escape.</param>
    public ReadOnlyMemory<byte> At(string address) => (byte[])[.. _before, .. Encoding.ASCII.GetBytes(address), .. _after];
}
