using Tollgate.Server.Tests.Providers;

namespace Tollgate.Server.Tests.Faults;

/// <summary>A provider of one model that is paid for by the token, for gates in processes of their own.</summary>
internal static class PaidProvider
{
    public const string Model = "coin";

    /// <summary>Dollars for a million tokens, so that many micros for one.</summary>
    public const int InputPrice = 1;
    public const int OutputPrice = 10;

    private const string More = """

        wallet: { currency: USD, to_create_above: "0" }
        models: [{ id: coin, input: "1.00", output: "10.00", default_output: 1000, max_output: 4000 }]
        """;

    /// <param name="folder">Where the file is made.</param>
    /// <param name="more">What else it says.</param>
    public static async Task<string> In(string folder, string more = "")
    {
        var file = Path.Combine(folder, "paid.yaml");
        await File.WriteAllTextAsync(file, Given.Least + More + more);
        return file;
    }

    public static decimal Cost(int input, int output) => ((input * InputPrice) + (output * OutputPrice)) / 1_000_000m;
}
