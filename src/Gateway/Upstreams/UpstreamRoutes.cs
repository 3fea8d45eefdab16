using Tollgate.Engine.Permissions;

namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// The paths an upstream serves, as patterns of a provider file. Unlike there, none is more specific than another, and <c>**</c> takes
/// encoded slashes too: who may call what has been judged before, here it is only where it goes.
/// </summary>
internal sealed class UpstreamRoutes(IReadOnlyList<string> patterns)
{
    private readonly RoutePattern[] _patterns = [.. patterns.Select(Read)];

    /// <summary>None stand for every path.</summary>
    public bool Take(string path)
    {
        foreach (var pattern in _patterns)
        {
            if (Takes(pattern, path))
            {
                return true;
            }
        }

        return _patterns.Length == 0;
    }

    // The options have been read by then: what is no pattern has been refused there.
    private static RoutePattern Read(string text) =>
        RoutePattern.TryParse(text, out var pattern, out var fault) ? pattern : throw new ArgumentException($"{text}: {fault}.");

    private static bool Takes(RoutePattern pattern, string path)
    {
        var rest = path.AsSpan().TrimEnd('/');
        foreach (var segment in pattern.Segments)
        {
            if (rest.IsEmpty)
            {
                return false;
            }

            var length = rest[1..].IndexOf('/') is var end and >= 0 ? end : rest.Length - 1;
            if (segment.Kind == SegmentKind.Literal && !IsLiteral(segment.Literal, rest.Slice(1, length)))
            {
                return false;
            }

            rest = rest[(1 + length)..];
        }

        return rest.IsEmpty || pattern.IsOpen;
    }

    private static bool IsLiteral(string literal, ReadOnlySpan<char> segment) => segment.Contains('%')
        ? Uri.UnescapeDataString(segment.ToString()) == literal
        : segment.SequenceEqual(literal);
}
