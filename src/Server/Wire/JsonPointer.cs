using System.Text;

namespace Tollgate.Server.Wire;

/// <summary>RFC 6901 pointers, by which a problem names the member at fault.</summary>
internal static class JsonPointer
{
    /// <summary>Shorter than any key: a key sent as a member's name must not come back whole.</summary>
    private const int QuotedMax = 32;

    public static string Of(string member) => "/" + Escape(member);

    /// <summary>A stranger's member name goes back to the stranger, but not at any length.</summary>
    public static string Short(string member) => member.Length <= QuotedMax ? member : member[..QuotedMax] + "…";

    /// <summary>The steps of the serializer's own path, such as <c>$.scopes[2]</c> or <c>$['a b'].c</c>.</summary>
    public static IReadOnlyList<string> Steps(string? path)
    {
        var steps = new List<string>();
        var at = 1;
        while (path is not null && at < path.Length)
        {
            var (start, end, next) = path[at] switch
            {
                '.' => (at + 1, EndOfName(path, at + 1), EndOfName(path, at + 1)),
                _ when path.AsSpan(at).StartsWith("['") => (at + 2, EndOfQuote(path, at + 2), EndOfQuote(path, at + 2) + 2),
                _ => (at + 1, EndOf(path, ']', at + 1), EndOf(path, ']', at + 1) + 1),
            };
            steps.Add(path[start..end]);
            at = next;
        }

        return steps;
    }

    public static string Of(IEnumerable<string> steps)
    {
        var pointer = new StringBuilder();
        foreach (var step in steps)
        {
            pointer.Append('/').Append(Escape(step));
        }

        return pointer.ToString();
    }

    private static string Escape(string step) =>
        step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static int EndOfName(string path, int from) =>
        path.AsSpan(from).IndexOfAny('.', '[') is var length and >= 0 ? from + length : path.Length;

    private static int EndOfQuote(string path, int from) =>
        path.IndexOf("']", from, StringComparison.Ordinal) is var end and >= 0 ? end : path.Length - 2;

    private static int EndOf(string path, char mark, int from) => path.IndexOf(mark, from) is var end and >= 0 ? end : path.Length - 1;
}
