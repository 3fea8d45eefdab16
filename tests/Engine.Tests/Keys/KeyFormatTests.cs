using System.Text;
using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class KeyFormatTests
{
    private static readonly KeyFormat Format = new(Make.FormatOptions);

    [Fact]
    public void A_minted_secret_has_its_environments_prefix_length_and_shape()
    {
        for (int environment = 0; environment < 2; environment++)
        {
            string secret = Format.Mint(environment);
            Assert.StartsWith(Make.FormatOptions.Environments[environment].Prefix, secret, StringComparison.Ordinal);
            Assert.Equal(8 + 36, secret.Length);
            Assert.True(Parse(Format, secret, out KeyShape shape));
            Assert.Equal(new KeyShape((byte)environment, false), shape);
        }
    }

    [Fact]
    public void The_checksum_is_the_crc_of_all_before_it_in_six_base62_digits()
    {
        // The check value of "123456789" that every catalogue of CRCs gives.
        Assert.Equal(0xCBF43926u, Crc32.Of("123456789"u8));
        Span<char> digits = stackalloc char[6];
        Base62.Write(61, digits);
        Assert.Equal("00000z", digits.ToString());
        Base62.Write(62, digits);
        Assert.Equal("000010", digits.ToString());
        Base62.Write(uint.MaxValue, digits);
        Assert.Equal(uint.MaxValue, Base62.Read(Encoding.ASCII.GetBytes(digits.ToString())));
    }

    [Fact]
    public void Changing_any_one_character_spoils_a_secret()
    {
        string secret = Format.Mint(0);
        for (int i = 0; i < secret.Length; i++)
        {
            char other = secret[i] == 'x' ? 'y' : 'x';
            Assert.False(Parse(Format, string.Concat(secret.AsSpan(0, i), other.ToString(), secret.AsSpan(i + 1)), out _), $"at {i}");
        }
    }

    [Fact]
    public void One_character_too_few_or_too_many_and_ten_thousand_are_refused()
    {
        string secret = Format.Mint(0);
        Assert.False(Parse(Format, secret[..^1], out _));
        Assert.False(Parse(Format, secret + "0", out _));
        Assert.False(Parse(Format, secret + new string('a', 10_000), out _));
        Assert.False(Parse(Format, "", out _));
        Assert.Equal(secret.Length, Format.LengthMin);
        Assert.Equal(secret.Length, Format.LengthMax);
    }

    [Fact]
    public void Junk_of_every_length_and_byte_is_refused_and_nothing_is_thrown()
    {
        const int Seed = 20;
        var random = new Random(Seed);
        var junk = new byte[300];
        for (int round = 0; round < 200_000; round++)
        {
            Span<byte> text = junk.AsSpan(0, random.Next(junk.Length));
            random.NextBytes(text);
            if (text.Length > 8 && round % 2 == 0)
            {
                "tg_live_"u8.CopyTo(text);
            }

            Assert.False(Format.TryParse(text, out _), $"seed {Seed}, round {round}");
        }
    }

    [Fact]
    public void Base62_junk_of_the_right_shape_fails_at_the_checksum()
    {
        const int Seed = 21;
        var random = new Random(Seed);
        Span<byte> text = stackalloc byte[44];
        for (int round = 0; round < 200_000; round++)
        {
            Encoding.ASCII.GetBytes("tg_live_" + random.GetString(Base62.Digits, 36), text);
            Assert.False(Format.TryParse(text, out _), $"seed {Seed}, round {round}");
        }
    }

    [Fact]
    public void Foreign_shapes_are_known_by_prefix_and_length_without_a_checksum()
    {
        var format = new KeyFormat(Make.FormatOptions with { Accepts = [new ForeignFormat("old-", 40), new ForeignFormat("", 64)] });
        Assert.True(Parse(format, "old-" + new string('-', 40), out KeyShape shape));
        Assert.Equal(new KeyShape(0, true), shape);
        Assert.True(Parse(format, new string('f', 64), out shape));
        Assert.Equal(new KeyShape(1, true), shape);
        Assert.False(Parse(format, "old-" + new string('a', 39), out _));
        Assert.False(Parse(format, "old-" + new string(' ', 40), out _));
        Assert.True(Parse(format, format.Mint(1), out shape));
        Assert.Equal(new KeyShape(1, false), shape);
    }

    [Fact]
    public void Where_one_prefix_begins_another_every_secret_is_told_as_its_own_environment()
    {
        var format = new KeyFormat(new KeyFormatOptions
        {
            Environments = [new KeyEnvironment("live", ""), new KeyEnvironment("test", "t"), new KeyEnvironment("trial", "tt")],
            Length = 30,
            Accepts = [new ForeignFormat("ttt", 29)],
        });
        for (int i = 0; i < 3_000; i++)
        {
            int environment = i % 3;
            Assert.True(Parse(format, format.Mint(environment), out KeyShape shape));
            Assert.Equal(new KeyShape((byte)environment, false), shape);
        }

        Assert.True(Parse(format, "ttt" + new string('a', 29), out KeyShape longest));
        Assert.Equal(new KeyShape(0, true), longest);
    }

    [Fact]
    public void A_mask_shows_head_and_tail_and_never_everything()
    {
        Assert.Equal("sk-a1b2c...wxyz", KeyFormat.Mask("sk-a1b2c0000000000wxyz", 8, 4));
        Assert.Equal("...", KeyFormat.Mask("short", 3, 2));
        Assert.Equal("...", KeyFormat.Mask("short", 6, 0));
        Assert.Equal("...rt", KeyFormat.Mask("short", 0, 2));
        string secret = Format.Mint(0);
        Assert.Equal(secret[..11] + "..." + secret[^4..], Format.Mask(secret));
    }

    [Fact]
    public void All_mistakes_of_a_format_are_told_at_once()
    {
        KeyFormatOptions wrong = Make.FormatOptions with
        {
            Environments = [new KeyEnvironment("live", "a b"), new KeyEnvironment("live", "a b")],
            Length = 20,
            Accepts = [new ForeignFormat("x", 300)],
            MaskTail = -1,
        };
        IReadOnlyList<string> errors = wrong.Validate();
        string[] parts = ["a prefix has at most", "names are not empty", "another environment's", "128", "1 to 200", "fewer than 0"];
        foreach (string part in parts)
        {
            Assert.Contains(errors, error => error.Contains(part, StringComparison.Ordinal));
        }

        Assert.Throws<ArgumentException>(() => new KeyFormat(wrong));
    }

    [Theory]
    [InlineData(22, 0, true)]
    [InlineData(21, 0, false)]
    [InlineData(26, 4, true)]
    [InlineData(25, 4, false)]
    public void At_least_128_bits_stay_behind_the_mask(int length, int tail, bool good)
    {
        KeyFormatOptions options = Make.FormatOptions with { Length = length, Crc32Checksum = false, MaskHead = 8, MaskTail = tail };
        Assert.Equal(good, options.Validate().Count == 0);
        Assert.Equal(good, (options with { Length = length + 6, Crc32Checksum = true }).Validate().Count == 0);
    }

    [Theory]
    [InlineData(16, "old-", "")]
    [InlineData(32, "old-", "")]
    [InlineData(33, "old-", "y")]
    [InlineData(36, "old-", "vwxy")]
    [InlineData(38, "old-ab", "vwxy")]
    [InlineData(60, "old-abcdefg", "vwxy")]
    public void The_mask_of_a_foreign_secret_leaves_128_bits_hidden_even_were_it_hexadecimal(int length, string head, string tail)
    {
        var format = new KeyFormat(Make.FormatOptions with { Accepts = [new ForeignFormat("old-", length)] });
        string secret = "old-abcdefg".PadRight(length, '0')[..length] + "vwxy";

        Assert.Equal($"{head}...{tail}", format.Mask(secret));
        Assert.True(format.TryMask(secret[..12], secret[^8..], out string mask));
        Assert.Equal($"{head}...{tail}", mask);
    }

    [Fact]
    public void Of_what_is_known_of_a_secret_the_shape_that_may_show_least_decides()
    {
        var format = new KeyFormat(Make.FormatOptions with { Accepts = [new ForeignFormat("sk-", 22), new ForeignFormat("sk-", 48)] });

        Assert.True(format.TryMask("sk-abcd", "wxyz", out string mask));
        Assert.Equal("sk-...", mask);
        Assert.True(format.TryMask("s", "", out mask));
        Assert.Equal("s...", mask);
        Assert.True(format.TryMask("", "wxyz", out mask));
        Assert.Equal("...", mask);
        Assert.True(format.TryMask("tg_live_abcdef", "uvwxyz", out mask));
        Assert.Equal("tg_live_abc...wxyz", mask);
        Assert.False(format.TryMask("pk-", "", out _));
        Assert.False(format.TryMask("sk-" + new string('a', 60), "", out _));
    }

    [Fact]
    public void The_bounds_of_a_format_hold_and_one_past_them_is_refused()
    {
        KeyFormatOptions With(int environments, int accepts, int prefix, int length) => new()
        {
            Environments = [.. Enumerable.Range(0, environments).Select(i => new KeyEnvironment($"e{i}", $"{i}".PadRight(prefix, '_')))],
            Accepts = [.. Enumerable.Range(0, accepts).Select(i => new ForeignFormat($"f{i}", 60))],
            Length = length,
        };
        Assert.Empty(With(8, 16, 32, 200).Validate());
        Assert.NotEmpty(With(9, 16, 32, 200).Validate());
        Assert.NotEmpty(With(8, 17, 32, 200).Validate());
        Assert.NotEmpty(With(8, 16, 33, 200).Validate());
        Assert.NotEmpty(With(8, 16, 32, 201).Validate());
        Assert.NotEmpty(With(0, 0, 0, 60).Validate());
        Assert.True(Parse(new KeyFormat(With(8, 16, 32, 200)), new KeyFormat(With(8, 16, 32, 200)).Mint(7), out _));
    }

    /// <summary>K3. The bound of the chi-square, 140 at 61 degrees of freedom, is passed by chance once in ten million positions.</summary>
    [Fact]
    public void A_million_secrets_are_unique_well_formed_and_even_at_every_position()
    {
        const int Secrets = 1_000_000;
        var counts = new int[30, 128];
        int wellFormed = 0;
        var seen = new HashSet<KeyHash>(Secrets);
        Span<byte> bytes = stackalloc byte[44];
        for (int i = 0; i < Secrets; i++)
        {
            Encoding.ASCII.GetBytes(Format.Mint(0), bytes);
            wellFormed += Format.TryParse(bytes, out _) ? 1 : 0;
            seen.Add(KeyHash.Of(bytes));
            for (int position = 0; position < 30; position++)
            {
                counts[position, bytes[8 + position]]++;
            }
        }

        Assert.Equal(Secrets, wellFormed);
        Assert.Equal(Secrets, seen.Count);

        const double Expected = Secrets / 62.0;
        for (int position = 0; position < 30; position++)
        {
            double chiSquare = Base62.Digits.Sum(digit => Math.Pow(counts[position, digit] - Expected, 2) / Expected);
            Assert.True(chiSquare < 140, $"position {position}: {chiSquare}");
        }
    }

    private static bool Parse(KeyFormat format, string secret, out KeyShape shape)
        => format.TryParse(Encoding.UTF8.GetBytes(secret), out shape);
}
