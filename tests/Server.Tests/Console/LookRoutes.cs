namespace Tollgate.Server.Tests.Console;

/// <summary>Every page that is looked at. Words in capitals are ids of <see cref="LookPlace"/>.</summary>
internal static class LookRoutes
{
    public static string[] Keys { get; } =
    [
        "/console/PROJECT", "/console/PROJECT?days=7", "/console/OWNED", "/console/TEAM/all",
        "/console/PROJECT/keys", "/console/OWNED/keys", "/console/PROJECT/keys?status=expired", "/console/PROJECT/keys/new",
        "/console/PROJECT/keys/KEY", "/console/PROJECT/keys/OFF", "/console/PROJECT/keys/KEY/disable", "/console/PROJECT/keys/OFF/enable",
        "/console/PROJECT/keys/KEY/rotate", "/console/PROJECT/keys/KEY/regenerate", "/console/PROJECT/keys/KEY/reveal",
        "/console/PROJECT/keys/KEY/revoke", "/console/PROJECT/keys/KEY/delete",
        "/console/PROJECT/usage", "/console/PROJECT/usage?by=model", "/console/OWNED/usage",
        "/console/PROJECT/refusals", "/console/PROJECT/refusals?request=REQUEST", "/console/PROJECT/try", "/console/PROJECT/profile",
    ];

    public static string[] Team { get; } =
    [
        "/console/TEAM/team", "/console/TEAM/team/invite", "/console/TEAM/team/name", "/console/TEAM/team/new",
        "/console/TEAM/team/delete", "/console/TEAM/team/transfer", "/console/TEAM/team/members/MEMBER",
        "/console/TEAM/team/members/MEMBER/remove",
        "/console/TEAM/projects", "/console/TEAM/projects/new", "/console/PROJECT/project", "/console/PROJECT/project/name",
        "/console/PROJECT/project/delete", "/console/PROJECT/project/members/add", "/console/PROJECT/project/members/OTHER",
        "/console/PROJECT/project/members/OTHER/remove",
    ];

    public static string[] Money { get; } =
    [
        "/console/TEAM/wallet", "/console/PROJECT/wallet", "/console/TEAM/audit", "/console/PROJECT/audit",
        "/console/PROJECT/webhooks", "/console/OWNED/webhooks", "/console/PROJECT/webhooks/new", "/console/PROJECT/webhooks/HOOK",
        "/console/PROJECT/webhooks/HOOK/deliveries/DELIVERY", "/console/PROJECT/webhooks/HOOK/change",
        "/console/PROJECT/webhooks/HOOK/replay", "/console/PROJECT/webhooks/HOOK/disable", "/console/PROJECT/webhooks/RESTING/enable",
        "/console/PROJECT/webhooks/HOOK/rotate", "/console/PROJECT/webhooks/HOOK/delete",
    ];

    public static string[] Operator { get; } =
    [
        "/console/operator", "/console/operator/examples", "/console/operator/plans", "/console/operator/customers",
        "/console/operator/customers?search=nobody-is-called-so", "/console/operator/customers/TEAM",
        "/console/operator/customers/TEAM/audit", "/console/operator/customers/TEAM/money", "/console/operator/customers/TEAM/plan",
        "/console/operator/customers/TEAM/suspend", "/console/operator/customers/HELD/reinstate", "/console/operator/projects/PROJECT",
        "/console/operator/keys/KEY", "/console/operator/people", "/console/operator/people/MEMBER",
        "/console/operator/people/MEMBER/suspend", "/console/operator/people/BARRED/reinstate", "/console/operator/people/MEMBER/sessions",
        "/console/operator/people/MEMBER/second-step",
    ];

    public static string[] Own { get; } =
    [
        "/account", "/account?done=passkey", "/account/passkeys/add", "/account/second", "/docs", "/docs/guides/first-request",
        "/docs/errors/rate_limited", "/docs/api/wallets",
    ];

    /// <summary>What is no page: files, and ways to a page.</summary>
    public static string[] NotPages { get; } =
    [
        "/console", "/console/PROJECT/usage.csv", "/console/PROJECT/audit.csv", "/console/TEAM/wallet.csv", "/account/export",
        "/account/again", "/docs.md",
    ];

    public static IEnumerable<string> Pages => [.. Keys, .. Team, .. Money, .. Operator, .. Own];
}
