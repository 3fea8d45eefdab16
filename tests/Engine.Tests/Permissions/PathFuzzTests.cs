using System.Text;
using System.Text.RegularExpressions;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Fixtures;

namespace Tollgate.Engine.Tests.Permissions;

/// <summary>Paths against rules written down once more as patterns of text, and against a matcher that tries every route.</summary>
public sealed partial class PathFuzzTests
{
    private const int PathsPerTable = 100;

    private static readonly string[] Pieces =
    [
        "/", "/", "/", "/", "a", "b", "v1", "models", ".", "..", "...", "//", "\\", ";", "?", "#", "%", "%2", "%2F", "%2f", "%2e", "%2E",
        "%5c", "%5C", "%25", "%252F", "%25252e", "%253B", "%3B", "%3b", "%00",
        "%1f", "%7F", "%20", "%zz", "%C3%A9", "%C3", "%ff", "%61", "é",
        "\U0001F511", "\0", "\u007f", " ", "~", "@:", "..;", "%2F..", "..%2F", "%2F%2F", "%3F", "%23", "+", "=&",
    ];

    private static readonly string[] Segments = ["a", "b", "ab", "c"];
    private static readonly string[] Verbs = ["GET", "POST", "DELETE", "HEAD"];

    [Fact]
    public void A_path_is_canonical_when_the_rules_say_so_and_an_accepted_one_hides_nothing()
    {
        int seed = FuzzSeed.Take();
        var random = new Random(seed);
        var (good, bad) = (0, 0);
        for (var i = 0; i < FuzzSeed.Cases; i++)
        {
            var bytes = RandomTarget(random);
            var slashes = random.Next(2) == 0;
            var expected = Naive(bytes, slashes);
            var actual = PathForm.IsCanonical(bytes, slashes, out var length);
            var where = $"FUZZ_SEED={seed}: {Encoding.Latin1.GetString(bytes)}, encoded slashes {slashes}";
            Assert.True(expected == actual, $"{where}: expected {expected}, was {actual}");
            var query = Array.IndexOf(bytes, (byte)'?');
            Assert.Equal(query < 0 ? bytes.Length : query, length);
            if (TryDecode(bytes) is { } text)
            {
                Assert.True(actual == PathForm.IsCanonical(text, slashes, out _), $"{where}: bytes and characters disagree");
            }

            if (actual)
            {
                HidesNothing(Encoding.UTF8.GetString(bytes.AsSpan(0, length)), slashes, where);
            }

            _ = actual ? good++ : bad++;
        }

        Assert.True(good > FuzzSeed.Cases / 20 && bad > FuzzSeed.Cases / 20, $"FUZZ_SEED={seed}: {good} good and {bad} bad paths");
    }

    [Fact]
    public void Half_a_character_is_in_no_canonical_path()
    {
        Assert.False(PathForm.IsCanonical("/a\uD83D", encodedSlashes: true, out _));
        Assert.False(PathForm.IsCanonical("/\uDD11a", encodedSlashes: true, out _));
    }

    [Fact]
    public void The_table_finds_the_route_that_trying_every_route_finds()
    {
        int seed = FuzzSeed.Take();
        var random = new Random(seed);
        var kinds = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var done = 0; done < FuzzSeed.Cases;)
        {
            var routes = Enumerable.Range(0, random.Next(1, 20)).Select(_ => RandomRoute(random)).Distinct().ToArray();
            var table = RouteTableTests.Build(routes, out var faults);
            for (var i = 0; faults.Count == 0 && i < PathsPerTable; i++, done++)
            {
                var (verb, path) = (random.Pick(Verbs), RandomPath(random));
                Assert.True(PathForm.IsCanonical(path, encodedSlashes: true, out _), path);
                var expected = Naive(routes, verb, path);
                var bytes = Encoding.UTF8.GetBytes(path);
                var (match, same) = (table.Match(verb, path), table.Match(Encoding.UTF8.GetBytes(verb), bytes));
                var where = $"FUZZ_SEED={seed}: {verb} {path} in [{string.Join(", ", routes)}]";
                Assert.True(expected == Told(routes, match, path), $"{where}: {expected}, not {Told(routes, match, path)}");
                Assert.Equal((match.Kind, match.Route), (same.Kind, same.Route));
                kinds[$"{match.Kind}"] = kinds.GetValueOrDefault($"{match.Kind}") + 1;
            }
        }

        Assert.True(kinds.Count == 3 && kinds.Values.All(count => count > FuzzSeed.Cases / 100), string.Join(", ", kinds));
    }

    private static byte[] RandomTarget(Random random)
    {
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(random.Next(20) == 0 ? "" : "/"));
        for (var i = random.Next(1, 8); i > 0; i--)
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(random.Pick(Pieces)));
        }

        if (random.Next(10) == 0 && bytes.Count > 0)
        {
            bytes[random.Next(bytes.Count)] = (byte)random.Next(256);
        }

        if (random.Next(500) == 0)
        {
            bytes.AddRange(Enumerable.Repeat((byte)'x', PathForm.BytesMax - bytes.Count + random.Next(2)));
        }

        return [.. bytes];
    }

    private static bool Naive(byte[] target, bool slashes)
    {
        // Byte for byte, so that the patterns see what is there whatever encoding it is in.
        var path = Encoding.Latin1.GetString(target).Split('?')[0];
        if (!path.StartsWith('/') || path.Length > PathForm.BytesMax || Forbidden().IsMatch(path) || (!slashes && Slash().IsMatch(path)))
        {
            return false;
        }

        var cut = Semicolon().Replace(Slash().Replace(path, "\u0001"), ";");
        return !DotSegment().IsMatch(cut) && !EmptyBesideSlash().IsMatch(cut)
            && TryDecode(Encoding.Latin1.GetBytes(Escape().Replace(path, Decoded))) is not null;
    }

    /// <summary>
    /// However often somebody behind decodes, and wherever they cut: no way up, no second slash, no separator that was not one.
    /// </summary>
    private static void HidesNothing(string path, bool slashes, string where)
    {
        for (var times = 0; times < 4; times++)
        {
            Assert.False(path.Contains('\\', StringComparison.Ordinal) || path.Contains("//", StringComparison.Ordinal), where);
            Assert.All(path.Split('/', ';'), segment => Assert.False(segment is "." or "..", where));
            var next = Escape().Replace(path, Decoded);
            Assert.True(slashes || next.Count(character => character == '/') == path.Count(character => character == '/'), where);
            path = next;
        }
    }

    private static string Decoded(Match escape) => $"{(char)Convert.ToInt32(escape.Value[1..], 16)}";

    private static string? TryDecode(byte[] bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static string RandomRoute(Random random)
    {
        string[] names = ["{}", "{project}", "{model}", "{id}", "{organization}"];
        var segments = Enumerable.Range(0, random.Next(0, 4))
            .Select(place => random.Next(3) == 0 ? names[(place + random.Next(2)) % names.Length] : random.Pick(Segments)).ToList();
        segments =
        [
            .. segments.Select((segment, i) => segment[0] == '{' && segment != "{}" && segments.IndexOf(segment) < i ? "a" : segment),
        ];
        if (random.Next(3) == 0)
        {
            segments.Add("**");
        }

        return (random.Next(2) == 0 ? random.Pick(Verbs) + " " : "") + "/" + string.Join('/', segments);
    }

    private static string RandomPath(Random random)
    {
        var segments = Enumerable.Range(0, random.Next(0, 5)).Select(_ => random.Next(12) switch
        {
            0 => "a%2Fb",
            1 => "%61",
            2 => "%61%62",
            3 => "a%62",
            4 => "A",
            5 => "%C3%A9",
            _ => random.Pick(Segments),
        });
        var path = "/" + string.Join('/', segments);
        return path.Length > 1 && random.Next(5) == 0 ? path + "/" : path;
    }

    private static string Told(string[] routes, RouteMatch match, string path) => match.Kind == RouteMatchKind.Found
        ? $"{routes[match.Route]} project {match.Project.Of(path.AsSpan())} organization {match.Organization.Of(path.AsSpan())} "
            + $"id {match.Id.Of(path.AsSpan())}"
        : $"{match.Kind}";

    private static string Naive(string[] routes, string verb, string path)
    {
        var sent = path.Length > 1 ? path[1..].TrimEnd('/').Split('/') : [];
        var onPath = routes.Where(route => TakesPath(Pattern(route), sent)).ToList();
        var best = onPath.Where(route => Verb(route) == "" || Verb(route) == verb || (verb == "HEAD" && Verb(route) == "GET"))
            .OrderBy(route => string.Concat(Pattern(route).Select(segment => segment == "**" ? '2' : segment[0] == '{' ? '1' : '0')
                .Concat(Pattern(route) is [.., "**"] ? "" : "-")), StringComparer.Ordinal)
            .ThenBy(route => Verb(route) == verb ? 0 : Verb(route) != "" ? 1 : 2)
            .FirstOrDefault();
        if (best is null)
        {
            return onPath.Count > 0 ? "MethodNotAllowed" : "NotFound";
        }

        var pattern = Pattern(best);
        return sent.Where((segment, i) => Slash().IsMatch(segment) && pattern.ElementAtOrDefault(i) != "{model}").Any()
            ? "NotFound"
            : $"{best} project {Named("{project}")} organization {Named("{organization}")} "
                + $"id {(pattern.Contains("{id}") ? Named("{id}") : Named("{model}"))}";

        string Named(string name) => Array.IndexOf(pattern, name) is >= 0 and var place ? sent[place] : "";
    }

    private static bool TakesPath(string[] pattern, string[] sent)
    {
        var open = pattern is [.., "**"];
        var closed = open ? pattern[..^1] : pattern;
        return (open ? sent.Length >= closed.Length : sent.Length == closed.Length)
            && closed.Zip(sent).All(pair => pair.First[0] == '{' || pair.First == Escape().Replace(pair.Second, Decoded));
    }

    private static string Verb(string route) => route.StartsWith('/') ? "" : route[..route.IndexOf(' ', StringComparison.Ordinal)];

    private static string[] Pattern(string route) =>
        route[(route.IndexOf('/', StringComparison.Ordinal) + 1)..] is { Length: > 0 } rest ? rest.Split('/') : [];

    [GeneratedRegex(@"//|[\\#\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})|%(?:[01][0-9A-Fa-f]|7[Ff]|5[Cc]|2[Ee])|%25(?:25)*(?:2[FfEe]|5[Cc]|3[Bb])")]
    private static partial Regex Forbidden();

    [GeneratedRegex("%2[Ff]")]
    private static partial Regex Slash();

    [GeneratedRegex("%3[Bb]")]
    private static partial Regex Semicolon();

    [GeneratedRegex(@"(?<=[/;\u0001])\.\.?(?=[/;\u0001]|\z)")]
    private static partial Regex DotSegment();

    [GeneratedRegex(@"[/;\u0001]\u0001|\u0001(?:[/;]|\z)")]
    private static partial Regex EmptyBesideSlash();

    [GeneratedRegex("%[0-9A-Fa-f]{2}")]
    private static partial Regex Escape();
}
