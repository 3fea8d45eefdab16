using System.Globalization;
using System.Text.RegularExpressions;
using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Providers.Reading;

/// <summary>
/// A map of the file read field by field. Each method reports what is wrong at the place it stands and returns something
/// harmless, so that reading goes on and all errors are found at once; the result is used only when there were none.
/// </summary>
internal sealed partial class FieldReader
{
    private const int WindowDaysMax = 31;

    private readonly YamlNode? _map;
    private readonly ErrorList _errors;

    private FieldReader(YamlNode? map, ErrorList errors) => (_map, _errors) = (map, errors);

    /// <summary>Reports a value that is no map, fields the shape does not have, and fields it must have.</summary>
    public static FieldReader Of(YamlNode? node, Shape shape, ErrorList errors)
    {
        if (node is null || !IsMap(node, shape.Name.Replace('_', ' '), errors))
        {
            return new FieldReader(null, errors);
        }

        foreach (var field in node.Fields.Where(field => !shape.Fields.Contains(field.Name.Text)))
        {
            errors.Report(field.Name, $"unknown field \"{field.Name.Text}\"{Spelling.Hint(field.Name.Text, shape.Fields)}");
        }

        foreach (var missing in shape.Required.Where(name => node[name] is null))
        {
            errors.Report(node, $"\"{missing}\" is missing");
        }

        return new FieldReader(node, errors);
    }

    public YamlNode? this[string name] => _map?[name];

    /// <summary>The place of a field, or of the map when it has none.</summary>
    public Place At(string name) => (this[name] ?? _map)?.At ?? default;

    public static bool IsMap(YamlNode node, string what, ErrorList errors)
    {
        if (node.Kind != YamlKind.Map)
        {
            errors.Report(node, $"{what}: expected a map of fields, found {node.Describe()}");
        }

        return node.Kind == YamlKind.Map;
    }

    public string Text(string name, int max = 200)
    {
        if (this[name] is not { } node)
        {
            return "";
        }

        return TextOf(node, name, max, _errors) ?? "";
    }

    public string Matching(string name, Regex form, string expected)
    {
        var text = Text(name);
        if (text.Length > 0 && !form.IsMatch(text))
        {
            _errors.Report(At(name), $"\"{text}\" is not {expected}");
        }

        return text;
    }

    public T Choice<T>(string name, IReadOnlyDictionary<string, T> choices, T fallback)
    {
        if (this[name] is not { } node || TextOf(node, name, 200, _errors) is not { } text)
        {
            return fallback;
        }

        if (choices.TryGetValue(text, out var chosen))
        {
            return chosen;
        }

        _errors.Report(node, $"{name} is one of {string.Join(", ", choices.Keys)}, not \"{text}\"{Spelling.Hint(text, choices.Keys)}");
        return fallback;
    }

    public int Number(string name, int min, int max, int fallback)
    {
        if (this[name] is not { } node)
        {
            return fallback;
        }

        if (node is { Kind: YamlKind.Text, IsPlain: true }
            && int.TryParse(node.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max)
        {
            return number;
        }

        _errors.Report(node, $"{name} is a whole number from {min} to {max}, not {node.Describe()}");
        return fallback;
    }

    public bool Flag(string name, bool fallback)
    {
        if (this[name] is not { } node)
        {
            return fallback;
        }

        if (node is { Kind: YamlKind.Text, IsPlain: true, Text: "true" or "false" })
        {
            return node.Text == "true";
        }

        _errors.Report(node, $"{name} is true or false, not {node.Describe()}");
        return fallback;
    }

    /// <summary>A time such as <c>0s</c>, <c>30m</c>, <c>24h</c> or <c>7d</c>.</summary>
    public TimeSpan Duration(string name, TimeSpan max, TimeSpan fallback) => Duration(name, TimeSpan.Zero, max, fallback);

    /// <summary>The window of a rolling count.</summary>
    public TimeSpan Window(string name) =>
        Duration(name, TimeSpan.FromSeconds(1), TimeSpan.FromDays(WindowDaysMax), TimeSpan.FromMinutes(1));

    private TimeSpan Duration(string name, TimeSpan min, TimeSpan max, TimeSpan fallback)
    {
        if (this[name] is not { } node)
        {
            return fallback;
        }

        var match = DurationForm().Match(node.Kind == YamlKind.Text ? node.Text : "");
        if (match.Success)
        {
            var amount = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            var time = match.Groups[2].ValueSpan switch
            {
                "s" => TimeSpan.FromSeconds(amount),
                "m" => TimeSpan.FromMinutes(amount),
                "h" => TimeSpan.FromHours(amount),
                _ => TimeSpan.FromDays(amount),
            };
            if (time >= min && time <= max)
            {
                return time;
            }
        }

        var form = min > TimeSpan.Zero ? $"such as 1m, 1h or 24h, from {min.TotalSeconds}s to" : "such as 0s, 30m, 24h or 7d, at most";
        _errors.Report(node, $"{name} is a time {form} {max.TotalDays}d, not {node.Describe()}");
        return fallback;
    }

    /// <summary>An amount of money, written in quotes: YAML would make another number of one that stands plain.</summary>
    public Money? Amount(string name, Money max)
    {
        if (this[name] is not { } node)
        {
            return null;
        }

        if (node is { Kind: YamlKind.Text, IsPlain: false } && Money.TryParse(node.Text, out var amount)
            && amount >= Money.Zero && amount <= max)
        {
            return amount;
        }

        var hint = node is { Kind: YamlKind.Text, IsPlain: true } && Money.TryParse(node.Text, out _) ? ": put it in quotes" : "";
        _errors.Report(
            node, $"{name} is an amount in quotes from \"0\" to \"{max}\" with at most 6 decimals, not {node.Describe()}{hint}");
        return null;
    }

    /// <summary>A list of texts or one text alone; empty when the field is not there.</summary>
    public IReadOnlyList<YamlNode> TextOrTexts(string name, int max) => this[name] switch
    {
        null => [],
        { Kind: YamlKind.Text } node => TextOf(node, name, 200, _errors) is null ? [] : [node],
        { } node => TextsOf(node, name, max, _errors),
    };

    /// <summary>A list of texts, each once; null when the field is not there.</summary>
    public IReadOnlyList<YamlNode>? Texts(string name, int max) => this[name] is { } node ? TextsOf(node, name, max, _errors) : null;

    public static IReadOnlyList<YamlNode> TextsOf(YamlNode node, string name, int max, ErrorList errors)
    {
        var items = ItemsOf(node, name, max, errors).Where(item => TextOf(item, name, 200, errors) is not null).ToList();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items.Where(item => !seen.Add(item.Text)))
        {
            errors.Report(item, $"\"{item.Text}\" stands twice in {name}");
        }

        return items;
    }

    public static IReadOnlyList<YamlNode> ItemsOf(YamlNode node, string name, int max, ErrorList errors)
    {
        if (node.Kind != YamlKind.List)
        {
            errors.Report(node, $"{name} is a list, not {node.Describe()}");
            return [];
        }

        if (node.Items.Count > max)
        {
            errors.Report(node, $"{name} has at most {max} entries, not {node.Items.Count}");
        }

        return [.. node.Items.Take(max)];
    }

    public static string? TextOf(YamlNode node, string name, int max, ErrorList errors)
    {
        if (node.Kind == YamlKind.Text && !node.IsNull && node.Text.Length > 0 && node.Text.Length <= max && !node.Text.Any(char.IsControl))
        {
            return node.Text;
        }

        errors.Report(node, $"{name} is text of 1 to {max} characters, not {node.Describe()}");
        return null;
    }

    [GeneratedRegex(@"\A([0-9]{1,6})([smhd])\z")]
    private static partial Regex DurationForm();
}
