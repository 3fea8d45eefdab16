using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Tests.Permissions;

/// <summary>The table against a matcher that tries every route and sorts: slow, and obvious.</summary>
public sealed class RouteTablePropertyTests
{
    private static readonly string[] Words = ["a", "b", "ab", "c"];
    private static readonly string[] Verbs = ["GET", "POST", "DELETE", "HEAD"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_table_agrees_with_trying_every_route(int seed)
    {
        var random = new Random(seed);
        var (found, refused) = (0, 0);
        for (var round = 0; round < 250; round++)
        {
            var routes = Enumerable.Range(0, random.Next(1, 25)).Select(_ => RandomRoute(random)).Distinct().ToArray();
            var table = RouteTableTests.Table(routes);
            for (var i = 0; i < 40; i++)
            {
                var (verb, path) = (Pick(random, Verbs), RandomPath(random));
                var expected = Naive(routes, verb, path);
                var match = table.Match(verb, path);
                var actual = match.Kind == RouteMatchKind.Found ? routes[match.Route] : $"{match.Kind}";
                Assert.True(expected == actual, $"seed {seed}: {verb} {path} in [{string.Join(", ", routes)}]: {expected}, not {actual}");
                _ = match.Kind == RouteMatchKind.Found ? found++ : refused++;
            }
        }

        Assert.True(found > 1000 && refused > 1000, $"the rounds found {found} and refused {refused}");
    }

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];

    private static string RandomRoute(Random random)
    {
        var segments = Enumerable.Range(0, random.Next(0, 4)).Select(_ => random.Next(3) == 0 ? "{}" : Pick(random, Words)).ToList();
        if (random.Next(3) == 0)
        {
            segments.Add("**");
        }

        return (random.Next(2) == 0 ? Pick(random, Verbs) + " " : "") + "/" + string.Join('/', segments);
    }

    private static string RandomPath(Random random) =>
        "/" + string.Join('/', Enumerable.Range(0, random.Next(0, 5)).Select(_ => Pick(random, Words)));

    private static string Naive(string[] routes, string verb, string path)
    {
        var onPath = routes.Where(route => TakesPath(Pattern(route), Split(path))).ToList();
        var taken = onPath.Where(route => Verb(route) == "" || Verb(route) == verb || (verb == "HEAD" && Verb(route) == "GET")).ToList();
        var best = taken
            .OrderBy(route => string.Concat(Pattern(route).Select(segment => segment switch { "**" => '2', "{}" => '1', _ => '0' })
                .Concat(Pattern(route) is [.., "**"] ? "" : "-")), StringComparer.Ordinal)
            .ThenBy(route => Verb(route) == verb ? 0 : Verb(route) != "" ? 1 : 2)
            .FirstOrDefault();
        return best ?? (onPath.Count > 0 ? "MethodNotAllowed" : "NotFound");
    }

    private static string Verb(string route) => route.StartsWith('/') ? "" : route[..route.IndexOf(' ', StringComparison.Ordinal)];

    private static string[] Pattern(string route) => Split(route[route.IndexOf('/', StringComparison.Ordinal)..]);

    private static string[] Split(string path) => path == "/" ? [] : path[1..].Split('/');

    private static bool TakesPath(string[] pattern, string[] path)
    {
        var open = pattern is [.., "**"];
        var fixedPart = open ? pattern[..^1] : pattern;
        return (open ? path.Length >= fixedPart.Length : path.Length == fixedPart.Length)
            && fixedPart.Zip(path).All(pair => pair.First == "{}" || pair.First == pair.Second);
    }
}
