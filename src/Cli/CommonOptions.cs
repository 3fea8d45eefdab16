using System.CommandLine;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary>The options that every command takes, and what they mean together with the environment.</summary>
internal static class CommonOptions
{
    public const string DefaultUrl = "http://127.0.0.1:8700";

    public static readonly Option<string?> Url = new("--url")
    {
        Description = $"Where the gate is. Else TOLLGATE_URL, else {DefaultUrl}.",
        Recursive = true,
    };

    public static readonly Option<string?> Key = new("--key")
    {
        Description = "The key to act with. Else TOLLGATE_ROOT_KEY, else TOLLGATE_KEY: better, since other users can read a command line.",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print JSON for programs; errors too, on standard error.",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Url);
        root.Options.Add(Key);
        root.Options.Add(Json);
    }

    /// <summary>The client that the options and the environment describe. Whoever asks disposes it.</summary>
    /// <remarks>A person waits: one more try bridges a restart, two would only delay the bad news.</remarks>
    public static TollgateClient Connect(ParseResult parsed, Shell shell, int retriesMax = 1)
    {
        var url = parsed.GetValue(Url) ?? shell.Variable("TOLLGATE_URL") ?? DefaultUrl;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"--url: \"{url}\" is not an http or https address.");
        }

        var key = parsed.GetValue(Key) ?? shell.Variable("TOLLGATE_ROOT_KEY") ?? shell.Variable("TOLLGATE_KEY")
            ?? throw new UsageException(
                "No key to act with: set TOLLGATE_ROOT_KEY (it was printed at the gate's first start) or TOLLGATE_KEY.");
        try
        {
            return new TollgateClient(address, Secret.From(key), new TollgateClientOptions { RetriesMax = retriesMax, Time = shell.Time });
        }
        catch (ArgumentException)
        {
            throw new UsageException("The key to act with has characters that no key has.");
        }
    }
}
