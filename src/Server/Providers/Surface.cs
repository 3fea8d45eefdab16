using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers;

/// <summary>
/// The places at which the provider's own API answers for keys: who-am-I and key management, under its paths, member names
/// and bodies. They are asked before the routes, so <c>/v2/auth/verify</c> is answered here even where <c>/v2/**</c> is a route.
/// </summary>
internal sealed class Surface
{
    private readonly RouteTable _table;

    public Surface(IReadOnlyList<SurfaceRoute> routes, RouteTable table, BodyTemplate? keyView) =>
        (Routes, _table, KeyView) = (routes, table, keyView);

    public IReadOnlyList<SurfaceRoute> Routes { get; }

    /// <summary>How a key reads in a list.</summary>
    public BodyTemplate? KeyView { get; }

    /// <summary>
    /// Takes a canonical path. <paramref name="route"/> is set when found, and <paramref name="id"/> when its path has one.
    /// </summary>
    public RouteMatchKind Match(ReadOnlySpan<char> method, ReadOnlySpan<char> path, out SurfaceRoute? route, out string? id)
    {
        var match = _table.Match(method, path);
        route = match.Route < 0 ? null : Routes[match.Route];
        id = match.Id.IsAbsent ? null : match.Id.Of(path).ToString();
        return match.Kind;
    }

    /// <summary>The fields that customers may set when they ask for a key.</summary>
    public static IReadOnlyList<string> CreateFields { get; } =
    [
        "name", "permissions", "scopes", "type", "expires_at", "description", "environment", "allowed_addresses", "metadata",
    ];

    /// <summary>The fields that customers may set when they rotate one.</summary>
    public static IReadOnlyList<string> RotateFields { get; } = ["grace_seconds"];
}

/// <summary>One of those places.</summary>
internal sealed record SurfaceRoute
{
    public required Methods Method { get; init; }

    public required RoutePattern Pattern { get; init; }

    public required SurfaceOperation Operation { get; init; }

    public required SurfaceNeeds Needs { get; init; }

    /// <summary>Member of the request's body → field it sets. Any other member is refused.</summary>
    public required IReadOnlyDictionary<string, string> Accepts { get; init; }

    public required int Status { get; init; }

    /// <summary>Null for an answer without a body.</summary>
    public BodyTemplate? Answers { get; init; }
}

internal enum SurfaceOperation
{
    Whoami,
    Create,
    List,
    Get,
    Revoke,
    Rotate,
    Regenerate,
    Delete,
    Disable,
    Enable,
}

internal enum SurfaceNeeds
{
    AnyKey,
    ManageKeys,
    ManageKeysOrSelf,
}
