using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class FactsHeaderTests
{
    [Theory]
    [InlineData(1u, 1, long.MaxValue, 0, 28, 8)]
    [InlineData(uint.MaxValue, 127, long.MaxValue, 0, 127, 8)]
    [InlineData(1u, 128, long.MaxValue, 0, 128, 10)]
    [InlineData(1u, 1, 1_800_000_000_000, 0, 28, 13)]
    [InlineData(7u, long.MaxValue, long.MaxValue - 1, 16_000, 16_384, 27)]
    [InlineData(7u, long.MinValue, 0, 1, 1, 17)]
    [InlineData(7u, 0, 0, 0, 0, 8)]
    public void A_header_is_read_as_it_was_written_in_as_few_bytes_as_will_do(
        uint keyNo, long version, long expires, int addressBytes, int factsBytes, int bytes)
    {
        var header = new FactsHeader
        {
            KeyNo = keyNo,
            Version = version,
            ExpiresAtMs = expires,
            AddressBytes = addressBytes,
            FactsBytes = factsBytes,
        };
        Span<byte> record = stackalloc byte[40];
        record.Fill(0xAA);
        header.Write(record);
        FactsHeader read = FactsHeader.Read(record, out int length);
        Assert.Equal((keyNo, version, expires), (read.KeyNo, read.Version, read.ExpiresAtMs));
        Assert.Equal((addressBytes, factsBytes), (read.AddressBytes, read.FactsBytes));
        Assert.Equal((bytes, bytes), (header.Bytes, length));
        Assert.Equal(0xAA, record[length]);
    }

    [Fact]
    public void An_expiry_before_1970_is_told_as_1970_and_never_as_none()
    {
        var header = new FactsHeader { KeyNo = 1, Version = 1, ExpiresAtMs = -1, AddressBytes = 0, FactsBytes = 0 };
        Span<byte> record = stackalloc byte[16];
        header.Write(record);
        Assert.Equal(0, FactsHeader.Read(record, out _).ExpiresAtMs);
    }
}
