using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Providers;

/// <summary>
/// A condition on the request's JSON body under which a scope suffices: <c>body.knowledge_bases is not empty</c>.
/// It fails closed: a body that is not JSON, a member that is missing, null, of another kind, or written twice does not hold.
/// </summary>
internal sealed partial class Condition
{
    private const string NotEmpty = "is not empty";

    private Condition(string text, IReadOnlyList<string> path, bool notEmpty) => (Text, Path, _notEmpty) = (text, path, notEmpty);

    private readonly bool _notEmpty;

    public string Text { get; }

    /// <summary>The names of the members on the way, from the top of the body.</summary>
    public IReadOnlyList<string> Path { get; }

    /// <summary>
    /// The member of the body that the gate reads. A server behind might take the other one of two, so two are refused before this is
    /// asked.
    /// </summary>
    public string TopLevelMember => Path[0];

    public static Condition? TryParse(string text)
    {
        var match = Form().Match(text);
        return match.Success ? new Condition(text, match.Groups[1].Value.Split('.'), match.Groups[2].Value == NotEmpty) : null;
    }

    public bool Holds(JsonElement body)
    {
        var here = body;
        foreach (var name in Path)
        {
            if (here.ValueKind != JsonValueKind.Object || OnlyMember(here, name) is not { } next)
            {
                return false;
            }

            here = next;
        }

        return here.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => false,
            JsonValueKind.Array => !_notEmpty || here.EnumerateArray().Any(IsSomething),
            JsonValueKind.Object => !_notEmpty || here.EnumerateObject().Any(),
            JsonValueKind.String => !_notEmpty || !here.ValueEquals(""),
            _ => !_notEmpty,
        };
    }

    /// <summary>A list that holds nothing but nulls and empty texts names nothing.</summary>
    private static bool IsSomething(JsonElement item) =>
        item.ValueKind != JsonValueKind.Null && !(item.ValueKind == JsonValueKind.String && item.ValueEquals(""));

    private static JsonElement? OnlyMember(JsonElement map, string name)
    {
        JsonElement? found = null;
        foreach (var member in map.EnumerateObject())
        {
            if (!member.NameEquals(name))
            {
                continue;
            }

            if (found is not null)
            {
                return null;
            }

            found = member.Value;
        }

        return found;
    }

    [GeneratedRegex(@"\Abody\.([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*){0,7}) (is not empty|is present)\z")]
    private static partial Regex Form();
}
