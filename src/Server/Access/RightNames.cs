using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Access;

/// <summary>The names of the management rights, as the API and the database write them.</summary>
internal static class RightNames
{
    private static readonly (string Name, Rights Right)[] Rows =
    [
        ("verify", Rights.Verify),
        ("usage:write", Rights.UsageWrite),
        ("usage:read", Rights.UsageRead),
        ("keys:read", Rights.KeysRead),
        ("keys:manage", Rights.KeysManage),
        ("audit:read", Rights.AuditRead),
        ("webhooks:manage", Rights.WebhooksManage),
    ];

    public static IEnumerable<string> All => Rows.Select(row => row.Name);

    /// <summary>The flags of the names; an unknown name, which can only come from a newer database, grants nothing.</summary>
    public static Rights Parse(IReadOnlyList<string> names) =>
        Rows.Where(row => names.Contains(row.Name, StringComparer.Ordinal)).Aggregate(Rights.None, (sum, row) => sum | row.Right);

    public static IReadOnlyList<string> Of(Rights rights) => [.. Rows.Where(row => rights.HasFlag(row.Right)).Select(row => row.Name)];

    public static bool IsKnown(string name) => Rows.Any(row => row.Name == name);
}
