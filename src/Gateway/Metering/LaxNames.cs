using System.Collections.Frozen;
using System.Text;
using System.Text.Json;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Names that a server which reads JSON without regard to case takes for one that the gate reads, while the gate, and every other server,
/// sees nothing in them. Two letters beyond ASCII are an s and a k to such a server.
/// </summary>
internal static class LaxNames
{
    private static readonly FrozenSet<string> Read = new[]
    {
        "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "best_of", "n_predict", "prompt", "input",
        "messages", "tools", "functions",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the name that the reader stands on is one of these, and not that name itself.</summary>
    /// <exception cref="InvalidOperationException">It is no text.</exception>
    public static bool Resembles(ref Utf8JsonReader json, out string name)
    {
        name = "";
        if (!json.ValueIsEscaped && !json.ValueSpan.ContainsAnyInRange((byte)'A', (byte)'Z') && Ascii.IsValid(json.ValueSpan))
        {
            return false;
        }

        name = json.GetString()!;
        return Read.TryGetValue(Plain(name), out var read) && read != name;
    }

    /// <summary>The same, of one name that is read.</summary>
    public static bool Resembles(string name, string read) =>
        name != read && string.Equals(Plain(name), read, StringComparison.OrdinalIgnoreCase);

    private static string Plain(string name) => name.Replace('\u017F', 's').Replace('\u212A', 'k');
}
