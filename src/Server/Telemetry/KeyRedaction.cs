using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Tollgate.Engine.Keys;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// Takes out of a text whatever looks like a key: a prefix of the provider's keys or of the root key with enough behind it, and the
/// operator's own secrets letter by letter. Plain, percent-encoded or with JSON escapes; whole, cut short or with a slip in it. What is
/// left of a well-formed key is its mask, of anything else its prefix.
/// </summary>
/// <param name="rules">How keys look.</param>
/// <param name="secrets">Texts that are secret as they stand, such as the operator's own choice of root key.</param>
/// <param name="isRootKey">Knows the root key where its text is not known; is asked about long words only.</param>
internal sealed partial class KeyRedaction(KeyTexts rules, IEnumerable<string?> secrets, Predicate<string>? isRootKey = null)
{
    public const string Mark = "[redacted]";

    /// <summary>So much behind a prefix is taken for a key or a part of one.</summary>
    private const int TailCharsMin = 16;

    /// <summary>An encoded text may have been encoded again by who quoted it.</summary>
    private const int DecodingsMax = 3;

    private const int SecretCharsMin = 8;

    /// <summary>Where a word ends that might be a root key without a known prefix.</summary>
    private const string WordEnds = " \t\r\n&=;/,:+\"'()[]{}<>";

    private const string LettersAndDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create(LettersAndDigits + "_-");
    private static readonly SearchValues<char> Base62Characters = SearchValues.Create(LettersAndDigits);

    /// <summary>All that a foreign key may hold.</summary>
    private static readonly SearchValues<char> HeaderCharacters = SearchValues.Create(LettersAndDigits + "-._~+/=");

    /// <summary>What the names of things are written with; a tail of these alone was not drawn by lot.</summary>
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz_-./");

    private static readonly SearchValues<char> Escapes = SearchValues.Create("%\\");

    private readonly SearchValues<string> _prefixes = SearchValues.Create([.. rules.Prefixes], StringComparison.OrdinalIgnoreCase);
    private readonly string[] _longestFirst = [.. rules.Prefixes.OrderByDescending(prefix => prefix.Length)];

    private readonly string[] _secrets =
    [
        .. secrets.OfType<string>().Where(secret => secret.Length >= SecretCharsMin).Distinct()
            .OrderByDescending(secret => secret.Length),
    ];

    private long _count;

    /// <summary>How many keys have been taken out so far: where it rises, somebody writes keys to the log.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>The text without keys; the very same where there are none.</summary>
    public string Of(string text)
    {
        if (text.Length < SecretCharsMin)
        {
            return text;
        }

        var plain = Plain(text);
        return plain.AsSpan().ContainsAny(Escapes) ? Encoded(plain) : plain;
    }

    private string Plain(string text)
    {
        foreach (var secret in _secrets)
        {
            if (text.Contains(secret, StringComparison.Ordinal))
            {
                text = text.Replace(secret, Mark, StringComparison.Ordinal);
                Interlocked.Increment(ref _count);
            }
        }

        text = Prefixed(text);
        return rules.BareLength > 0 || isRootKey is not null ? Bare(text) : text;
    }

    private string Prefixed(string text)
    {
        StringBuilder? output = null;
        var done = 0;
        for (var from = 0; from < text.Length;)
        {
            var found = text.AsSpan(from).IndexOfAny(_prefixes);
            if (found < 0)
            {
                break;
            }

            var start = from + found;
            var prefix = PrefixAt(text, start);
            var length = prefix.Length + TailOf(text.AsSpan(start + prefix.Length), rules.LengthOfForeign(prefix));
            if (length == prefix.Length)
            {
                from = start + 1;
                continue;
            }

            output ??= new StringBuilder(text.Length);
            output.Append(text, done, start - done).Append(LeftOf(text.Substring(start, length), prefix));
            from = done = start + length;
        }

        return output is null ? text : output.Append(text, done, text.Length - done).ToString();
    }

    private string PrefixAt(string text, int start) => _longestFirst.First(
        prefix => text.AsSpan(start).StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// How much behind a prefix belongs to a key; 0 when it is none. A name such as http_requests_received looks like a short prefix with
    /// a tail: what has neither a digit nor a capital in so many characters was not drawn by lot.
    /// </summary>
    private static int TailOf(ReadOnlySpan<char> rest, int foreignLength)
    {
        var tail = rest.IndexOfAnyExcept(KeyCharacters) is var end and >= 0 ? end : rest.Length;
        if (foreignLength > 0)
        {
            var wide = rest.IndexOfAnyExcept(HeaderCharacters) is var other and >= 0 ? other : rest.Length;
            tail = Math.Max(tail, Math.Min(wide, foreignLength));
        }

        return tail >= TailCharsMin && rest[..tail].ContainsAnyExcept(NameCharacters) ? tail : 0;
    }

    private string LeftOf(string key, string prefix)
    {
        Interlocked.Increment(ref _count);
        return rules.IsWellFormed(key) ? rules.MaskOf(key) : prefix + Mark;
    }

    /// <summary>Keys without a prefix, by their length, and words that the root key's hash agrees with.</summary>
    private string Bare(string text)
    {
        StringBuilder? output = null;
        var done = 0;
        foreach (var range in text.AsSpan().SplitAny(WordEnds))
        {
            var (start, length) = range.GetOffsetAndLength(text.Length);
            if (length >= Math.Min(KeyTexts.RootKeyCharsMin, rules.BareLength > 0 ? rules.BareLength : int.MaxValue)
                && IsBareKey(text.Substring(start, length)))
            {
                output ??= new StringBuilder(text.Length);
                output.Append(text, done, start - done).Append(Mark);
                done = start + length;
                Interlocked.Increment(ref _count);
            }
        }

        return output is null ? text : output.Append(text, done, text.Length - done).ToString();
    }

    private bool IsBareKey(string word) =>
        (rules.BareLength > 0 && LongestRun(word) >= rules.BareLength)
        || (isRootKey is not null && word.Length is >= KeyTexts.RootKeyCharsMin and <= KeyTexts.RootKeyCharsMax
            && (isRootKey(word) || isRootKey(word.TrimEnd('.', '!', '?'))));

    private static int LongestRun(ReadOnlySpan<char> word)
    {
        var longest = 0;
        while (!word.IsEmpty)
        {
            var run = word.IndexOfAnyExcept(Base62Characters) is var end and >= 0 ? end : word.Length;
            longest = Math.Max(longest, run);
            word = word[Math.Min(word.Length, run + 1)..];
        }

        return longest;
    }

    /// <summary>Words with escapes in them are read as what they stand for; one that holds a key is replaced by what that leaves.</summary>
    private string Encoded(string text)
    {
        StringBuilder? output = null;
        var done = 0;
        foreach (var range in text.AsSpan().SplitAny(" \t\r\n"))
        {
            var (start, length) = range.GetOffsetAndLength(text.Length);
            var word = text.AsSpan(start, length);
            if (length >= TailCharsMin && word.ContainsAny(Escapes) && Decoded(word.ToString()) is { } left)
            {
                output ??= new StringBuilder(text.Length);
                output.Append(text, done, start - done).Append(left);
                done = start + length;
            }
        }

        return output is null ? text : output.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>The word decoded and without its key; null when none is in it.</summary>
    private string? Decoded(string word)
    {
        for (var i = 0; i < DecodingsMax && word.AsSpan().ContainsAny(Escapes); i++)
        {
            word = JsonEscape().Replace(Uri.UnescapeDataString(word), Unescaped);
            var plain = Plain(word);
            if (!ReferenceEquals(plain, word))
            {
                return plain;
            }
        }

        return null;
    }

    private static string Unescaped(Match escape) => escape.Value.Length == 2
        ? "/"
        : ((char)int.Parse(escape.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString();

    [GeneratedRegex(@"\\u[0-9a-fA-F]{4}|\\/")]
    private static partial Regex JsonEscape();
}

/// <summary>How the keys of a gate look, its provider's and the root key.</summary>
/// <param name="format">The provider's keys.</param>
/// <param name="foreign">Shapes of keys from elsewhere.</param>
/// <param name="length">Characters of the provider's own keys behind the prefix.</param>
/// <param name="rootPrefix">How a root key begins that the gate made.</param>
internal sealed class KeyTexts(KeyFormat format, IReadOnlyList<ForeignFormat> foreign, int length, string rootPrefix)
{
    public const int RootKeyCharsMin = 32;
    public const int RootKeyCharsMax = 256;

    public IReadOnlyList<string> Prefixes { get; } =
    [
        .. format.Environments.Select(environment => environment.Prefix).Concat(foreign.Select(shape => shape.Prefix)).Append(rootPrefix)
            .Where(prefix => prefix.Length > 0).Distinct(),
    ];

    /// <summary>Characters of the shortest keys that have no prefix; 0 where every key has one.</summary>
    public int BareLength { get; } =
        format.Environments.Where(environment => environment.Prefix.Length == 0).Select(_ => length)
            .Concat(foreign.Where(shape => shape.Prefix.Length == 0).Select(shape => shape.Length)).DefaultIfEmpty(0).Min();

    /// <summary>Characters behind the prefix of a foreign shape, the longest; 0 where no foreign shape has it.</summary>
    public int LengthOfForeign(string prefix) =>
        foreign.Where(shape => shape.Prefix == prefix).Select(shape => shape.Length).DefaultIfEmpty(0).Max();

    public bool IsWellFormed(string key) => Ascii.IsValid(key) && format.TryParse(Encoding.ASCII.GetBytes(key), out _);

    public string MaskOf(string key) => format.Mask(key);
}
