using System.Globalization;
using System.Security.Cryptography;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>
/// The seed of a fuzz test: another one each run, told in the test's output and in every failure; <c>FUZZ_SEED</c> repeats one.
/// </summary>
internal static class FuzzSeed
{
    public const int Cases = 100_000;

    public static int Take(int cases = Cases)
    {
        var seed = Environment.GetEnvironmentVariable("FUZZ_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : RandomNumberGenerator.GetInt32(int.MaxValue);
        TestContext.Current.TestOutputHelper?.WriteLine($"FUZZ_SEED={seed}, {cases} cases");
        return seed;
    }

    public static T Pick<T>(this Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];
}
