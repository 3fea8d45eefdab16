using Tollgate.Gateway.Metering;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// Which paths are calls to a model that are counted by their tokens: those of the OpenAI API, wherever a provider has put them.
/// </summary>
internal static class ModelPaths
{
    private const string Models = "/v1/models";

    /// <summary>Null for what passes byte for byte. An escape in the path changes nothing: routes are matched decoded, too.</summary>
    public static ModelCallKind? KindOf(string method, string path)
    {
        if (!HttpMethods.IsPost(method))
        {
            return null;
        }

        var plain = Plain(path);
        return plain.EndsWith("/chat/completions", StringComparison.Ordinal) ? ModelCallKind.Chat
            : plain.EndsWith("/completions", StringComparison.Ordinal) ? ModelCallKind.Completion
            : plain.EndsWith("/embeddings", StringComparison.Ordinal) ? ModelCallKind.Embedding
            : null;
    }

    /// <summary>Whether a model would work there of which nothing is counted: another API than the one whose calls are read.</summary>
    public static bool IsUncounted(string method, string path) => HttpMethods.IsPost(method)
        && (Plain(path).EndsWith("/responses", StringComparison.Ordinal) || Plain(path).EndsWith("/messages", StringComparison.Ordinal));

    /// <summary>Whether the models on offer are asked for.</summary>
    public static bool IsList(string method, string path) => HttpMethods.IsGet(method) && path is Models or Models + "/";

    private static ReadOnlySpan<char> Plain(string path)
    {
        var plain = (path.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(path) : path).AsSpan();
        return plain.Length > 1 && plain[^1] == '/' ? plain[..^1] : plain;
    }

    /// <summary>The model that <c>/v1/models/{model}</c> asks about; ids may hold slashes, sent encoded. Null for another path.</summary>
    public static string? IdOf(string method, RouteCall call) =>
        HttpMethods.IsGet(method) && !call.Match.Id.IsAbsent && call.Path.StartsWith(Models + "/", StringComparison.Ordinal)
            ? Uri.UnescapeDataString(call.Match.Id.Of(call.Path.AsSpan()))
            : null;
}
