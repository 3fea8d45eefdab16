using System.Text;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Metering;

/// <summary>Bodies of calls, drawn at random.</summary>
internal static class CallTexts
{
    private static readonly string[] Words =
    [
        "a", "Grüße", "日本語", "🙂", "\"quoted\"", "back\\slash", "line\nbreak", "{\"usage\":1}", "data:image/png;base64,AAAA", "\u0001",
    ];

    /// <summary>Text of some words, as a JSON string.</summary>
    public static string Text(Random random) =>
        JsonSerializer.Serialize(string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => random.Pick(Words))));

    /// <summary>A chat whose members stand in any order, with white space anywhere.</summary>
    public static string Chat(Random random)
    {
        var members = new List<string> { "\"model\":\"m\"", $"\"messages\":[{Messages(random)}]" };
        Add(members, random, "stream", "true", "true", "false", "null");
        Add(
            members, random, "stream_options",
            "{}", "null", "{\"include_usage\":false}", "{\"a\":1,\"include_usage\":true}", "{\"a\":[{}]}", "{\"include_usage\":null}");
        Add(members, random, random.Next(2) == 0 ? "max_tokens" : "max_completion_tokens", "1", "200", "10000000", "null");
        Add(members, random, "n", "1", "5", "null");
        Add(members, random, "other", "{\"model\":[1.5e3,null]}", "\"\\ud83d\\ude42\"", Text(random));
        var space = random.Pick(["", " ", "\n\t"]);
        return $"{space}{{{space}{string.Join(space + "," + space, members.OrderBy(_ => random.Next()))}{space}}}{space}";
    }

    private static string Messages(Random random) => string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(3) switch
    {
        0 => $"{{\"role\":\"user\",\"content\":{Text(random)}}}",
        1 => $"{{\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":{Text(random)}}}]}}",
        _ => $"{{\"content\":[{{\"type\":\"image_url\",\"image_url\":{{\"url\":{Text(random)},\"detail\":\"low\"}}}}]}}",
    }));

    private static void Add(List<string> members, Random random, string name, params string[] values)
    {
        if (random.Next(2) == 0)
        {
            members.Add($"\"{(random.Next(4) == 0 ? Escaped(name) : name)}\":{random.Pick(values)}");
        }
    }

    private static string Escaped(string name) => $"\\u{(int)name[0]:x4}{name[1..]}";

    public static byte[] Garbage(Random random)
    {
        var text = new StringBuilder(Chat(random));
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(text.Length);
            _ = random.Next(3) switch
            {
                0 => text.Remove(at, 1),
                1 => text.Insert(at, random.Pick(["\"", "{", "}", "[", "]", ",", ":", "\\", "\\ud800", "\0", "1e999", "\"n\":1,"])),
                _ => text.Insert(at, text.ToString(at, random.Next(text.Length - at))),
            };
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (bytes.Length > 0 && random.Next(4) == 0)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }
}
