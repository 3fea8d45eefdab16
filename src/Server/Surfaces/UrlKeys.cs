using System.Collections.Concurrent;
using System.Text;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// Finds keys in URLs, where logs and browser histories keep them: in the query, or as a segment of the path. Such a request is refused,
/// and a line of the log names the key by its mask, once a key and process, so that its owner can be told to rotate it.
/// </summary>
internal sealed partial class UrlKeys(ProviderModel provider, RootKey root, ILogger<UrlKeys> log)
{
    private const int FlaggedMax = 10_000;

    /// <summary>A key is looked for between these, once the text is unescaped.</summary>
    private const string Separators = "&=;/ ,:+\"'()[]{}<>";

    /// <summary>Masks named already; bounded, so that a stranger cannot fill the memory.</summary>
    private readonly ConcurrentDictionary<string, bool> _flagged = new(StringComparer.Ordinal);

    private readonly int _lengthMin = Math.Min(provider.Keys.Format.LengthMin, RootKey.LengthMin);

    /// <summary>What is told then.</summary>
    public static Problem Refusal => new(
        ProblemCode.KeyInQuery, "An API key was sent in the URL, where logs keep it. Send it as Authorization: Bearer, and rotate it.");

    /// <summary>In the URL of this request.</summary>
    public bool Found(HttpContext http, string path) => Found(http, path, http.Request.QueryString.Value.AsSpan().TrimStart('?'));

    /// <summary>In a URL that this request tells of.</summary>
    public bool Found(HttpContext http, ReadOnlySpan<char> path, ReadOnlySpan<char> query) =>
        (path.Length > _lengthMin && HasKey(http, path)) || (query.Length >= _lengthMin && HasKey(http, query));

    private bool HasKey(HttpContext http, ReadOnlySpan<char> text)
    {
        var plain = text.Contains('%') ? Uri.UnescapeDataString(text) : text;
        foreach (var part in plain.SplitAny(Separators))
        {
            var word = plain[part];
            if (word.Length >= _lengthMin && MaskOf(word) is { } mask)
            {
                Flag(mask, http);
                return true;
            }
        }

        return false;
    }

    /// <summary>What may be written of it when it is a key; else null.</summary>
    private string? MaskOf(ReadOnlySpan<char> word)
    {
        Span<byte> bytes = stackalloc byte[Credential.SecretBytesMax];
        if (word.Length > bytes.Length || !Ascii.IsValid(word))
        {
            return null;
        }

        var secret = bytes[..Encoding.ASCII.GetBytes(word, bytes)];
        return word.StartsWith(RootKey.Prefix, StringComparison.Ordinal) || root.Matches(secret) ? "the root key"
            : provider.Keys.Format.TryParse(secret, out _) || HasLength(word) ? provider.Keys.Format.Mask(word.ToString())
            : null;
    }

    /// <summary>A key with a slip in it is a key nearly told: the prefix and the length are enough here.</summary>
    private bool HasLength(ReadOnlySpan<char> word)
    {
        foreach (var environment in provider.Keys.Environments)
        {
            if (word.Length == environment.Prefix.Length + provider.Keys.Length
                && word.StartsWith(environment.Prefix, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private void Flag(string mask, HttpContext http)
    {
        if (_flagged.Count < FlaggedMax && _flagged.TryAdd(mask, true))
        {
            LogKeyInUrl(mask, http.TraceIdentifier);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A key was sent in a URL and refused; it should be rotated: {Mask} ({RequestId})")]
    private partial void LogKeyInUrl(string mask, string requestId);
}
