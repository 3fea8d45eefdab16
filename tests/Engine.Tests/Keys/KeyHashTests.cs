using System.Text;
using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class KeyHashTests
{
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void Known_texts_have_their_published_hash(string text, string hex)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(hex, Convert.ToHexStringLower(KeyHash.Of(bytes).ToBytes()));
        Assert.Equal(hex, Convert.ToHexStringLower(KeyHash.OfByFramework(bytes).ToBytes()));
    }

    [Fact]
    public void Both_providers_agree_on_every_length_around_the_blocks_and_the_bound_of_the_native_one()
    {
        var random = new Random(1);
        var bytes = new byte[Sha256.NativeBytesMax + 70];
        for (int length = 0; length <= bytes.Length; length++)
        {
            random.NextBytes(bytes);
            Assert.True(KeyHash.OfByFramework(bytes.AsSpan(0, length)) == KeyHash.Of(bytes.AsSpan(0, length)), $"length {length}");
        }
    }

    [Fact]
    public void The_direct_library_is_used_where_the_machine_has_it_and_nobody_forbids_it()
    {
        bool forbidden = Environment.GetEnvironmentVariable("TOLLGATE_SHA256") == "bcl";
        bool present = System.Runtime.InteropServices.NativeLibrary.TryLoad("libcrypto.so.3", out _);
        Assert.Equal(present && !forbidden ? "libcrypto" : "bcl", KeyHash.Provider);
    }

    [Fact]
    public void A_difference_in_any_byte_makes_two_hashes_unequal()
    {
        byte[] bytes = Make.Hash(1).ToBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] other = [.. bytes];
            other[i] ^= 0x10;
            Assert.False(KeyHash.FromBytes(bytes) == KeyHash.FromBytes(other), $"byte {i}");
        }

        Assert.True(KeyHash.FromBytes(bytes) == Make.Hash(1));
    }

    [Fact]
    public void Hexadecimal_is_read_in_both_cases_and_nothing_else_is()
    {
        string hex = Convert.ToHexStringLower(Make.Hash(7).ToBytes());
        Assert.True(KeyHash.TryFromHex(hex, out KeyHash lower));
        Assert.True(KeyHash.TryFromHex(hex.ToUpperInvariant(), out KeyHash upper));
        Assert.Equal(Make.Hash(7), lower);
        Assert.Equal(lower, upper);
        Assert.False(KeyHash.TryFromHex(hex.AsSpan(0, 63), out _));
        Assert.False(KeyHash.TryFromHex(hex + "0", out _));
        Assert.False(KeyHash.TryFromHex(hex.Replace(hex[5], 'g'), out _));
        Assert.False(KeyHash.TryFromBytes(new byte[31], out _));
        Assert.False(KeyHash.TryFromBytes(new byte[33], out _));
    }

    [Fact]
    public void A_hash_does_not_print_itself()
        => Assert.DoesNotContain(Convert.ToHexStringLower(Make.Hash(7).ToBytes())[..8], Make.Hash(7).ToString(), StringComparison.Ordinal);
}
