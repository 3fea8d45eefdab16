namespace Tollgate.Server.Docs;

/// <summary>What each record of the document is. The comments in the code speak to who changes it, these to who calls.</summary>
internal static class SchemaTexts
{
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["Audit"] = "One thing that was done. `before` and `after` have the target's own shape.",
        ["AuditList"] = "A page of the audit log.",
        ["AuditParty"] =
            "Who acted: `root`, `key`, `person`, `system`, or `nobody` for somebody who had not signed in; with the name it had then.",
        ["AuditTarget"] = "What was acted on.",
        ["Change"] = "That something changed: a `key`, a `project` or an `organization`.",
        ["ChangeKey"] =
            "Changes to a key. An absent member stays as it is; null clears `description`, `expires_at`, `limits` and each of those in it.",
        ["ChangeOrganization"] = "Changes to an organization. An absent member stays as it is.",
        ["ChangePage"] = "Changes in the order of commits, and where the next call begins.",
        ["ChangeProject"] = "Changes to a project. An absent member stays as it is.",
        ["ChangeWebhook"] = "Changes to a webhook. An absent member stays as it is; null clears `description`.",
        ["CreateKey"] = "What a new key is to be. Absent members take the provider's defaults.",
        ["CreateOrganization"] = "What a new organization is to be.",
        ["CreateProject"] = "What a new project is to be.",
        ["CreateWebhook"] = "What a new webhook is to be.",
        ["CreateWalletEntry"] = "A movement of money to enter.",
        ["Deleted"] = "What is gone, and how many keys were revoked with it.",
        ["DeletedWebhook"] = "What is gone.",
        ["ExplainAnswer"] = "The outcome of a check, and each step on the way to it.",
        ["ExplainStep"] = "One step: `passed`, `failed`, or `not_reached` because an earlier one failed.",
        ["FieldError"] = "A member at fault, and what was expected there.",
        ["Import"] = "What became of each line, in their order, and how many there were of each.",
        ["ImportError"] = "Why a line was refused, in the codes and words of a problem.",
        ["ImportResult"] = "What became of one line.",
        ["ImportRow"] =
            "A key of another system: one line of the body. Needs `external_id`, `name`, and either `secret` or `secret_sha256`; other "
            + "absent members take the provider's defaults.",
        ["Key"] = "A key, without its secret except in the answer that makes it.",
        ["KeyUsage"] = "What one key did.",
        ["ModelUsage"] = "What was used of one model.",
        ["DayUsage"] = "What was used on one day (UTC).",
        ["KeyList"] = "A page of keys.",
        ["OperatorLink"] = "A link for one use, and when it ends.",
        ["Organization"] = "An owner of projects, on one of the provider's plans.",
        ["OrganizationList"] = "A page of organizations.",
        ["Plan"] = "What an organization may use.",
        ["PlanLimit"] = "How much of something may be taken in a rolling window; null for any amount. `concurrent_requests` has no window.",
        ["PlanList"] = "The plans of the provider; the default is the one of organizations that were put on none.",
        ["PlanQuota"] = "How many of something there may be; null for any number.",
        ["Project"] = "A holder of keys.",
        ["ProjectList"] = "A page of projects.",
        ["Quota"] = "How many of something an organization has, and how many its plan allows; null for any number.",
        ["QuotaList"] = "The quotas of an organization.",
        ["Replay"] = "How many deliveries begin anew; with `has_more`, the same call takes the next.",
        ["ReplayWebhook"] = "From when on.",
        ["Request"] = "One request, and each step of its decision.",
        ["RequestStep"] = "One step: `passed`, `failed`, or `not_reached` because an earlier one failed; with the code where it failed.",
        ["RevealedSecret"] = "A secret that was kept, in clear.",
        ["RevokeKey"] = "Why the key is revoked.",
        ["RotateKey"] = "How the new secret comes in.",
        ["RotateWebhookSecret"] = "How the new secret comes in.",
        ["Secret"] = "One secret of a key by its mask; two during the grace of a rotation.",
        ["SetQuota"] = "How many there are.",
        ["UsageLimit"] = "The limit that refused, how much it allows, what remained, and when the request would have fitted.",
        ["UsageLine"] = "One request.",
        ["UsageLineList"] = "A page of the log.",
        ["UsageReport"] = "Sums.",
        ["UsageSum"] = "What was used; members that sums are not kept apart by are null.",
        ["UseReport"] = "What a request used: of a `reservation`, or of a `key_id` where nothing was reserved.",
        ["UseReceipt"] = "What the report came to.",
        ["UseReportBatch"] = "Many reports.",
        ["UseReportError"] = "Why a report was not taken.",
        ["UseReportRow"] = "One report of a batch: its status, and its result or its error.",
        ["UseReportRows"] = "What became of each report, in their order.",
        ["VerifiedLimit"] = "How a limit stands with this request counted.",
        ["VerifyTokens"] = "How many tokens the request will use at most.",
        ["VerifiedKey"] = "What the key that was checked is.",
        ["Verify"] = "A key, and what it is to be good for: `requires`, or `method` and `path`, or neither.",
        ["VerifyAnswer"] =
            "Whether it is good; if not, why. `code` is stable, such as `allowed`, `key_revoked` or `scope_missing`; more may be added.",
        ["VerifyBatch"] = "Many checks.",
        ["VerifyBatchAnswer"] = "Their outcomes, in the order of the checks.",
        ["Webhook"] = "An address that is told of what happens, without its secret except in the answer that makes it.",
        ["WebhookDelivery"] = "One event on its way to one webhook, and what became of the last attempt.",
        ["WebhookDeliveryList"] = "A page of deliveries.",
        ["WebhookList"] = "All webhooks of an organization.",
        ["Wallet"] = "Three figures of one moment: the balance is what is held and what is available.",
        ["WalletEntry"] = "One movement of money. Amounts are decimals in strings, in the provider's currency.",
        ["WalletEntryList"] = "A page of entries.",
    };

    public static IReadOnlyCollection<string> Records => Texts.Keys;

    public static string? Of(string record) => Texts.GetValueOrDefault(record);
}
