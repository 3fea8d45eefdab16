using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;

namespace Tollgate.Server.Docs;

/// <summary>What records are called outside: <c>KeyAnswer</c> is a <c>Key</c> there, <c>VerifyBody</c> a <c>Verify</c>.</summary>
internal static class SchemaNames
{
    private static readonly string[] Endings = ["Answer", "Body"];

    /// <summary>Null for what has no name there and is written where it stands.</summary>
    public static string? Of(JsonTypeInfo type)
    {
        if (type.Type == typeof(JsonElement) || type.Type == typeof(JsonElement?))
        {
            return null;
        }

        var name = OpenApiOptions.CreateDefaultSchemaReferenceId(type);
        var ending = name is null ? null : Endings.FirstOrDefault(end => name.EndsWith(end, StringComparison.Ordinal));
        return ending is null ? name : name![..^ending.Length];
    }
}
