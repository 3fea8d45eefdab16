using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Docs;

/// <summary>
/// What the records do not say of their members: which are really needed, and the bounds that the doors hold them to, the provider's own
/// among them.
/// </summary>
internal sealed class SchemaRules(ProviderModel provider)
{
    private const string Sha256Pattern = "^([0-9A-Fa-f]{64}|[0-9A-Za-z+/]{43}=)$";

    private readonly KeyRules _keys = provider.Keys;

    public void Apply(OpenApiDocument document)
    {
        var schemas = document.Components!.Schemas!;
        var operations = document.Paths.Values.SelectMany(path => path.Operations!.Values).ToList();
        var taken = Reached(schemas, operations.SelectMany(operation => Schemas(operation.RequestBody?.Content)));
        var given = Reached(schemas, operations.SelectMany(operation => operation.Responses!.Values)
            .OfType<OpenApiResponse>().SelectMany(response => Schemas(response.Content)));
        foreach (var name in schemas.Keys.Where(name => name != ProblemResponses.SchemaName).ToList())
        {
            if (!taken.Contains(name) && !given.Contains(name))
            {
                schemas.Remove(name);
            }
            else if (schemas[name] is OpenApiSchema { Properties: { } members } schema)
            {
                Shape(schema, members, isTaken: taken.Contains(name));
                foreach (var (member, value) in members)
                {
                    Bound($"{name}.{member}", schema, member, value as OpenApiSchema);
                }

                schema.Description = SchemaTexts.Of(name) ?? schema.Description;
                schema.Examples = ExampleOf(name) is { } example ? [example] : null;
            }
        }
    }

    /// <summary>An unknown member is refused where we read; where we write, more may be added. What may be null need not be sent.</summary>
    private static void Shape(OpenApiSchema schema, IDictionary<string, IOpenApiSchema> members, bool isTaken)
    {
        schema.AdditionalPropertiesAllowed = !isTaken;
        if (isTaken)
        {
            schema.Required = schema.Required?.Where(member => !MayBeNull(members[member])).ToHashSet();
        }
    }

    private void Bound(string place, OpenApiSchema owner, string member, OpenApiSchema? schema)
    {
        if (schema is null)
        {
            return;
        }

        switch (place)
        {
            case "CreateOrganization.name" or "CreateProject.name":
                Need(owner, member, schema);
                (schema.MinLength, schema.MaxLength) = (1, OrganizationRegister.NameMax);
                break;
            case "ChangeOrganization.name" or "ChangeProject.name":
                (schema.MinLength, schema.MaxLength) = (1, OrganizationRegister.NameMax);
                break;
            case "ChangeOrganization.status":
                schema.Enum = Names(["active", "suspended"], orNull: true);
                break;
            case "CreateKey.name" or "ImportRow.name":
                Need(owner, member, schema);
                (schema.MinLength, schema.MaxLength) = (_keys.NameMin, _keys.NameMax);
                break;
            case "ChangeKey.name":
                NeverNull(schema);
                (schema.MinLength, schema.MaxLength) = (_keys.NameMin, _keys.NameMax);
                break;
            case "RotateKey.grace_seconds":
                (schema.Minimum, schema.Maximum) = ("0", OperationShape.Text((int)_keys.GraceMax.TotalSeconds));
                schema.Description = $"How long the old secret goes on working; {_keys.GraceDefault.TotalSeconds:0} when absent.";
                break;
            case "RotateKey.force":
                schema.Description = "Also while the grace of the last rotation is running, which it ends.";
                break;
            case "RotateKey.expires_at":
                schema.Description = "A new expiry, for a key that has expired.";
                break;
            case "VerifyBatch.checks":
                (schema.MinItems, schema.MaxItems) = (0, VerifyEndpoints.BatchMax);
                break;
            case "Key.status":
                schema.Enum = Names(OperationShape.KeyStatuses, orNull: false);
                break;
            case "Key.secret":
                NeverNull(schema);
                schema.Description = "In clear, and only in the answer that makes it.";
                break;
            case "VerifiedKey.models":
                NeverNull(schema);
                schema.Description = "The ids of the only models for which the key may be used; absent for every model.";
                break;
            case "Key.metadata" or "VerifiedKey.metadata":
                BeObject(schema, orNull: false, "As it was given.");
                break;
            case "Audit.before" or "Audit.after":
                BeObject(schema, orNull: true, "The target's own shape, without secrets.");
                break;
            default:
                BoundCheck(place, schema);
                BoundChange(place, schema);
                ImportSchema.Bound(place, owner, member, schema);
                WalletSchema.Bound(place, owner, member, schema);
                TeamSchema.Bound(place, owner, member, schema, provider);
                PlanSchema.Bound(place, owner, member, schema, provider);
                WebhookSchema.Bound(place, owner, member, schema);
                BoundTerm(owner, member, schema, place.Split('.')[0]);
                break;
        }
    }

    private void BoundCheck(string place, OpenApiSchema schema)
    {
        switch (place)
        {
            case "RevokeKey.reason":
                schema.Enum = Names(RevokeReasons.All, orNull: true);
                schema.Description = "`compromised` also cuts the requests that are under way with the key; others go on to their end.";
                break;
            case "Verify.requires":
                schema.Description = $"A scope such as `{provider.Scopes.Scopes[0].Name}`, or `scope:action`.";
                break;
            case "Verify.method":
                schema.Description = "The method of the request to judge; with `path`, and instead of `requires`.";
                break;
            case "VerifyAnswer.required_permission":
                NeverNull(schema);
                schema.Description = "What the key would have needed; only where it lacks a permission.";
                break;
            case "VerifyAnswer.secret_ends_at":
                NeverNull(schema);
                schema.Description = "When this secret stops, ahead of its key; only where it passes and a rotation has replaced it.";
                break;
            default:
                break;
        }
    }

    private static void BoundChange(string place, OpenApiSchema schema)
    {
        switch (place)
        {
            case "Change.kind":
                schema.Enum = Names(["key", "project", "organization"], orNull: false);
                break;
            case "ChangePage.has_more":
                schema.Description = "Changes that were there when the call came are still to be told: ask again.";
                break;
            case "ChangePage.epoch":
                schema.Description = "Which start of the gate this is.";
                break;
            case "ChangePage.reset":
                schema.Description = "Changes may be missing before this answer: whoever keeps verdicts drops them all.";
                break;
            default:
                break;
        }
    }

    /// <summary>The terms of a key, which creating, importing and changing one share.</summary>
    private void BoundTerm(OpenApiSchema owner, string member, OpenApiSchema schema, string record)
    {
        if (record is not ("CreateKey" or "ChangeKey" or "ImportRow"))
        {
            return;
        }

        if (record == "ChangeKey" && member is not ("description" or "expires_at" or "limits" or "models"))
        {
            NeverNull(schema);
        }

        switch (member)
        {
            case "environment":
                schema.Enum = Names(_keys.Environments.Select(environment => environment.Name), orNull: true);
                break;
            case "type":
                schema.Enum = Names(_keys.Types.Select(type => type.Name), orNull: true);
                break;
            case "permissions":
                Choose(schema, provider.Scopes.Actions.Select(action => action.Name));
                schema.Description = _keys.AcceptsPermissions ? "What the key may do." : "Not offered: a key's type says what it may do.";
                break;
            case "scopes":
                Choose(schema, provider.Scopes.Scopes.Where(scope => scope.Grantable).Select(scope => scope.Name));
                schema.MinItems = 1;
                schema.MaxItems = _keys.ExactlyOneScope ? 1 : null;
                schema.Description = "What the key may reach.";
                break;
            case "rights":
                Choose(schema, RightNames.All);
                schema.Description = "What the key may do on the management API.";
                break;
            case "description":
                schema.MaxLength = TermsReader.DescriptionMax;
                break;
            case "allowed_addresses":
                schema.MaxItems = TermsReader.AddressesMax;
                schema.Description = "Addresses and ranges, such as `192.0.2.0/24`, from which alone the key may be used; none for any.";
                break;
            case "models":
                (schema.MinItems, schema.MaxItems) = (1, KeyModels.Max);
                ((OpenApiSchema)schema.Items!).MinLength = 1;
                ((OpenApiSchema)schema.Items!).MaxLength = KeyModels.NameCharsMax;
                schema.Description = "The ids of the only models for which the key may be used; null for every model.";
                break;
            case "metadata":
                BeObject(schema, record != "ChangeKey", $"A JSON object of at most {TermsReader.MetadataBytesMax} bytes, kept as it is.");
                break;
            case "expires_at":
                BoundExpiry(owner, schema, record);
                break;
            case "secret_sha256":
                schema.Pattern = Sha256Pattern;
                schema.Description =
                    "The SHA-256 of a secret made elsewhere, in hexadecimal or base64, which then is this key's. The operator's to send.";
                break;
            default:
                break;
        }
    }

    private void BoundExpiry(OpenApiSchema owner, OpenApiSchema schema, string record)
    {
        schema.Description = _keys.Expiry switch
        {
            ExpiryRule.Optional or ExpiryRule.Required when record == "ImportRow" =>
                "When the key ends; one that has ended comes in expired.",
            ExpiryRule.Forbidden => "Not offered: keys of this provider have no expiry date.",
            ExpiryRule.Required => "When the key ends, in the future; every key of this provider has such a date.",
            _ => "When the key ends, in the future; null for never.",
        };
        if (_keys.Expiry == ExpiryRule.Required && record != "ChangeKey")
        {
            Need(owner, "expires_at", schema);
        }
    }

    private JsonObject? ExampleOf(string record) => record switch
    {
        "CreateOrganization" => new JsonObject { ["name"] = "Research" },
        "CreateProject" => new JsonObject { ["name"] = "Production" },
        "CreateKey" when _keys.Expiry == ExpiryRule.Required =>
            new JsonObject { ["name"] = "Production server", ["expires_at"] = "2099-12-31T23:59:59Z" },
        "CreateKey" => new JsonObject { ["name"] = "Production server" },
        "ImportRow" => ImportSchema.Example(_keys),
        "RotateKey" => new JsonObject { ["grace_seconds"] = (long)_keys.GraceMax.TotalSeconds },
        "Verify" => new JsonObject { ["key"] = $"{_keys.Environments[0].Prefix}…", ["requires"] = provider.Scopes.Scopes[0].Name },
        _ => WebhookSchema.Example(record),
    };

    internal static void Need(OpenApiSchema owner, string member, OpenApiSchema schema)
    {
        owner.Required ??= new HashSet<string>();
        owner.Required.Add(member);
        NeverNull(schema);
    }

    internal static void NeverNull(OpenApiSchema schema) => schema.Type &= ~JsonSchemaType.Null;

    /// <summary>Any JSON object.</summary>
    internal static void BeObject(OpenApiSchema schema, bool orNull, string description)
    {
        schema.Type = orNull ? JsonSchemaType.Object | JsonSchemaType.Null : JsonSchemaType.Object;
        schema.AdditionalProperties = new OpenApiSchema();
        (schema.OneOf, schema.Description) = (null, description);
    }

    internal static void Choose(OpenApiSchema list, IEnumerable<string> names)
    {
        list.Items = new OpenApiSchema { Type = JsonSchemaType.String, Enum = Names(names, orNull: false) };
        list.UniqueItems = true;
    }

    internal static List<JsonNode> Names(IEnumerable<string> names, bool orNull) =>
        [.. names.Select(name => (JsonNode)name), .. orNull ? [JsonNullSentinel.JsonNull] : Array.Empty<JsonNode>()];

    private static bool MayBeNull(IOpenApiSchema schema) =>
        schema.Type is { } type ? type.HasFlag(JsonSchemaType.Null)
        : schema.OneOf?.Any(one => one.Type == JsonSchemaType.Null) == true;

    private static IEnumerable<IOpenApiSchema> Schemas(IDictionary<string, OpenApiMediaType>? content) =>
        content?.Values.Select(media => media.Schema).OfType<IOpenApiSchema>() ?? [];

    /// <summary>The names of all records that these schemas hold, however deep.</summary>
    private static HashSet<string> Reached(IDictionary<string, IOpenApiSchema> schemas, IEnumerable<IOpenApiSchema> from)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<IOpenApiSchema>(from);
        while (waiting.TryPop(out var schema))
        {
            if (schema is OpenApiSchemaReference { Reference.Id: { } name })
            {
                if (names.Add(name) && schemas.TryGetValue(name, out var target))
                {
                    waiting.Push(target);
                }

                continue;
            }

            IEnumerable<IOpenApiSchema?> inside =
                [.. schema.Properties?.Values ?? [], schema.Items, .. schema.OneOf ?? [], .. schema.AnyOf ?? [], .. schema.AllOf ?? []];
            foreach (var part in inside.OfType<IOpenApiSchema>())
            {
                waiting.Push(part);
            }
        }

        return names;
    }
}
