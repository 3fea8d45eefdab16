namespace Tollgate.Server.Docs;

/// <summary>A sentence or two per operation, beyond its summary. Who may call is read off the endpoint and not repeated here.</summary>
internal static class OperationTexts
{
    private static readonly Dictionary<string, string> Texts = WithProjects(new(StringComparer.Ordinal)
    {
        ["createOrganization"] = "An organization owns projects; a new one has none.",
        ["listOrganizations"] = "One page of organizations, without deleted ones. `search` is an id or a part of a name, in any case.",
        ["getOrganization"] = "A deleted one is as absent as one that never was.",
        ["updateOrganization"] = 
            "An absent member stays as it is. Keys of a suspended organization are refused from the next request on; from then on another "
            + "plan holds too.",
        ["deleteOrganization"] = "Its projects are closed and their keys revoked in the same step, for good.",
        ["getMe"] =
            "A person with the organizations they are in, a key with its project and rights, or the root key. `csrf_token` is told to "
            + "people: they send it as `X-CSRF-Token` with each change.",
        ["updateMe"] = "What others in a team see. The e-mail address is changed on the account page.",
        ["listMySessions"] = "The newest first, with the device and the address from which each began.",
        ["endMySession"] = "Over at its next request. Another person's is as absent as one that never was.",
        ["endMyOtherSessions"] = "All but the one that asks.",
        ["listPeople"] =
            "One page of people who have an account. `search` is an id, the beginning of an e-mail address, or a part of a name, in any "
            + "case.",
        ["getPerson"] = "With the teams they are in. A look by a person is in the audit log.",
        ["updatePerson"] =
            "A suspended person is signed out everywhere at once and does not get in; keys go on working. Nobody suspends themselves.",
        ["endPersonSessions"] = "And the links that were sent to them. They can sign in again at once; keys go on working.",
        ["removePersonSecondStep"] =
            "For who has lost the app and the recovery codes: make sure by another way who asks. Every session ends, and a mail tells the "
            + "person. 409 where there is none.",
        ["listProjectMembers"] =
            "In the order in which they came to the team. Owners and admins of the team reach every project without being here.",
        ["setProjectMember"] = "Only members of the team; who is in the project already gets another role.",
        ["removeProjectMember"] = "They stay in the team. Everybody may go by themselves.",
        ["listPlans"] = "With what each allows of limits and quotas, in the order of the provider file.",
        ["listQuotas"] =
            "How much of each quota is used, and what the plan allows. A key reads those of its own organization; one of the operator's "
            + "organization reads all.",
        ["setQuota"] =
            "For who counts by himself, or to put right what was counted. It may be more than the plan allows: then no more are made. "
            + "A key needs to be of the operator's organization too.",
        ["createWalletEntry"] =
            "A `top_up`, a `refund` or a `grant` puts money in, an `adjustment` moves it either way. An `external_id` counts once in its "
            + "organization, for good: the same again answers 200 with the entry that is there, another amount or kind is a 422. What is "
            + "held for requests under way cannot be taken.",
        ["getWallet"] =
            "What is left, what of it is held for requests under way, and what is available. A key reads its own organization's.",
        ["listWalletEntries"] =
            "One page of what has moved the balance, newest first. Usage is entered in sums, many requests at a time. A key reads its own "
            + "organization's.",
        ["createOperatorLink"] =
            "Its address signs the first operator in, in any browser: once, within 15 minutes. An operator is made where there is none.",
        ["createTeam"] =
            "An organization of more than one person, with its first owner and a first project. Nobody owns two, which is a 409. "
            + "`balance_moved` and `keys_held` tell what coming into it has done to the owner's own wallet and keys.",
        ["listMembers"] = "All of them, in the order in which they came; a team has at most 500.",
        ["updateMember"] = "Binds at once. The last owner stays an owner, which is a 409 otherwise.",
        ["removeMember"] = "At once: the team is from then on as absent for that person as one that never was. The last owner stays.",
        ["previewMemberRemoval"] = "How many keys of the team would be deleted with it; nothing is changed.",
        ["previewOrganizationDeletion"] = "How many keys would be revoked with it; nothing is changed, and `deleted` is false.",
        ["transferTeam"] = "The member becomes the team's owner, and who was becomes an admin.",
        ["listInvitations"] = "Those whose link can still be used, the oldest first; at most 100 wait at a time.",
        ["createInvitation"] =
            "The link is in the mail alone: for one use, for seven days, and for whoever has proved to read mails at that address. Another "
            + "one to the same address ends the one before.",
        ["deleteInvitation"] = "Its link is good no more.",
        ["createProject"] = "A project holds keys. People make at most 200 at a time in an organization, which is a 409 otherwise.",
        ["listOrganizationProjects"] = "One page of the organization's projects, newest first.",
        ["listProjects"] = "One page of the projects of all organizations.",
        ["getProject"] = "A key reads its own project; any other is as absent as one that never was.",
        ["updateProject"] = "An absent member stays as it is.",
        ["deleteProject"] = "Its keys are revoked in the same step, for good.",
        ["createKey"] =
            "The secret is in this answer and in no other. With `secret_sha256`, the operator takes in a key made elsewhere. "
            + "A key needs `keys:manage` for this and makes none wider than itself; a person gives no right that their role has not.",
        ["importKeys"] =
            "One key a line, by its secret or by its SHA-256; each line has its outcome in the answer, and a refused one takes no other "
            + "with it. The same line again is `unchanged`, known by its `external_id` in the project.",
        ["listKeys"] = "One page of a project's keys, newest first, without secrets. A key sees those of its own environment.",
        ["getKey"] = "A key reads itself; others with `keys:read` or `keys:manage`.",
        ["updateKey"] =
            "An absent member stays as it is. A key as caller needs `keys:manage` and can narrow, not widen; the root key can do both.",
        ["deleteKey"] =
            "Final, and binding from the next request on. The key stays readable. A key may delete itself, and others with `keys:manage`.",
        ["disableKey"] = "All of its secrets are refused from the next request on, until it is enabled. Needs `keys:manage`.",
        ["enableKey"] = "Lifts what `disable` set, and nothing else that holds the key. Needs `keys:manage`.",
        ["revokeKey"] = "Final, and binding from the next request on. A key may revoke itself, and others with `keys:manage`.",
        ["regenerateKey"] =
            "The same key with a new secret, shown in this answer alone; the old one is refused from the next request on. "
            + "A key may regenerate itself, and others with `keys:manage`.",
        ["rotateKey"] =
            "The same key with a new secret, shown in this answer alone; the old one goes on working for `grace_seconds`. "
            + "A key may rotate itself, and others with `keys:manage`.",
        ["revealKey"] =
            "Only where the provider keeps secrets readable; each reveal is in the audit log. "
            + "A key may reveal itself, and others with `keys:manage`.",
        ["verifyKey"] =
            "Says whether a request with this key may pass, by `requires`, or by `method` and `path`, or by the key's standing alone. "
            + "The answer is 200 whether it may or not.",
        ["reportUsage"] =
            "A reserved request is settled: billed at most what was held, and counted for what it used. It may be told again, and is "
            + "answered as the first time. Without a reservation a request is recorded, counted, and billed as far as the balance goes. "
            + "What is answered is in the database.",
        ["reportUsages"] = "The same for many at once; each row of the answer has a status of its own.",
        ["verifyKeys"] = "The same for many at once; the answers stand in the order of the checks.",
        ["explainCheck"] = "The same, step by step, for finding out why a key is refused.",
        ["pollChanges"] =
            "Answers at once when something changed after `after`, else when something does or after `wait` seconds. "
            + "Tells which key, project or organization changed, in the order of commits, never what. Whoever keeps verdicts drops those "
            + "it names, and all of them where `reset` is true. Send `next_after` and `epoch` of the last answer; without `after`, it says "
            + "where the log stands. A key sees changes to what it may verify.",
        ["createWebhook"] =
            "The secret that its messages are signed with is in this answer and in no other. Messages follow Standard Webhooks; each event "
            + "arrives at least once, and is tried for three days.",
        ["createProjectWebhook"] =
            "It hears of the keys of that project alone, and not of money, which is the organization's. The secret that its messages are "
            + "signed with is in this answer and in no other.",
        ["listWebhooks"] = "All of them and those of its projects, the oldest first; there are few.",
        ["getWebhook"] = "With how many events wait for it, and since when it has been failing.",
        ["updateWebhook"] = "An absent member stays as it is. Events of the time in which it is disabled are not kept for it.",
        ["deleteWebhook"] = "What waits for it is not sent any more.",
        ["rotateWebhookSecret"] =
            "The new secret is in this answer and in no other. Until the grace is over, messages carry a signature by each of both.",
        ["testWebhook"] = "Sends `webhook.test`, whatever the webhook asked for. What became of it is among the deliveries.",
        ["listWebhookDeliveries"] = "One page of them. Finished ones are kept for a time that the operator sets.",
        ["replayWebhookDelivery"] =
            "Under the id it had, so that a receiver knows it again. One that waits for its next attempt is sent now.",
        ["replayFailedDeliveries"] = "The oldest first, up to 1,000 a call.",
        ["getUsage"] =
            "Sums of requests, tokens and cost, kept apart by `group_by`, else one sum. `from` counts, `to` does not; both are whole "
            + "hours. A cost is a decimal, null where nothing has a price. A key sees its own project and environment. "
            + "Sums are kept for good.",
        ["listUsage"] =
            "One page of single requests, those refused among them, with the names of their keys. A key sees its own project and "
            + "environment. Lines are kept for some days, refused ones for fewer.",
        ["exportUsageCsv"] =
            "The same as a file of any length, newest first. What a table program would take for a formula has an apostrophe before it.",
        ["exportUsageLines"] = "The same as a file of any length, newest first, an object a line.",
        ["getKeyUsage"] =
            "All that the key did, or in a span of whole hours: sums, by model and by day (the last 400), and when it was last used. A "
            + "deleted key keeps its usage. A key reads its own; others with `usage:read`.",
        ["getRequest"] =
            "Whether it passed, and where it was refused: each step of the decision, the limit, what remained and when it would have "
            + "fitted. A key reads its own requests; others with `usage:read`.",
        ["listAudit"] =
            "One page of the audit log. Each row holds the hash of the one before, so that a missing or changed row shows. "
            + "A key reads the rows of its own project.",
        ["health"] = "Answers as long as the process does.",
        ["metrics"] =
            "What the gate counts and measures, in the text format of Prometheus. Where the operator has set a token for metrics, "
            + "that is taken too.",
        ["readiness"] = "Answers 200 when the database can be reached too.",
    });

    public static IReadOnlyCollection<string> Operations => Texts.Keys;

    public static string? Of(string operation) => Texts.GetValueOrDefault(operation);

    /// <summary>A project's webhooks have the calls of an organization's.</summary>
    private static Dictionary<string, string> WithProjects(Dictionary<string, string> texts)
    {
        foreach (var (operation, text) in texts.Where(one => !one.Key.Contains("Project", StringComparison.Ordinal)).ToList())
        {
            texts.TryAdd(
                operation.Replace("Webhook", "ProjectWebhook", StringComparison.Ordinal)
                    .Replace("FailedDeliveries", "FailedProjectDeliveries", StringComparison.Ordinal),
                text);
        }

        return texts;
    }
}
