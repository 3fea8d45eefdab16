using System.Globalization;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A provider of one paid model and of files, in a file.</summary>
internal static class RelayedProvider
{
    public const string Model = "coin";

    /// <summary>Dollars for a million tokens, so that many micros for one.</summary>
    public const int InputPrice = 1;

    /// <inheritdoc cref="InputPrice"/>
    public const int OutputPrice = 10;

    public const int OutputDefault = 1_000;
    public const int OutputMax = 4_000;

    private const string Text = """
        provider: { name: Relayed, base_url: https://api.relayed.example/v1, key_variable: RELAYED_API_KEY }
        keys:
          secret: { prefix: rl_, length: 40, alphabet: alphanumeric, checksum: crc32, shown: once }
          mask: { head: 7, tail: 4 }
          name: { min: 1, max: 100 }
          expiry: optional
          operations: [disable, enable, rotate, revoke, delete]
          scopes: { default: [all] }
        permissions:
          scopes: { all: Everything }
          routes:
            - POST /v1/chat/completions: all
            - POST /v1/completions: all
            - POST /v1/embeddings: all
            - POST /v1/responses: all
            - POST /v1/messages: all
            - GET /v1/models: all
            - GET /v1/models/{model}: all
            - /v1/files/**: all
        errors:
          default: { body: { error: { message: $message, type: gate_error, code: $code } } }
        models:
          - { id: coin, input: "1.00", output: "10.00", default_output: 1000, max_output: 4000 }
          - { id: vector, input: "1.00", output: "0" }

        """;

    /// <param name="folder">Where the file is made.</param>
    /// <param name="more">What else it says, such as its wallet.</param>
    public static async Task<string> In(string folder, string more)
    {
        var file = Path.Combine(folder, "relayed.yaml");
        await File.WriteAllTextAsync(file, Text + more);
        return file;
    }

    public static decimal Cost(int input, int output) => ((input * InputPrice) + (output * OutputPrice)) / 1_000_000m;

    public static decimal Read(string amount) => decimal.Parse(amount, CultureInfo.InvariantCulture);
}
