using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>
/// Turns a YAML value into a <see cref="BodyTemplate"/>. A placeholder alone keeps its JSON type, inside a longer text it is
/// inserted as text, <c>$$</c> is a dollar sign. Plain <c>true</c>, <c>null</c> and <c>12</c> are JSON's own, quoted ones are text.
/// </summary>
internal sealed partial class TemplateCompiler
{
    private readonly TemplateSpot _spot;
    private readonly ErrorList _errors;
    private readonly List<TemplatePart> _parts = [];
    private readonly StringBuilder _literal = new();

    private TemplateCompiler(TemplateSpot spot, ErrorList errors) => (_spot, _errors) = (spot, errors);

    public static BodyTemplate Compile(YamlNode node, TemplateSpot spot, ErrorList errors)
    {
        var compiler = new TemplateCompiler(spot, errors);
        compiler.Value(node);
        compiler.Flush();
        return new BodyTemplate(compiler._parts);
    }

    /// <summary>The value as JSON, without placeholders: for examples.</summary>
    public static string Json(YamlNode node) => node.Kind switch
    {
        YamlKind.Map => "{" + string.Join(',', node.Fields.Select(field => $"{Quoted(field.Name.Text)}:{Json(field.Value)}")) + "}",
        YamlKind.List => "[" + string.Join(',', node.Items.Select(Json)) + "]",
        _ => JsonLiteral(node) ?? Quoted(node.Text),
    };

    private static string Quoted(string text) => $"\"{Escaped(text)}\"";

    private static string Escaped(string text) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text);

    private static string? JsonLiteral(YamlNode node) => node switch
    {
        { IsNull: true } => "null",
        { IsPlain: true, Text: "true" or "false" } => node.Text,
        { IsPlain: true, Text.Length: <= 32 } when NumberForm().IsMatch(node.Text) => node.Text,
        _ => null,
    };

    private void Value(YamlNode node)
    {
        switch (node.Kind)
        {
            case YamlKind.Map:
                Members(node);
                break;
            case YamlKind.List:
                Items(node);
                break;
            case YamlKind.Text when JsonLiteral(node) is { } literal:
                _literal.Append(literal);
                break;
            case YamlKind.Text:
                Text(node);
                break;
        }
    }

    private void Members(YamlNode map)
    {
        var optional = map.Fields.Any(field => AbsentOf(field.Value) is not null);
        _literal.Append('{');
        for (var i = 0; i < map.Fields.Count; i++)
        {
            var (name, value) = map.Fields[i];
            if (name.Text.StartsWith('$'))
            {
                _errors.Report(name, "a member's name is text, not a placeholder");
            }

            Element(value, first: i == 0, optional, () => _literal.Append(Quoted(name.Text)).Append(':'));
        }

        _literal.Append('}');
    }

    private void Items(YamlNode list)
    {
        var optional = list.Items.Any(item => AbsentOf(item) is not null);
        _literal.Append('[');
        for (var i = 0; i < list.Items.Count; i++)
        {
            Element(list.Items[i], first: i == 0, optional, () => { });
        }

        _literal.Append(']');
    }

    // Where a neighbour may be left out only the writer knows whether a comma is due; elsewhere it is part of the finished text.
    private void Element(YamlNode value, bool first, bool optional, Action name)
    {
        if (!optional)
        {
            _literal.Append(first ? "" : ",");
            name();
            Value(value);
            return;
        }

        var skip = -1;
        if (AbsentOf(value) is { } absent)
        {
            Flush();
            skip = _parts.Count;
            _parts.Add(new TemplatePart(TemplatePartKind.SkipIfAbsent, default, absent, 0));
        }

        Flush();
        _parts.Add(new TemplatePart(TemplatePartKind.Comma, default, default, 0));
        name();
        Value(value);
        Flush();
        if (skip >= 0)
        {
            _parts[skip] = _parts[skip] with { Skip = _parts.Count - skip - 1 };
        }
    }

    private static Placeholder? AbsentOf(YamlNode value) =>
        value.Kind == YamlKind.Text && AloneForm().Match(value.Text) is { Success: true } alone
        && PlaceholderName.ByText.TryGetValue(alone.Groups[1].Value, out var name) && BodyTemplate.MayBeAbsent(name.Placeholder)
            ? name.Placeholder : null;

    private void Text(YamlNode node)
    {
        if (AloneForm().Match(node.Text) is { Success: true } alone)
        {
            Part(TemplatePartKind.Value, alone.Groups[1].Value, node);
            return;
        }

        _literal.Append('"');
        var at = 0;
        foreach (Match match in DollarForm().Matches(node.Text))
        {
            _literal.Append(Escaped(node.Text[at..match.Index]));
            at = match.Index + match.Length;
            if (match.Value == "$$")
            {
                _literal.Append('$');
            }
            else if (match.Groups[1].Success)
            {
                Part(TemplatePartKind.Text, match.Groups[1].Value, node);
            }
            else
            {
                _errors.Report(node, "\"$\" begins a placeholder; write \"$$\" for a dollar sign");
            }
        }

        _literal.Append(Escaped(node.Text[at..])).Append('"');
    }

    private void Part(TemplatePartKind kind, string text, YamlNode node)
    {
        if (!PlaceholderName.ByText.TryGetValue(text, out var name))
        {
            _errors.Report(node, $"unknown placeholder \"${text}\"{Spelling.Hint(text, PlaceholderName.ByText.Keys)}"
                .Replace("mean \"", "mean \"$", StringComparison.Ordinal));
            return;
        }

        if ((name.Spot & _spot) == 0)
        {
            _errors.Report(node, $"\"${text}\" has no value here: it stands {name.Where}");
            return;
        }

        Flush();
        _parts.Add(new TemplatePart(kind, default, name.Placeholder, 0));
    }

    private void Flush()
    {
        if (_literal.Length > 0)
        {
            _parts.Add(new TemplatePart(TemplatePartKind.Literal, Encoding.UTF8.GetBytes(_literal.ToString()), default, 0));
            _literal.Clear();
        }
    }

    [GeneratedRegex(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+\-]?[0-9]+)?\z")]
    private static partial Regex NumberForm();

    [GeneratedRegex(@"\A\$([A-Za-z_]+(?:\.[A-Za-z_]+)*)\z")]
    private static partial Regex AloneForm();

    [GeneratedRegex(@"\$\$|\$(?:([A-Za-z_]+(?:\.[A-Za-z_]+)*))?")]
    private static partial Regex DollarForm();
}
