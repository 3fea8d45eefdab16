using System.Text;
using System.Text.RegularExpressions;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Metering;

/// <summary>Answers of upstreams, drawn at random: some good, some garbage.</summary>
internal static partial class AnswerTexts
{
    private static readonly string[] Marks =
    [
        "\"", "{", "}", "[", "]", ":", ",", "\\", "\\u", "\\ud800", "usage", "content", "\n", "\r", "0", "é",
    ];

    private static readonly string[] Usages =
    [
        "null", "{\"prompt_tokens\":3,\"completion_tokens\":4}", "{\"prompt_tokens\":3}", "{\"a\":{\"b\":[\"}\"]}}", "5",
        "{\"prompt_tokens\":-1}",
    ];

    public static byte[] Json(Random random)
    {
        var content = CallTexts.Text(random);
        var choices = $"[{{\"message\":{{\"content\":{content},\"usage\":{{}}}}}}]";
        var body = $"{{\"id\":\"c\",\"choices\":{choices},\"usage\":{random.Pick(Usages)}}}";
        return Broken(random, body + random.Pick(["", "\n", "  {}"]));
    }

    public static byte[] Stream(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(6); i > 0; i--)
        {
            text.Append(random.Next(8) switch
            {
                0 => ": ping\n\n",
                1 => "id: 1\n" + Event(random),
                2 => "event: x\n" + Event(random).TrimEnd('\n') + "\nid\n\n",
                3 => $"data: {{\"choices\":[],\ndata: \"usage\":{random.Pick(Usages)}}}\n\n",
                4 => $"data: {{\"choices\":[],\"usage\":{random.Pick(Usages)}}}\n\n",
                5 => random.Pick(["\n", "data\n\n", "data: x\n\n", "data:\n\n"]),
                _ => Event(random),
            });
        }

        text.Append(random.Pick(["data: [DONE]\n\n", "data: [DONE]\n", "data: [DO", "", ": end\n\n"]));
        text.Replace("\n", random.Pick(["\n", "\r\n", "\r"]));
        return Broken(random, text.ToString());
    }

    public static string Chunk(string content, string finish, string usage = "", int index = 0) =>
        $"data: {{\"id\":\"c\",\"choices\":[{{"
        + $"\"index\":{index},\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":{finish}}}]{usage}}}\n\n";

    /// <summary>Kinds: any bytes, marks of JSON, lines of events, broken chunks.</summary>
    public static byte[] Noise(Random random, int length, int kind)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        var text = kind switch
        {
            1 => "{[\":\\usage}]",
            2 => "data: id\n\r[DONE]{}",
            _ => "",
        };
        for (var i = 0; i < length && text.Length > 0; i++)
        {
            noise[i] = (byte)text[noise[i] % text.Length];
        }

        var broken = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}]}\n\n"u8;
        for (var i = 0; kind == 3 && i < length; i++)
        {
            noise[i] = broken[i % broken.Length];
        }

        return noise;
    }

    /// <summary>The events, and of what stands behind them the end of a stream if it is that.</summary>
    public static string WithoutIds(string stream, bool isComplete)
    {
        var events = AllEvents().Match(stream).Value;
        var rest = stream[events.Length..];
        var isDone = isComplete && Done().IsMatch(rest) && DataLine().Count(rest) == 1 && !DoneEvent().IsMatch(events);
        var kept = isDone ? events + rest : events;
        return Ids().Replace(kept, "");
    }

    private static string Event(Random random) => Chunk(
        random.Pick(["", "a", "abcdefghi", "\\n", "é\\u00e9"]),
        random.Pick(["null", "null", "\"stop\""]),
        random.Next(2) == 0 ? $",\"usage\":{random.Pick(Usages)}" : "",
        random.Next(2));

    private static byte[] Broken(Random random, string text)
    {
        for (var i = random.Next(2) == 0 ? random.Next(3) : 0; i > 0 && text.Length > 0; i--)
        {
            var at = random.Next(text.Length);
            text = random.Next(2) == 0 ? text.Remove(at, 1) : text.Insert(at, random.Pick(Marks));
        }

        return Encoding.UTF8.GetBytes(text);
    }

    [GeneratedRegex(@"\A(?:(?:[^\r\n]+(?>\r\n|\r|\n))*(?>\r\n|\r|\n))*")]
    private static partial Regex AllEvents();

    [GeneratedRegex(@"(?<=\A|[\r\n])data: ?\[DONE\][ \t]*(?=[\r\n]|\z)")]
    private static partial Regex Done();

    [GeneratedRegex(@"(?<=\A|[\r\n])data: ?\[DONE\][ \t]*(?=[\r\n])")]
    private static partial Regex DoneEvent();

    [GeneratedRegex(@"(?<=\A|[\r\n])data:")]
    private static partial Regex DataLine();

    [GeneratedRegex(@"(?<=\A|[\r\n])id(?::[^\r\n]*)?(?>\r\n|\r|\n|\z)")]
    private static partial Regex Ids();
}
