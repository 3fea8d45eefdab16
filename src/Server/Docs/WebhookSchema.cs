using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Docs;

/// <summary>What the document says of webhooks: bounds, words and examples.</summary>
internal static class WebhookSchema
{
    private static readonly string[] Reasons = [DisabledReasons.Person, DisabledReasons.Failing, DisabledReasons.Gone];

    public static void Bound(string place, OpenApiSchema owner, string member, OpenApiSchema schema)
    {
        switch (place)
        {
            case "CreateWebhook.url":
                SchemaRules.Need(owner, member, schema);
                BoundUrl(schema);
                break;
            case "ChangeWebhook.url":
                SchemaRules.NeverNull(schema);
                BoundUrl(schema);
                break;
            case "CreateWebhook.events":
                SchemaRules.Need(owner, member, schema);
                BoundEvents(schema);
                break;
            case "ChangeWebhook.events":
                SchemaRules.NeverNull(schema);
                BoundEvents(schema);
                break;
            case "ChangeWebhook.enabled":
                SchemaRules.NeverNull(schema);
                schema.Description = "A webhook that was disabled gets what has waited when it is enabled.";
                break;
            case "CreateWebhook.description" or "ChangeWebhook.description":
                schema.MaxLength = WebhookRegister.DescriptionMax;
                break;
            case "RotateWebhookSecret.grace_seconds":
                (schema.Minimum, schema.Maximum) = ("0", OperationShape.Text((int)WebhookRegister.GraceSecondsMax));
                schema.Description = $"How long the old secret signs too; {WebhookRegister.GraceSecondsDefault} when absent.";
                break;
            case "RotateWebhookSecret.force":
                schema.Description = "Also while the grace of the last rotation is running, which it ends.";
                break;
            case "ReplayWebhook.since":
                SchemaRules.Need(owner, member, schema);
                break;
            default:
                Say(place, schema);
                break;
        }
    }

    public static JsonObject? Example(string record) => record switch
    {
        "CreateWebhook" => new JsonObject
        {
            ["url"] = "https://example.com/tollgate", ["events"] = new JsonArray(WebhookEvents.KeyRevoked, WebhookEvents.KeyExpiring),
        },
        "ReplayWebhook" => new JsonObject { ["since"] = "2027-01-31T00:00:00Z" },
        "RotateWebhookSecret" => new JsonObject { ["grace_seconds"] = WebhookRegister.GraceSecondsDefault },
        _ => null,
    };

    private static void Say(string place, OpenApiSchema schema)
    {
        switch (place)
        {
            case "Webhook.secret":
                SchemaRules.NeverNull(schema);
                schema.Description = "What messages are signed with, `whsec_` and base64; only in the answer that makes it.";
                break;
            case "Webhook.project_id":
                schema.Description = "The one project whose keys it hears of; null for all of the organization.";
                break;
            case "Webhook.disabled_reason":
                schema.Enum = SchemaRules.Names(Reasons, orNull: true);
                break;
            case "Webhook.pending":
                schema.Description = "Events still to be delivered.";
                break;
            case "Webhook.dropped":
                schema.Description = $"Events that found {WebhookOutbox.PendingMax} pending and were not kept.";
                break;
            case "Webhook.failing_since":
                schema.Description = "When the attempts that have failed since the last success began.";
                break;
            case "Webhook.old_secret_ends_at":
                schema.Description = "Until then the secret before the last rotation signs too.";
                break;
            case "WebhookDelivery.status":
                schema.Enum = SchemaRules.Names(WebhookDelivery.States, orNull: false);
                break;
            case "WebhookDelivery.error":
                schema.Enum = SchemaRules.Names(AttemptErrors.All, orNull: true);
                schema.Description = "Why the last attempt failed.";
                break;
            case "WebhookDelivery.message_id":
                schema.Description = "The header `webhook-id`: the same in every attempt and for every webhook that is told of the event.";
                break;
            case "WebhookDelivery.attempts":
                schema.Description = "Since it was made or last replayed.";
                break;
            case "WebhookDelivery.body":
                SchemaRules.BeObject(schema, orNull: false, "What is sent: `type`, `timestamp` and `data`.");
                break;
            default:
                break;
        }
    }

    private static void BoundUrl(OpenApiSchema schema)
    {
        (schema.MinLength, schema.MaxLength) = (1, WebhookUrl.CharsMax);
        schema.Description = "Where to send. It must lead to a public address, unless the operator allows others.";
    }

    private static void BoundEvents(OpenApiSchema schema)
    {
        SchemaRules.Choose(schema, [.. WebhookEvents.Names, WebhookEvents.All]);
        schema.MinItems = 1;
        schema.Description = "What to tell; `*` alone for all there is and will be.";
    }
}
