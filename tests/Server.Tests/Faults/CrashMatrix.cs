namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// A mutation and every place at which the process may end while it runs. What it leaves when it is committed is told as rows added, table
/// by table; every table that is not named gains none.
/// </summary>
/// <param name="Name">What it does.</param>
/// <param name="Call">Method and path; {key}, {project} and {organization} stand for those made for the case,
/// {person} for who has that organization as its own, {member} for who has made the key, where the organization is a team.</param>
/// <param name="Body">What it sends, or null; {key} and {hash} stand for the key and for a hash that no other case has.</param>
/// <param name="OldSecret">What a check of the key's first secret says once it is done.</param>
/// <param name="Adds">The rows added.</param>
/// <param name="Points">The places besides those that every mutation passes.</param>
internal sealed record CrashOperation(
    string Name, string Call, string? Body, string OldSecret, string Adds, params string[] Points)
{
    // The first write of a process is its start's, which opens the journal.
    private static readonly string[] Everywhere =
    [
        "write.begun:2", "audit.row", "change.row", "idempotency.row", "write.before_commit:2", "write.committed:2",
        "mutation.unanswered",
    ];

    /// <summary>What is called before it, on the gate that lives: method, path and body.</summary>
    public (string Call, string Body)? First { get; init; }

    /// <summary>Whether only its own points are tried, since what it leaves behind passes others of itself.</summary>
    public bool IsItsOwnOnly { get; init; }

    /// <summary>A provider with quotas and wallets, of which each case has a full one.</summary>
    public const string Paid = "paid";

    public string Provider { get; init; } = "default";

    public IEnumerable<string> AllPoints => IsItsOwnOnly
        ? Points
        : Everywhere.Where(point => point != "change.row" || Adds.Contains("changes", StringComparison.Ordinal)).Concat(Points);

    /// <summary>From the commit on everything stays; before it, nothing.</summary>
    public static bool IsCommittedAt(string point) => point is "write.committed:2" or "mutation.unanswered";

    public override string ToString() => Name;
}

/// <summary>The operations under the crash tests; another one is one more line.</summary>
internal static class CrashMatrix
{
    private const string One = "audit 1, changes 1, idempotency 1";
    private const string Two = "audit 2, changes 2, idempotency 1";

    private const string ImportRow = "{\"external_id\":\"{key}\",\"name\":\"Moved in\",\"secret_sha256\":\"{hash}\"}";
    private const string Drain = "{\"kind\":\"adjustment\",\"amount\":\"-1000.00\",\"external_id\":\"{key}\"}";
    private const string Webhooks = "POST /organizations/{organization}/webhooks";
    private const string Renewed = "secrets 1, " + One;

    public static readonly CrashOperation[] All =
    [
        new("create", "POST /projects/{project}/keys", "{\"name\":\"New\"}", "allowed", $"keys 1, {Renewed}", "key.row", "secret.row"),
        new("rotate", "POST /keys/{key}/rotate", "{\"grace_seconds\":600}", "allowed", Renewed, "secret.end", "secret.row", "key.row"),
        new("regenerate", "POST /keys/{key}/regenerate", null, "key_retired", Renewed, "secret.end", "secret.row", "key.row"),
        new("revoke", "POST /keys/{key}/revoke", null, "key_revoked", One, "key.row"),
        new("disable", "POST /keys/{key}/disable", null, "key_disabled", One, "key.row"),
        new("delete", "DELETE /keys/{key}", null, "key_deleted", One, "key.row"),
        new("create organization", "POST /organizations", "{\"name\":\"New\"}", "allowed", $"organizations 1, {One}", "organization.row"),
        new("create project", "POST /organizations/{organization}/projects", "{\"name\":\"New\"}", "allowed", $"projects 1, {One}",
            "organization.row"),
        new("delete organization", "DELETE /organizations/{organization}", null, "key_revoked", Two,
            "organization.row", "key.row", "audit.row:2", "change.row:2"),
        new("import", "POST /import?project={project}", ImportRow, "allowed", $"keys 1, imported_keys 1, {Renewed}",
            "key.row", "secret.row", "import.row"),
        // All of a wallet's money goes out, and its keys are held by that.
        new("drain wallet", "POST /organizations/{organization}/wallet/entries", Drain, "wallet_empty",
            "wallet_entries 1, audit 2, changes 1, idempotency 1", "wallet.moved", "wallet.entry", "key.row", "audit.row:2")
        {
            Provider = CrashOperation.Paid,
        },
        new("set quota", "PUT /organizations/{organization}/quotas/things", "{\"used\":3}", "allowed", $"{One}, quotas 1", "quota.row")
        {
            Provider = CrashOperation.Paid,
        },
        new("create webhook", Webhooks, "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"*\"]}", "allowed",
            "audit 1, idempotency 1, webhooks 1", "webhook.row"),
        new("revoke, told", "POST /keys/{key}/revoke", null, "key_revoked", $"{One}, webhook_deliveries 1",
            "webhook.delivery", "webhook.filled")
        {
            First = (Webhooks, "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"key.revoked\"]}"), IsItsOwnOnly = true,
        },
        new("create operator link", "POST /operator/links", null, "allowed", "audit 1, idempotency 1, links 1", "link.row"),
        // Its owner's keys rest, and its owner's money is the team's: two entries, which bring one wallet down and the other up.
        new("create team", "POST /teams", "{\"name\":\"New\",\"owner_id\":\"{person}\"}", "key_archived",
            "wallets 1, wallet_entries 2, organizations 1, projects 1, audit 7, changes 4, idempotency 1, "
            + "teams 1, team_members 1, team_archives 1",
            "organization.row", "team.member", "wallet.moved", "wallet.entry", "wallet.moved:2", "wallet.entry:2", "team.archive",
            "key.row", "key.row:2", "audit.row:6")
        {
            Provider = CrashOperation.Paid, IsItsOwnOnly = true,
        },
        new("remove member", "DELETE /organizations/{organization}/members/{member}", null, "key_deleted",
            "audit 2, changes 1, idempotency 1, team_members -1", "team.member", "key.row", "audit.row:2")
        {
            Provider = CrashOperation.Paid,
        },
        new("delete project", "DELETE /projects/{project}", null, "key_revoked", Two,
            "organization.row", "key.row", "audit.row:2", "change.row:2"),
    ];

    /// <summary>
    /// The places in taking events into the database, each with whether they are there when the process ends at it. Another test kills at
    /// these: no call passes them.
    /// </summary>
    public static readonly (string Point, bool IsCommitted)[] Fold =
    [
        ("write.begun", false), ("fold.rows", false), ("fold.debits", false), ("write.before_commit", false), ("write.committed", true),
        ("fold.committed", true),
    ];

    /// <summary>The places in making a chat's bill safe before it is booked, each with whether it is safe then.</summary>
    public static readonly (string Point, bool IsCommitted)[] Seal = [("seal.row", false), ("seal.committed", true)];

    /// <summary>
    /// The same as in <see cref="Fold"/> and more, under paid requests over HTTP: at its first pass and at later ones, so that reserving,
    /// marking, settling and recording all are under way at one of them.
    /// </summary>
    public static readonly string[] Paid =
    [
        "report.claim", "report.claim:2", "report.unsettled", "report.unsettled:2", "wallet.entry", "wallet.moved", "write.begun:3",
        "fold.rows", "fold.rows:2", "fold.rows:3", "fold.debits", "fold.debits:2",
        "write.before_commit:3", "write.committed:2", "write.committed:3", "fold.committed",
        "fold.committed:2",
    ];

    /// <summary>On PostgreSQL, where each case costs more: so many that together they pass every point.</summary>
    public static readonly string[] OnPostgres =
        ["create", "rotate", "import", "delete organization", "drain wallet", "set quota", "create webhook", "revoke, told",
            "create operator link", "create team", "remove member"];
}
