using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Access;
using Tollgate.Server.Docs.Site;

namespace Tollgate.Server.Docs;

/// <summary>What anybody may read about the gate without a key: the OpenAPI document, and the documentation.</summary>
internal static class OpenApi
{
    /// <summary>The framework's name of the one document there is.</summary>
    public const string DocumentName = "v1";

    public static IServiceCollection AddDocs(this IServiceCollection services)
    {
        // The generator reads the records through these options, and nothing else does: they repeat what every room's context says, but for
        // the converter of times, behind which the generator would not see a time.
        services.ConfigureHttpJsonOptions(http =>
        {
            var json = http.SerializerOptions;
            json.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.AllowDuplicateProperties = false;
            json.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddOpenApi(DocumentName, options =>
        {
            options.CreateSchemaReferenceId = SchemaNames.Of;
            options.AddOperationTransformer<OperationShape>();
            options.AddDocumentTransformer<DocumentShape>();
        });
        return services.AddSingleton<ApiDocument>().AddSingleton<DocSite>();
    }

    public static void MapDocs(this IEndpointRouteBuilder app)
    {
        app.MapGet("/openapi.json", (HttpContext http, ApiDocument document) => Send(http, document, Form.Json))
            .Public().ExcludeFromDescription();
        app.MapGet("/openapi.yaml", (HttpContext http, ApiDocument document) => Send(http, document, Form.Yaml))
            .Public().ExcludeFromDescription();
        app.ServiceProvider.GetRequiredService<DocSite>().Map(app);
    }

    private static async Task Send(HttpContext http, ApiDocument document, Form form)
    {
        var bytes = (await document.Get(form)).At(PublicAddress.Of(http));
        var response = http.Response;
        response.ContentType = form == Form.Json ? "application/json" : "application/yaml";
        response.ContentLength = bytes.Length;
        // It names the address it was asked at, and changes with the provider file: nobody may keep it for anybody else.
        response.Headers.CacheControl = "no-cache";
        await response.Body.WriteAsync(bytes, http.RequestAborted);
    }
}
