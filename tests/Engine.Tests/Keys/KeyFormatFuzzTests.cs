using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Tests.Fixtures;

namespace Tollgate.Engine.Tests.Keys;

/// <summary>The key parser against one that tries shape after shape, character after character: slow, and obvious.</summary>
public sealed class KeyFormatFuzzTests
{
    private const string Base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string Token = Base62Digits + "-._~+/=";
    private const int CasesPerFormat = 100;

    private static readonly string[] Prefixes = ["", "a", "ab", "abc", "sk-", "sk_", "sk_live_", "sk_test_", "0", "tl.~+/="];

    [Fact]
    public void A_secret_has_the_shape_that_trying_every_shape_finds()
    {
        int seed = FuzzSeed.Take();
        var random = new Random(seed);
        int good = 0, bad = 0;
        while (good + bad < FuzzSeed.Cases)
        {
            KeyFormatOptions options = RandomOptions(random);
            if (options.Validate().Count > 0)
            {
                continue;
            }

            var format = new KeyFormat(options);
            for (int i = 0; i < CasesPerFormat; i++)
            {
                byte[] secret = RandomSecret(random, options, format);
                KeyShape? expected = Naive(options, secret);
                KeyShape? actual = format.TryParse(secret, out KeyShape shape) ? shape : null;
                Assert.True(
                    expected == actual,
                    $"FUZZ_SEED={seed}: {Encoding.Latin1.GetString(secret)} is {expected}, was read as {actual} by {Text(options)}");
                _ = actual is null ? bad++ : good++;
            }
        }

        Assert.True(good > FuzzSeed.Cases / 10 && bad > FuzzSeed.Cases / 10, $"FUZZ_SEED={seed}: {good} good and {bad} bad secrets");
    }

    [Fact]
    public void A_minted_secret_reads_as_its_own_environment_and_its_mask_hides_what_it_must()
    {
        int seed = FuzzSeed.Take();
        var random = new Random(seed);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (seen.Count < FuzzSeed.Cases)
        {
            KeyFormatOptions options = RandomOptions(random);
            if (options.Validate().Count > 0)
            {
                continue;
            }

            var format = new KeyFormat(options);
            for (int i = 0; i < CasesPerFormat; i++)
            {
                int environment = random.Next(options.Environments.Count);
                string secret = format.Mint(environment);
                Assert.True(seen.Add(secret), $"FUZZ_SEED={seed}: minted twice");
                Assert.Equal(new KeyShape((byte)environment, false), Naive(options, Encoding.ASCII.GetBytes(secret)));
                string mask = format.Mask(secret);
                Assert.Equal(Masked(secret, options.MaskHead, options.MaskTail), mask);
                Assert.DoesNotContain(secret, mask, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_mask_of_any_text_shows_its_ends_and_never_all_of_it()
    {
        int seed = FuzzSeed.Take();
        var random = new Random(seed);
        for (int i = 0; i < FuzzSeed.Cases; i++)
        {
            string text = Random(random, Token, random.Next(0, 40));
            int head = random.Next(5) == 0 ? int.MaxValue - random.Next(3) : random.Next(0, 50);
            int tail = random.Next(5) == 0 ? int.MaxValue - random.Next(3) : random.Next(0, 50);
            string mask = KeyFormat.Mask(text, head, tail);
            Assert.True(Masked(text, head, tail) == mask, $"FUZZ_SEED={seed}: {text}, {head} and {tail}: {mask}");
        }
    }

    private static string Masked(string text, long head, long tail) => head + tail >= text.Length
        ? "..."
        : string.Concat(text.Take((int)head)) + "..." + string.Concat(text.TakeLast((int)tail));

    private static KeyFormatOptions RandomOptions(Random random) => new()
    {
        Environments =
        [
            .. Enumerable.Range(0, random.Next(1, 4)).Select(i => new KeyEnvironment($"e{i}", random.Pick(Prefixes)))
                .DistinctBy(environment => environment.Prefix),
        ],
        Length = random.Next(24, 48),
        Crc32Checksum = random.Next(2) == 0,
        Accepts = [.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => new ForeignFormat(random.Pick(Prefixes), random.Next(24, 48)))],
        MaskHead = random.Next(0, 10),
        MaskTail = random.Next(0, 5),
    };

    private static byte[] RandomSecret(Random random, KeyFormatOptions options, KeyFormat format)
    {
        string prefix = random.Pick(Prefixes);
        string text = random.Next(4) switch
        {
            0 => Random(random, Base62Digits, random.Next(0, 60)),
            1 => prefix + Random(random, random.Next(2) == 0 ? Base62Digits : Token, options.Length),
            2 when options.Accepts.Count > 0 && random.Pick(options.Accepts) is var foreign =>
                foreign.Prefix + Random(random, random.Next(2) == 0 ? Base62Digits : Token, foreign.Length),
            _ => format.Mint(random.Next(options.Environments.Count)),
        };
        List<byte> bytes = [.. Encoding.ASCII.GetBytes(text)];
        for (int mutations = random.Next(3); mutations > 0 && bytes.Count > 0; mutations--)
        {
            Mutate(random, bytes);
        }

        return [.. bytes];
    }

    private static void Mutate(Random random, List<byte> bytes)
    {
        int at = random.Next(bytes.Count);
        switch (random.Next(6))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes[at] = (byte)random.Pick(Base62Digits.ToCharArray());
                break;
            case 2:
                bytes.RemoveAt(at);
                break;
            case 3:
                bytes.Insert(at, (byte)random.Pick(Token.ToCharArray()));
                break;
            case 4:
                (bytes[at], bytes[^1]) = (bytes[^1], bytes[at]);
                break;
            default:
                bytes.InsertRange(0, Encoding.ASCII.GetBytes(random.Pick(Prefixes)));
                break;
        }
    }

    private static KeyShape? Naive(KeyFormatOptions options, byte[] secret)
    {
        var found = new List<(int Prefix, KeyShape Shape)>();
        for (int i = 0; i < options.Environments.Count; i++)
        {
            string prefix = options.Environments[i].Prefix;
            if (Fits(secret, prefix, options.Length, Base62Digits) && (!options.Crc32Checksum || ChecksumAgrees(secret)))
            {
                found.Add((prefix.Length, new KeyShape((byte)i, false)));
            }
        }

        for (int i = 0; i < options.Accepts.Count; i++)
        {
            if (Fits(secret, options.Accepts[i].Prefix, options.Accepts[i].Length, Token))
            {
                found.Add((options.Accepts[i].Prefix.Length, new KeyShape((byte)i, true)));
            }
        }

        return found.Count == 0 ? null : found.MaxBy(shape => shape.Prefix).Shape;
    }

    private static bool Fits(byte[] secret, string prefix, int length, string alphabet)
    {
        string text = Encoding.Latin1.GetString(secret);
        return text.Length == prefix.Length + length && text.StartsWith(prefix, StringComparison.Ordinal)
            && text[prefix.Length..].All(character => alphabet.Contains(character, StringComparison.Ordinal));
    }

    // Bit by bit, as the standard draws it.
    private static bool ChecksumAgrees(byte[] secret)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in secret[..^6])
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
            }
        }

        ulong told = 0;
        foreach (byte digit in secret[^6..])
        {
            told = (told * 62) + (ulong)Base62Digits.IndexOf((char)digit, StringComparison.Ordinal);
        }

        return told == ~crc;
    }

    private static string Random(Random random, string alphabet, int length) =>
        string.Create(length, (random, alphabet), static (text, from) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                text[i] = from.alphabet[from.random.Next(from.alphabet.Length)];
            }
        });

    private static string Text(KeyFormatOptions options) =>
        $"[{string.Join(", ", options.Environments.Select(environment => environment.Prefix))}] {options.Length} {options.Crc32Checksum} "
        + $"[{string.Join(", ", options.Accepts)}]";
}
