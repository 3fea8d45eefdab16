namespace Tollgate.Engine.Permissions;

/// <summary>
/// The path of a route, such as <c>/v1/namespaces/{project}/**</c>. Segments are literal, or one of: <c>{}</c> any one segment;
/// <c>{project}</c> and <c>{organization}</c> one that must equal the key's own id; <c>{id}</c> one that is handed on;
/// <c>{model}</c> one that may hold encoded slashes; and last <c>**</c>, zero or more.
/// </summary>
public sealed class RoutePattern
{
    public const int SegmentsMax = 32;
    public const int LengthMax = 512;

    private RoutePattern(string text, IReadOnlyList<PatternSegment> segments, bool open) =>
        (Text, Segments, IsOpen) = (text, segments, open);

    public string Text { get; }

    /// <summary>The segments before <c>**</c>.</summary>
    public IReadOnlyList<PatternSegment> Segments { get; }

    /// <summary>Whether the pattern ends in <c>**</c>.</summary>
    public bool IsOpen { get; }

    /// <summary>The place of the only segment of this kind, or -1.</summary>
    public int PlaceOf(SegmentKind kind)
    {
        for (var i = 0; i < Segments.Count; i++)
        {
            if (Segments[i].Kind == kind)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Reads a pattern; <paramref name="fault"/> says in one sentence why it is not one.</summary>
    public static bool TryParse(string text, out RoutePattern pattern, out string fault)
    {
        ArgumentNullException.ThrowIfNull(text);
        pattern = new RoutePattern(text, [], false);
        fault = FaultOf(text);
        if (fault.Length > 0)
        {
            return false;
        }

        var segments = new List<PatternSegment>();
        var parts = text == "/" ? [] : text[1..].Split('/');
        var open = parts.Length > 0 && parts[^1] == "**";
        foreach (var part in open ? parts[..^1] : parts)
        {
            if (!TryParseSegment(part, segments, out var segment, out fault))
            {
                return false;
            }

            segments.Add(segment);
        }

        pattern = new RoutePattern(text, segments, open);
        return true;
    }

    private static string FaultOf(string text)
    {
        if (text.Length == 0 || text[0] != '/')
        {
            return "a path begins with \"/\"";
        }

        if (text.Length > LengthMax || text.Count(c => c == '/') > SegmentsMax)
        {
            return $"a path has at most {SegmentsMax} segments and {LengthMax} characters";
        }

        if (text.Length > 1 && text[^1] == '/')
        {
            return "a path does not end in \"/\": a trailing slash in a request is ignored";
        }

        return text.Any(c => c is <= ' ' or > '~' or '%' or '\\' or '?' or '#' or ';')
            ? "a path is written in plain ASCII: without spaces, %, \\, ?, # and ;" : "";
    }

    private static bool TryParseSegment(string part, List<PatternSegment> before, out PatternSegment segment, out string fault)
    {
        var kind = part switch
        {
            "{}" => SegmentKind.Any,
            "{project}" => SegmentKind.Project,
            "{organization}" => SegmentKind.Organization,
            "{id}" => SegmentKind.Id,
            "{model}" => SegmentKind.Model,
            _ => SegmentKind.Literal,
        };
        segment = new PatternSegment(kind, kind == SegmentKind.Literal ? part : "");
        fault = (kind, part) switch
        {
            (SegmentKind.Literal, "") => "a path has no empty segment",
            (SegmentKind.Literal, "." or "..") => "a path has no \".\" or \"..\" segment",
            (SegmentKind.Literal, "**") => "\"**\" stands only at the end",
            (SegmentKind.Literal, _) when part.AsSpan().IndexOfAny("{}*") >= 0 =>
                $"\"{part}\" is not a segment: write a literal, {{}}, {{project}}, {{organization}}, {{model}}, {{id}} or, last, **",
            (not SegmentKind.Literal and not SegmentKind.Any, _) when before.Any(other => other.Kind == kind) => $"{part} stands only once",
            _ => "",
        };
        return fault.Length == 0;
    }
}

/// <summary>What one segment of a pattern takes.</summary>
public enum SegmentKind
{
    Literal,
    Any,
    Project,
    Organization,
    Id,
    Model,
}

/// <summary>One segment of a pattern; <see cref="Literal"/> is empty for all but literal ones.</summary>
public readonly record struct PatternSegment(SegmentKind Kind, string Literal);
