using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Upstreams;

/// <summary>Headers that are about one connection and end with it (RFC 9110, 7.6.1), in both directions.</summary>
internal static class HopHeaders
{
    public static readonly FrozenSet<string> Always = new[]
    {
        "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a <c>Connection</c> header names besides; null for nothing, as nearly always.</summary>
    public static HashSet<string>? Named(StringValues connection)
    {
        HashSet<string>? named = null;
        foreach (var line in connection)
        {
            foreach (var name in (line ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (!Always.Contains(name) && !name.Equals("close", StringComparison.OrdinalIgnoreCase))
                {
                    (named ??= new HashSet<string>(StringComparer.OrdinalIgnoreCase)).Add(name);
                }
            }
        }

        return named;
    }
}
