namespace Tollgate.Gateway.Metering;

/// <summary>
/// How many tokens are assumed where the upstream does not tell: a quarter of the bytes of the text, rounded up; of the input, a quarter of
/// what bounds it. Amounts stay at the most that fits.
/// </summary>
internal static class TokenEstimate
{
    private const int BytesPerToken = 4;

    /// <summary>Text that is not empty is at least one token.</summary>
    public static uint OfText(long bytes) => (uint)Math.Clamp((bytes + BytesPerToken - 1) / BytesPerToken, 0, uint.MaxValue);

    public static uint OfInput(ModelCall call) => OfText(call.InputBound);

    public static uint Sum(uint one, uint other) => (uint)Math.Min(uint.MaxValue, (ulong)one + other);
}

/// <summary>The members of an answer whose strings are what a model has said.</summary>
internal static class TextMembers
{
    public static bool Has(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => name.SequenceEqual("text"u8) || name.SequenceEqual("name"u8),
        7 => name.SequenceEqual("content"u8) || name.SequenceEqual("refusal"u8),
        9 => name.SequenceEqual("arguments"u8) || name.SequenceEqual("reasoning"u8),
        17 => name.SequenceEqual("reasoning_content"u8),
        _ => false,
    };
}
