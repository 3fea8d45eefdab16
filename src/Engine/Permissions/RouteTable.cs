using System.Numerics;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Permissions;

/// <summary>
/// Finds the route of a request: of all routes that take its method and path the most specific, comparing segments from the
/// left, literal before <c>{}</c> before <c>**</c>; on the same path a route with a method before one without. A path that
/// no route names is refused by the caller. Immutable; a match allocates nothing and visits each node at most once.
/// </summary>
public sealed class RouteTable
{
    public const int RoutesMax = 1000;

    private static readonly int MethodCount = MethodNames.All.Count;

    private readonly Node _root;
    private readonly Requirement[] _requirements;

    private RouteTable(IReadOnlyList<RouteRule> routes, Node root, Requirement[] requirements) =>
        (Routes, _root, _requirements) = (routes, root, requirements);

    public IReadOnlyList<RouteRule> Routes { get; }

    /// <summary>
    /// Builds the table; <paramref name="faults"/> names every route that is a duplicate of another or ambiguous with it.
    /// </summary>
    public static bool TryBuild(
        IReadOnlyList<RouteRule> routes, ScopeCatalogue catalogue, out RouteTable table, out IReadOnlyList<RouteFault> faults)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(catalogue);
        var (root, found) = (new Node(), new List<RouteFault>());
        if (routes.Count > RoutesMax)
        {
            found.Add(new RouteFault(RoutesMax, $"a provider has at most {RoutesMax} routes"));
        }

        for (var i = 0; i < Math.Min(routes.Count, RoutesMax); i++)
        {
            Add(root, routes, i, found);
        }

        table = new RouteTable([.. routes], root, RequirementsOf(routes, catalogue));
        root.Settle((route, method) => TakesMethod(routes[route], method, catalogue));
        faults = found;
        return found.Count == 0;
    }

    /// <summary>
    /// Takes a path that <see cref="PathForm"/> found canonical, without its query. Escapes are compared decoded; one trailing slash is
    /// ignored.
    /// </summary>
    public RouteMatch Match(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path) => Match(MethodNames.Parse(method), path);

    /// <inheritdoc cref="Match(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public RouteMatch Match(ReadOnlySpan<char> method, ReadOnlySpan<char> path) =>
        Match(MethodNames.Parse(method), MemoryMarshal.Cast<char, ushort>(path));

    private RouteMatch Match<T>(Methods method, ReadOnlySpan<T> path)
        where T : unmanaged, IBinaryInteger<T>
    {
        var search = new Search(method == Methods.None ? -1 : BitOperations.TrailingZeroCount((byte)method));
        if (path.Length == 0 || Value(path[0]) != '/' || !Find(_root, path, 0, ref search))
        {
            return new RouteMatch(search.PathKnown ? RouteMatchKind.MethodNotAllowed : RouteMatchKind.NotFound, -1, default);
        }

        var route = Routes[search.Route];
        if (!SlashesAreInModel(route.Pattern, path))
        {
            return new RouteMatch(RouteMatchKind.NotFound, -1, default);
        }

        var id = route.Pattern.PlaceOf(SegmentKind.Id);
        return new RouteMatch(RouteMatchKind.Found, search.Route, _requirements[(search.Route * MethodCount) + search.Method])
        {
            Project = SegmentAt(path, route.Pattern.PlaceOf(SegmentKind.Project)),
            Organization = SegmentAt(path, route.Pattern.PlaceOf(SegmentKind.Organization)),
            Id = SegmentAt(path, id >= 0 ? id : route.Pattern.PlaceOf(SegmentKind.Model)),
        };
    }

    // Depth first, the most specific child first, so the first route found is the most specific one.
    private static bool Find<T>(Node node, ReadOnlySpan<T> path, int slash, ref Search search)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (slash >= path.Length - 1)
        {
            return search.Take(node.Exact) || search.Take(node.Rest);
        }

        var end = NextSlash(path, slash + 1);
        var segment = path[(slash + 1)..end];
        if (LiteralChild(node, segment) is { } literal && Find(literal, path, end, ref search))
        {
            return true;
        }

        return (node.Wildcard is { } wildcard && Find(wildcard, path, end, ref search)) || search.Take(node.Rest);
    }

    private static int NextSlash<T>(ReadOnlySpan<T> path, int from)
        where T : unmanaged, IBinaryInteger<T>
    {
        var length = path[from..].IndexOf(T.CreateTruncating('/'));
        return length < 0 ? path.Length : from + length;
    }

    // Binary search; a segment with escapes, which is rare, is compared decoded with each.
    private static Node? LiteralChild<T>(Node node, ReadOnlySpan<T> segment)
        where T : unmanaged, IBinaryInteger<T>
    {
        var literals = node.Literals;
        if (segment.Contains(T.CreateTruncating('%')))
        {
            foreach (var child in literals)
            {
                if (IsLiteral(segment, child.Literal))
                {
                    return child.Node;
                }
            }

            return null;
        }

        var (low, high) = (0, literals.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = Compare(segment, literals[middle].Literal);
            if (order == 0)
            {
                return literals[middle].Node;
            }

            (low, high) = order > 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }

    private static int Compare<T>(ReadOnlySpan<T> segment, string literal)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (var i = 0; i < segment.Length && i < literal.Length; i++)
        {
            if (Value(segment[i]) != literal[i])
            {
                return Value(segment[i]) - literal[i];
            }
        }

        return segment.Length - literal.Length;
    }

    private static bool IsLiteral<T>(ReadOnlySpan<T> segment, string literal)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (segment.Length < literal.Length)
        {
            return false;
        }

        var at = 0;
        foreach (var expected in literal)
        {
            if (at >= segment.Length)
            {
                return false;
            }

            var c = Value(segment[at]);
            if (c == '%' && at + 2 < segment.Length && PathForm.TryHex(Value(segment[at + 1]), Value(segment[at + 2]), out var decoded))
            {
                (c, at) = (decoded, at + 2);
            }

            if (c != expected)
            {
                return false;
            }

            at++;
        }

        return at == segment.Length;
    }

    private static bool SlashesAreInModel<T>(RoutePattern pattern, ReadOnlySpan<T> path)
        where T : unmanaged, IBinaryInteger<T>
    {
        var first = path.IndexOf(T.CreateTruncating('%'));
        if (first < 0)
        {
            return true;
        }

        var model = default(PathRange?);
        for (var i = first; i + 2 < path.Length; i++)
        {
            if (Value(path[i]) == '%' && Value(path[i + 1]) == '2' && (Value(path[i + 2]) | 0x20) == 'f')
            {
                model ??= SegmentAt(path, pattern.PlaceOf(SegmentKind.Model));
                if (i < model.Value.Start || i >= model.Value.Start + model.Value.Length)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static PathRange SegmentAt<T>(ReadOnlySpan<T> path, int place)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (place < 0)
        {
            return default;
        }

        var start = 1;
        for (; place > 0; place--)
        {
            start = NextSlash(path, start) + 1;
        }

        return new PathRange(start, NextSlash(path, start) - start);
    }

    private static int Value<T>(T c)
        where T : unmanaged, IBinaryInteger<T> => int.CreateTruncating(c);

    private static void Add(Node root, IReadOnlyList<RouteRule> routes, int index, List<RouteFault> faults)
    {
        var route = routes[index];
        var node = root;
        foreach (var segment in route.Pattern.Segments)
        {
            if (segment.Kind == SegmentKind.Literal)
            {
                node = node.LiteralChild(segment.Literal);
                continue;
            }

            node.Wildcard ??= new Node { Kind = segment.Kind, FirstRoute = index };
            if (node.Wildcard.Kind != segment.Kind)
            {
                // Left standing, the one without {project} would let a key out of its project on the paths both take.
                faults.Add(new RouteFault(index, $"names a segment differently than {routes[node.Wildcard.FirstRoute].Pattern.Text} does"));
                return;
            }

            node = node.Wildcard;
        }

        var row = route.Pattern.IsOpen ? node.Rest ??= new MethodRow() : node.Exact ??= new MethodRow();
        if (row.Add(route.Method, index) is { } other)
        {
            faults.Add(new RouteFault(index, $"is the same as {routes[other].Pattern.Text} before it"));
        }
    }

    private static Requirement[] RequirementsOf(IReadOnlyList<RouteRule> routes, ScopeCatalogue catalogue)
    {
        var requirements = new Requirement[routes.Count * MethodCount];
        for (var i = 0; i < requirements.Length; i++)
        {
            var route = routes[i / MethodCount];
            var action = route.AddsAction ? catalogue.ActionOf((Methods)(1 << (i % MethodCount))) : (byte)0;
            requirements[i] = route.Requirement with { Actions = (byte)(route.Requirement.Actions | action) };
        }

        return requirements;
    }

    // A method that no action names cannot be judged by a route that asks for one: it is not allowed there.
    private static bool TakesMethod(RouteRule route, int method, ScopeCatalogue catalogue) =>
        !route.AddsAction || catalogue.Actions.Count == 0 || catalogue.ActionOf((Methods)(1 << method)) != 0;

    private ref struct Search(int method)
    {
        public readonly int Method = method;
        public int Route = -1;
        public bool PathKnown;

        public bool Take(MethodRow? row)
        {
            if (row is null)
            {
                return false;
            }

            PathKnown = true;
            Route = Method < 0 ? -1 : row.Settled[Method];
            return Route >= 0;
        }
    }

    private sealed class Node
    {
        public List<(string Literal, Node Node)> Literals { get; } = [];

        public SegmentKind Kind { get; init; }

        public int FirstRoute { get; init; }

        public Node? Wildcard { get; set; }

        public MethodRow? Exact { get; set; }

        public MethodRow? Rest { get; set; }

        public Node LiteralChild(string literal)
        {
            foreach (var child in Literals)
            {
                if (child.Literal == literal)
                {
                    return child.Node;
                }
            }

            var node = new Node();
            Literals.Add((literal, node));
            return node;
        }

        public void Settle(Func<int, int, bool> takesMethod)
        {
            Literals.Sort((a, b) => string.CompareOrdinal(a.Literal, b.Literal));
            Exact?.Settle(takesMethod);
            Rest?.Settle(takesMethod);
            Wildcard?.Settle(takesMethod);
            foreach (var (_, child) in Literals)
            {
                child.Settle(takesMethod);
            }
        }
    }

    // The routes of one path, by method. HEAD is taken by a GET route unless it has one of its own.
    private sealed class MethodRow
    {
        private readonly int[] _byMethod = [-1, -1, -1, -1, -1, -1, -1];
        private int _any = -1;

        public int[] Settled { get; private set; } = [];

        public int? Add(Methods method, int route)
        {
            ref var place = ref method == Methods.None ? ref _any : ref _byMethod[BitOperations.TrailingZeroCount((byte)method)];
            if (place >= 0)
            {
                return place;
            }

            place = route;
            return null;
        }

        public void Settle(Func<int, int, bool> takesMethod)
        {
            Settled = new int[MethodCount];
            for (var method = 0; method < MethodCount; method++)
            {
                var route = _byMethod[method] >= 0 ? _byMethod[method] : method == 1 && _byMethod[0] >= 0 ? _byMethod[0] : _any;
                Settled[method] = route >= 0 && takesMethod(route, method) ? route : -1;
            }
        }
    }
}
