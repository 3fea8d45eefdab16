namespace Tollgate.Server.Providers.Reading;

internal enum YamlKind
{
    Text,
    List,
    Map,
}

/// <summary>A value of a provider file that knows where it stands. Merged trees keep the file each part came from.</summary>
internal sealed class YamlNode
{
    public required Place At { get; init; }

    public required YamlKind Kind { get; init; }

    /// <summary>The text of a scalar; empty for lists and maps.</summary>
    public string Text { get; init; } = "";

    /// <summary>Whether the text was written without quotes: only then <c>true</c>, <c>null</c> and <c>12</c> are more than text.</summary>
    public bool IsPlain { get; init; }

    public IReadOnlyList<YamlNode> Items { get; init; } = [];

    public IReadOnlyList<YamlField> Fields { get; init; } = [];

    public bool IsNull => Kind == YamlKind.Text && IsPlain && Text is "" or "~" or "null";

    public YamlNode? this[string name] => Fields.FirstOrDefault(field => field.Name.Text == name)?.Value;

    /// <summary>For messages: what was found where something else was expected.</summary>
    public string Describe() => Kind switch
    {
        YamlKind.List => "a list",
        YamlKind.Map => "a map",
        _ when IsNull => "nothing",
        _ => $"\"{(Text.Length > 60 ? Text[..57] + "..." : Text)}\"",
    };
}

/// <summary>A name and its value; the name has a place of its own.</summary>
internal sealed record YamlField(YamlNode Name, YamlNode Value);
