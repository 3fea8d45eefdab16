using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class KeyIdTests
{
    [Fact]
    public void New_ids_differ_and_can_be_read_back()
    {
        KeyId[] ids = [.. Enumerable.Range(0, 1_000).Select(_ => KeyId.New())];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, id => Assert.True(KeyId.TryParse(id.Text, out KeyId read) && read == id));
    }

    [Fact]
    public void A_packed_id_is_written_out_as_it_was()
    {
        KeyId[] ids = [.. Enumerable.Range(0, 1_000).Select(_ => KeyId.New())];
        Span<byte> packed = stackalloc byte[KeyId.PackedBytes];
        Span<byte> text = stackalloc byte[KeyId.Length];
        foreach (KeyId id in ids)
        {
            packed.Fill(0xFF);
            id.Pack(packed);
            KeyId.Unpack(packed, text);
            Assert.Equal(id.Text, System.Text.Encoding.ASCII.GetString(text));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("key_")]
    [InlineData("KEY_0000000000000000000000")]
    [InlineData("key_000000000000000000000")]
    [InlineData("key_00000000000000000000000")]
    [InlineData("key_000000000000000000000-")]
    public void Anything_else_is_not_an_id(string? text) => Assert.False(KeyId.TryParse(text, out _));

    [Fact]
    public void The_default_names_no_key() => Assert.False(KeyId.TryParse(default(KeyId).Text, out _));
}
