using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>Bytes that wait, up to a bound. Its memory grows with what it holds and stays for what comes after.</summary>
internal sealed class KeptBytes(int bound)
{
    private const int FirstBytes = 256;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>False at the bound; what fits below it is taken all the same, so that it does not matter how they were cut.</summary>
    public bool TryAdd(ReadOnlySpan<byte> more)
    {
        var fits = more[..Math.Min(more.Length, bound - Length)];
        if (Length + fits.Length > _bytes.Length)
        {
            var grown = Math.Max((long)Length + fits.Length, Math.Max(FirstBytes, 2L * _bytes.Length));
            Array.Resize(ref _bytes, (int)Math.Min(bound, grown));
        }

        fits.CopyTo(_bytes.AsSpan(Length));
        Length += fits.Length;
        return fits.Length == more.Length;
    }

    public void Clear() => Length = 0;

    public void MoveTo(IBufferWriter<byte> output)
    {
        output.Write(Span);
        Length = 0;
    }
}
