using System.Globalization;
using Microsoft.OpenApi;
using Tollgate.Engine.Limits;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Quotas;

namespace Tollgate.Server.Docs;

/// <summary>What the document says of plans, quotas and the limits of single keys: the names are those of the provider file.</summary>
internal static class PlanSchema
{
    public static void Bound(string place, OpenApiSchema owner, string member, OpenApiSchema schema, ProviderModel provider)
    {
        switch (place)
        {
            case "ChangeOrganization.plan":
                schema.Enum = SchemaRules.Names(provider.Plans.Select(plan => plan.Name), orNull: true);
                schema.Description = "The plan it is on from now on.";
                break;
            case "ChangeOrganization.reason":
                (schema.MinLength, schema.MaxLength) = (1, OrganizationRegister.ReasonMax);
                schema.Description = "Why: for the organization's audit log, which its people can read. The operator's to give.";
                break;
            case "Organization.plan" or "Plan.name":
                schema.Enum = SchemaRules.Names(provider.Plans.Select(plan => plan.Name), orNull: false);
                break;
            case "PlanLimit.counts":
                schema.Enum = SchemaRules.Names(
                    ["requests", "tokens", "input_tokens", "output_tokens", "concurrent_requests"], orNull: false);
                break;
            case "CreateKey.limits" or "ChangeKey.limits":
                schema.AdditionalProperties = new OpenApiSchema
                {
                    Type = JsonSchemaType.Integer | JsonSchemaType.Null, Minimum = "1", Maximum = Text(Limit.AmountMax),
                };
                schema.Description = provider.Limits.Count == 0
                    ? "Not offered: this provider has no limits."
                    : $"Limits of this key below its plan's: {string.Join(", ", provider.Limits.Select(limit => $"`{limit.Name}`"))}.";
                break;
            case "Key.limits":
                schema.Description = "Limits of this key below its plan's, by their names.";
                break;
            case "SetQuota.used":
                SchemaRules.Need(owner, member, schema);
                (schema.Minimum, schema.Maximum) = ("0", Text(QuotaKeeper.UsedMax));
                break;
            default:
                break;
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
