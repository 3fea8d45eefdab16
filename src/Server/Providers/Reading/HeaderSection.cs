using System.Text.RegularExpressions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads headers that answers carry: <c>headers.rate_limit</c>, and those of an error.</summary>
internal static partial class HeaderSection
{
    public const int HeadersMax = 16;
    private const int NameCharsMax = 64;
    private const int TextCharsMax = 200;

    /// <summary>What HTTP and the gate itself say; a prefix ends in a dash.</summary>
    private static readonly string[] Reserved =
    [
        "accept-", "access-control-", "age", "allow", "alt-svc", "authorization", "cache-control", "connection", "content-", "cookie",
        "date", "etag", "expires", "host", "keep-alive", "last-modified", "link", "location", "proxy-", "ratelimit", "ratelimit-policy",
        "refresh", "retry-after", "sec-", "server", "set-cookie", "strict-transport-security", "te", "trailer", "transfer-encoding",
        "upgrade", "vary", "via", "www-authenticate", "x-frame-options", "x-tollgate-",
    ];

    public static Dictionary<string, RateValue> Values { get; } = new()
    {
        ["limit"] = RateValue.Limit,
        ["remaining"] = RateValue.Remaining,
        ["reset_unix"] = RateValue.ResetUnix,
        ["reset_seconds"] = RateValue.ResetSeconds,
        ["reset_duration"] = RateValue.ResetDuration,
        ["window_seconds"] = RateValue.WindowSeconds,
        ["name"] = RateValue.Name,
    };

    public static RateHeaders Read(YamlNode? node, LimitSection limits, ErrorList errors)
    {
        var fields = FieldReader.Of(node, Vocabulary.Headers, errors);
        var headers = ReadNames(fields["rate_limit"], "rate_limit", errors)
            .Select(header => new RateHeader(header.Name.Text, PartsOf(header.Value, limits, errors)));
        return new RateHeaders(limits.Limits, [.. headers]);
    }

    /// <summary>Headers whose text never varies.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> ReadFixed(YamlNode? node, ErrorList errors) =>
    [
        .. ReadNames(node, "headers", errors)
            .Select(header => KeyValuePair.Create(header.Name.Text, TextOf(header.Value, header.Name.Text, TextCharsMax, errors))),
    ];

    private static List<YamlField> ReadNames(YamlNode? node, string what, ErrorList errors)
    {
        if (node is null || !FieldReader.IsMap(node, what, errors))
        {
            return [];
        }

        if (node.Fields.Count > HeadersMax)
        {
            errors.Report(node, $"{what} has at most {HeadersMax} headers, not {node.Fields.Count}");
        }

        var (good, taken) = (new List<YamlField>(), new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        foreach (var field in node.Fields.Take(HeadersMax))
        {
            var name = field.Name.Text;
            if (name.Length > NameCharsMax || !NameForm().IsMatch(name))
            {
                errors.Report(field.Name, $"\"{name}\" is not the name of a header: letters, digits, - and _, at most {NameCharsMax}");
            }
            else if (Reserved.Any(each => IsReserved(name, each)))
            {
                errors.Report(field.Name, $"\"{name}\" is a header that HTTP or the gate writes itself");
            }
            else if (!taken.Add(name))
            {
                errors.Report(field.Name, $"\"{name}\" is written twice: headers are the same in any case");
            }
            else
            {
                good.Add(field);
            }
        }

        return good;
    }

    private static bool IsReserved(string name, string reserved) => reserved.EndsWith('-')
        ? name.StartsWith(reserved, StringComparison.OrdinalIgnoreCase)
        : name.Equals(reserved, StringComparison.OrdinalIgnoreCase);

    /// <summary>A header's value: visible ASCII, spaces inside it.</summary>
    private static string TextOf(YamlNode node, string name, int max, ErrorList errors)
    {
        var text = node.Kind == YamlKind.Text && !node.IsNull ? node.Text : "";
        if (text.Length > 0 && text.Length <= max && text.Trim() == text && !text.Any(c => c is < ' ' or > '~'))
        {
            return text;
        }

        errors.Report(node, $"{name} is 1 to {max} characters of ASCII, without spaces around them, not {node.Describe()}");
        return "";
    }

    private static List<RatePart> PartsOf(YamlNode node, LimitSection limits, ErrorList errors)
    {
        var (parts, at) = (new List<RatePart>(), 0);
        var text = TextOf(node, "a header", RateHeaders.TextCharsMax, errors);
        foreach (Match match in DollarForm().Matches(text))
        {
            AddText(parts, text[at..match.Index]);
            at = match.Index + match.Length;
            if (match.Value == "$$")
            {
                AddText(parts, "$");
            }
            else if (match.Groups["value"] is { Success: true } value)
            {
                AddValue(parts, match.Groups["about"].Value, value.Value, node, limits, errors);
            }
            else
            {
                errors.Report(node, "\"$\" begins a placeholder; write \"$$\" for a dollar sign");
            }
        }

        AddText(parts, text[at..]);
        return parts;
    }

    private static void AddText(List<RatePart> parts, string text)
    {
        if (text.Length > 0)
        {
            parts.Add(new RatePart(RateValue.Text, text, RateAbout.Tightest, 0));
        }
    }

    private static void AddValue(List<RatePart> parts, string about, string name, YamlNode node, LimitSection limits, ErrorList errors)
    {
        if (!Values.TryGetValue(name, out var value))
        {
            errors.Report(node, $"\"{name}\" is nothing that a limit tells: {string.Join(", ", Values.Keys)}"
                + Spelling.Hint(name, Values.Keys));
        }
        else if (about.Length == 0)
        {
            parts.Add(new RatePart(value, "", RateAbout.Tightest, 0));
        }
        else if (LimitSection.Counts.TryGetValue(about, out var counts))
        {
            parts.Add(new RatePart(value, "", RateAbout.Counting, (int)counts));
        }
        else if (!about.StartsWith("limits.", StringComparison.Ordinal))
        {
            var known = LimitSection.Counts.Keys.Append("limits.NAME");
            errors.Report(node, $"\"${about}.\" speaks of no limit: {string.Join(", ", known)}{Spelling.Hint(about, known)}");
        }
        else
        {
            var names = limits.Limits.Select(limit => limit.Name).ToList();
            var number = names.IndexOf(about["limits.".Length..]);
            parts.Add(new RatePart(value, "", RateAbout.Named, number));
            if (number < 0)
            {
                errors.Report(node, $"there is no limit \"{about[7..]}\"{Spelling.Hint(about[7..], names)}");
            }
        }
    }

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9_\-]*\z")]
    private static partial Regex NameForm();

    [GeneratedRegex(@"\$\$|\$(?:(?:(?<about>[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)?)\.)?(?<value>[a-z][a-z0-9_]*))?")]
    private static partial Regex DollarForm();
}
