using System.Text;

namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// Where a request goes: the path of the upstream's URL joined with the request's path. The longest tail of the former, in whole segments,
/// with which the latter begins is not said twice: <c>http://h/openai/v1</c> and <c>/v1/models</c> make <c>/openai/v1/models</c>.
/// </summary>
internal sealed class UpstreamTarget(Uri url)
{
    // What came goes on as it came: a URI library that mends an escape or a dot would ask for another path than the gate has judged.
    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly string _origin = url.GetLeftPart(UriPartial.Authority);
    private readonly string _prefix = url.AbsolutePath.TrimEnd('/');

    /// <param name="path">In its canonical form.</param>
    /// <param name="query">With its question mark; empty for none.</param>
    public Uri Of(string path, string query) => At(_prefix.AsSpan(0, Kept(path)), path, query);

    /// <summary>A path from the root of the host.</summary>
    public Uri FromRoot(string path) => At("", path, "");

    private Uri At(ReadOnlySpan<char> prefix, string path, string query)
    {
        var target = string.Concat(prefix, path, query);
        return new Uri(_origin + (IsPlain(target) ? target : Escaped(target)), AsItIs);
    }

    /// <summary>How much of the prefix stands before the request's path.</summary>
    private int Kept(string path)
    {
        for (var slash = _prefix.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = _prefix.IndexOf('/', slash + 1))
        {
            var tail = _prefix.AsSpan(slash);
            if (path.AsSpan().StartsWith(tail, StringComparison.Ordinal) && (path.Length == tail.Length || path[tail.Length] == '/'))
            {
                return slash;
            }
        }

        return _prefix.Length;
    }

    private static bool IsPlain(string target) => !target.AsSpan().ContainsAnyExceptInRange('!', '~');

    // A space or a line break would end the request line, and other scripts have no other form on the wire. Kestrel lets none through.
    private static string Escaped(string target)
    {
        var text = new StringBuilder(target.Length + 32);
        foreach (var b in Encoding.UTF8.GetBytes(target))
        {
            _ = b is >= (byte)'!' and <= (byte)'~' ? text.Append((char)b) : text.Append('%').Append(b.ToString("X2", null));
        }

        return text.ToString();
    }
}
