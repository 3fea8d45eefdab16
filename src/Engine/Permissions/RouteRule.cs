namespace Tollgate.Engine.Permissions;

/// <summary>A row of a <see cref="RouteTable"/>: who may call what.</summary>
public sealed record RouteRule(RoutePattern Pattern, Requirement Requirement)
{
    /// <summary>The one method; <see cref="Methods.None"/> for any.</summary>
    public Methods Method { get; init; }

    /// <summary>
    /// Whether the request's method adds its action to what is required: <c>endpoints</c> becomes <c>endpoints:write</c> for a POST.
    /// </summary>
    public bool AddsAction { get; init; }
}

/// <summary>What is wrong with the route at this place of the list, in one sentence.</summary>
public sealed record RouteFault(int Route, string Message);

public enum RouteMatchKind : byte
{
    /// <summary>No route has this path.</summary>
    NotFound,

    /// <summary>A route has this path, but not with this method.</summary>
    MethodNotAllowed,

    Found,
}

/// <summary>A part of the path that was matched, in the units (bytes or characters) in which the path was given.</summary>
public readonly record struct PathRange(int Start, int Length)
{
    /// <summary>Whether the route has no such segment; a segment is never empty.</summary>
    public bool IsAbsent => Length == 0;

    public ReadOnlySpan<T> Of<T>(ReadOnlySpan<T> path) => path.Slice(Start, Length);
}

/// <summary>The answer of a <see cref="RouteTable"/>. <see cref="Route"/> is the place in the list of routes, -1 unless found.</summary>
public readonly record struct RouteMatch(RouteMatchKind Kind, int Route, Requirement Requirement)
{
    /// <summary>The <c>{project}</c> segment: the request is refused unless it is the key's own project.</summary>
    public PathRange Project { get; init; }

    /// <summary>The <c>{organization}</c> segment, likewise.</summary>
    public PathRange Organization { get; init; }

    /// <summary>The <c>{id}</c> or <c>{model}</c> segment, still percent-encoded.</summary>
    public PathRange Id { get; init; }
}
