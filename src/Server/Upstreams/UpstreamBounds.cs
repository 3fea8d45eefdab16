using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Upstreams;

/// <summary>What the options of an upstream may be, for the one-line form and for the list alike.</summary>
internal static class UpstreamBounds
{
    public const int UpstreamsMax = 64;
    public const int NameLengthMax = 40;
    public const int ModelsMax = 1_000;
    public const int ModelLengthMax = 256;
    public const int RoutesMax = 100;
    public const int KeyLengthMax = 4_096;
    public const int HealthLengthMax = 512;

    public const string UrlForm = "must be an http or https address such as http://127.0.0.1:9000/v1, without user, query and fragment";

    public static readonly string KeyForm = $"must have 1 to {KeyLengthMax} printable characters without spaces";

    /// <summary>The members that are numbers, with the least and the most of each.</summary>
    public static IReadOnlyDictionary<string, (int Least, int Most)> Numbers { get; } = new Dictionary<string, (int, int)>
    {
        ["connect_seconds"] = (1, 60),
        ["first_byte_seconds"] = (1, 3_600),
        ["idle_seconds"] = (1, 3_600),
        ["concurrency"] = (1, 100_000),
    };

    public static bool TryReadUrl(string text, out Uri url) => Uri.TryCreate(text, UriKind.Absolute, out url!)
        && url is { Scheme: "http" or "https", Host.Length: > 0, UserInfo: "", Query: "", Fragment: "" }
        && !text.AsSpan().ContainsAny("@?#");

    public static bool IsKey(string text) => text.Length is > 0 and <= KeyLengthMax && IsPrintable(text);

    public static bool IsName(string text) => text.Length is > 0 and <= NameLengthMax
        && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-')
        && text != UpstreamPool.BuiltIn;

    /// <summary>A star stands only at the end.</summary>
    public static bool IsModel(string text) => text.Length is > 0 and <= ModelLengthMax && IsPrintable(text)
        && text.IndexOf('*', StringComparison.Ordinal) is var star && (star < 0 || star == text.Length - 1);

    public static bool IsHealthPath(string text) =>
        text.Length is > 0 and <= HealthLengthMax && text[0] == '/' && IsPrintable(text) && !text.Contains('#', StringComparison.Ordinal);

    private static bool IsPrintable(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
