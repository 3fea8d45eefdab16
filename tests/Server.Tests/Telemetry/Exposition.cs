using System.Globalization;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.Telemetry;

/// <summary>
/// Reads the text format of Prometheus, version 0.0.4, as strictly as its specification allows: every line, in order, or it throws.
/// </summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, Family> _families = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Family> Families => _families;

    public static Exposition Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        var read = new Exposition();
        Family? open = null;
        foreach (var line in text[..^1].Split('\n'))
        {
            open = read.Line(line, open);
        }

        foreach (var family in read._families.Values.Where(family => family.Type == "histogram"))
        {
            HoldBuckets(family);
        }

        return read;
    }

    /// <summary>The value of the one series with these labels; 0 where there is none.</summary>
    public double Value(string name, params (string Name, string Value)[] labels) =>
        _families[name].Series.Where(series => labels.All(label => series.Labels.GetValueOrDefault(label.Name) == label.Value))
            .Sum(series => series.Value);

    private Family Line(string line, Family? open)
    {
        if (Help().Match(line) is { Success: true } help)
        {
            var family = new Family(help.Groups["name"].Value);
            Assert.True(_families.TryAdd(family.Name, family), $"{family.Name} comes twice");
            return family;
        }

        if (Type().Match(line) is { Success: true } type)
        {
            Assert.Equal(open?.Name, type.Groups["name"].Value);
            Assert.True(open!.Type is null && open.Series.Count == 0, line);
            open.Type = type.Groups["type"].Value;
            return open;
        }

        var sample = Sample().Match(line);
        Assert.True(sample.Success && open?.Type is not null, $"no line of the format: {line}");
        var name = sample.Groups["name"].Value;
        string[] names = open.Type == "histogram" ? [$"{open.Name}_bucket", $"{open.Name}_sum", $"{open.Name}_count"] : [open.Name];
        Assert.Contains(name, names);
        var labels = Label().Matches(sample.Groups["labels"].Value).ToDictionary(
            label => label.Groups["name"].Value, label => Unescaped(label.Groups["value"].Value));
        var series = new Series(name, labels, Number(sample.Groups["value"].Value));
        Assert.True(open.Keys.Add($"{name} {string.Join(',', labels.OrderBy(label => label.Key))}"), $"twice: {line}");
        open.Series.Add(series);
        return open;
    }

    /// <summary>Buckets rise, in the order of their bounds, up to the count.</summary>
    private static void HoldBuckets(Family family)
    {
        var buckets = family.Series.Where(series => series.Name.EndsWith("_bucket", StringComparison.Ordinal)).ToList();
        var bounds = buckets.Select(bucket => Number(bucket.Labels["le"])).ToList();
        Assert.Equal(bounds.Order(), bounds);
        Assert.Equal(double.PositiveInfinity, bounds[^1]);
        Assert.Equal(buckets.Select(bucket => bucket.Value).Order(), buckets.Select(bucket => bucket.Value));
        Assert.Equal(buckets[^1].Value, family.Series.Single(series => series.Name == $"{family.Name}_count").Value);
        Assert.Single(family.Series, series => series.Name == $"{family.Name}_sum");
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static string Unescaped(string text) => Escape().Replace(text, match => match.Value == @"\n" ? "\n" : match.Value[1..]);

    [GeneratedRegex(@"^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\]|\\\\|\\n)*$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex Type();

    [GeneratedRegex(
        """
        ^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
        (?:\{(?<labels>(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^\\"]|\\\\|\\"|\\n)*"(?:,(?=[a-zA-Z_])|(?=\})))+)\})?
        [ ](?<value>[-+]?(?:Inf|[0-9]+(?:\.[0-9]+)?(?:E[-+][0-9]+)?)|NaN)$
        """,
        RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Sample();

    [GeneratedRegex(""" (?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>(?:[^\\"]|\\\\|\\"|\\n)*)" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Label();

    [GeneratedRegex(@"\\.")]
    private static partial Regex Escape();

    internal sealed class Family(string name)
    {
        public string Name { get; } = name;

        public string? Type { get; set; }

        public List<Series> Series { get; } = [];

        public HashSet<string> Keys { get; } = [];
    }

    internal sealed record Series(string Name, IReadOnlyDictionary<string, string> Labels, double Value);
}
