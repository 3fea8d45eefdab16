using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tollgate.Server.Keys;
using Tollgate.Server.Keys.Import;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Docs;

/// <summary>What the document says of the rows of an import, beyond the terms that they share with new keys.</summary>
internal static class ImportSchema
{
    public static void Bound(string place, OpenApiSchema owner, string member, OpenApiSchema schema)
    {
        switch (place)
        {
            case "ImportRow.external_id":
                SchemaRules.Need(owner, member, schema);
                (schema.MinLength, schema.MaxLength) = (1, RowReader.ExternalIdMax);
                schema.Description = "What the other system calls it; one key a project.";
                break;
            case "ImportRow.project_id":
                schema.Description = "Where the key goes, ahead of `?project=`.";
                break;
            case "ImportRow.secret":
                schema.Description = "Of the provider's own shape, or one that its file accepts. It is kept as a hash, and in no answer.";
                break;
            case "ImportRow.start" or "ImportRow.end":
                schema.MaxLength = SecretMint.EndCharsMax;
                schema.Description =
                    "With `secret_sha256`: the secret's first or last characters, for its mask, which shows no more than it may.";
                break;
            case "ImportRow.disabled":
                schema.Description = "Whether the key comes in disabled.";
                break;
            case "ImportRow.created_at":
                schema.Description = "When the key was made; the time of the import when absent.";
                break;
            case "ImportResult.status":
                schema.Enum = SchemaRules.Names(ImportStatus.All, orNull: false);
                break;
            case "ImportResult.line":
                schema.Description = "In the body, counting from 1, empty ones too.";
                break;
            default:
                break;
        }
    }

    public static JsonObject Example(KeyRules keys)
    {
        var row = new JsonObject
        {
            ["external_id"] = "4711",
            ["name"] = "Production server",
            ["secret_sha256"] = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
        };
        if (keys.Expiry == ExpiryRule.Required)
        {
            row["expires_at"] = "2099-12-31T23:59:59Z";
        }

        return row;
    }
}
