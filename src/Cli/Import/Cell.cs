using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Cli.Import;

/// <summary>
/// Reads the values of other systems' tables, which a CSV has as text and a JSON file as what they are. What cannot be read stays the text
/// it is: the gate then refuses the row and names the member.
/// </summary>
internal static class Cell
{
    private static readonly string[] Times =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFzz", "yyyy-MM-dd",
    ];

    public static string? Text(JsonNode? cell) => cell switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => cell.ToJsonString(),
    };

    /// <summary>A time, in UTC unless it says otherwise, or milliseconds since 1970.</summary>
    public static JsonNode? Time(JsonNode? cell)
    {
        if (Text(cell) is not { } text)
        {
            return null;
        }

        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var isKnown = DateTimeOffset.TryParseExact(text, Times, CultureInfo.InvariantCulture, styles, out var time);
        if (!isKnown
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            && ms is > 0 and < 253_402_300_800_000)
        {
            (isKnown, time) = (true, DateTimeOffset.FromUnixTimeMilliseconds(ms));
        }

        return isKnown ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture) : text;
    }

    /// <summary>True and false as databases write them.</summary>
    public static JsonNode? Flag(JsonNode? cell) => Text(cell)?.ToUpperInvariant() switch
    {
        null => null,
        "TRUE" or "T" or "1" => true,
        "FALSE" or "F" or "0" => false,
        _ => Text(cell),
    };

    /// <summary>JSON in a text, or an array as PostgreSQL writes it; else the text.</summary>
    public static JsonNode? Json(JsonNode? cell)
    {
        if (cell is not JsonValue || Text(cell) is not { Length: > 0 } text)
        {
            return cell?.DeepClone();
        }

        try
        {
            return text[0] is '{' or '[' ? JsonNode.Parse(text) : text;
        }
        catch (JsonException)
        {
            return text[0] == '{' && text[^1] == '}' ? PostgresArray(text[1..^1]) : text;
        }
    }

    /// <summary>A JSON array, or names between semicolons.</summary>
    public static JsonNode? List(JsonNode? cell)
    {
        if (Json(cell) is not JsonValue value || Text(value) is not { } text)
        {
            return Json(cell);
        }

        var names = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return new JsonArray([.. names.Select(name => (JsonNode)name)]);
    }

    /// <summary>Whether the value says nothing: absent, false, zero, or an empty text, list or object.</summary>
    public static bool IsEmpty(JsonNode? cell) => Json(cell) switch
    {
        null => true,
        JsonArray array => array.Count == 0,
        JsonObject members => members.Count == 0,
        var value => Text(value) is not { } text
            || text.Trim() is "" or "f" or "false"
            || (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number == 0),
    };

    private static JsonArray PostgresArray(string inside)
    {
        var (items, item, isQuoted) = (new JsonArray(), new System.Text.StringBuilder(), false);
        for (var i = 0; i < inside.Length; i++)
        {
            switch (inside[i])
            {
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case '\\' when i + 1 < inside.Length:
                    item.Append(inside[++i]);
                    break;
                case ',' when !isQuoted:
                    items.Add((JsonNode)item.ToString());
                    item.Clear();
                    break;
                default:
                    item.Append(inside[i]);
                    break;
            }
        }

        items.Add((JsonNode)item.ToString());
        return items;
    }
}
