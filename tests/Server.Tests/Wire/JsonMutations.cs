using System.Text;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Wire;

/// <summary>Bodies made from good ones by small accidents and small malice.</summary>
internal static class JsonMutations
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "0", "-1", "1e999", "1.5", "\"name\":\"twice\",", "\"n\\u0061me\":\"x\",",
        "\"key\":\"twice\",", "\"k\\u0065y\":1,", ",\"unknown\":1", ",\"\":0", "{}", "[]", "[[[[",
        "\\u0000", "\\ud83d", "\\udd11", "\\u00e9", "é",
        "\U0001F511", "\0", "\u0001", " ", "\n", "//x", "/**/", "NaN", "\uFEFF",
        "\"metadata\":{\"a\":1,\"a\":2}", "\"scopes\":[\"models\",1]",
        "\"expires_at\":\"2099-01-01T00:00:00Z\"", "\"a\":{\"b\":{\"c\":[{\"d\":", "99999999999999999999", "'", "$", "%2F",
    ];

    public static byte[] Of(Random random, IReadOnlyList<byte[]> bodies)
    {
        var bytes = random.Pick(bodies).ToList();
        for (var i = random.Next(0, 4); i > 0; i--)
        {
            Mutate(random, bytes, random.Pick(bodies));
        }

        return [.. bytes];
    }

    private static void Mutate(Random random, List<byte> bytes, byte[] other)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, 12), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0 or 1:
                bytes.InsertRange(at, Encoding.UTF8.GetBytes(random.Pick(Pieces)));
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 5:
                // One body's members inside another's.
                bytes.InsertRange(Math.Min(1, bytes.Count), [.. other.Skip(1).SkipLast(1), (byte)',']);
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                bytes.InsertRange(at, Enumerable.Repeat((byte)"[{ "[random.Next(3)], random.Next(1, 80)));
                break;
        }
    }
}
