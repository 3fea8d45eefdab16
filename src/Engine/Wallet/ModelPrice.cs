namespace Tollgate.Engine.Wallet;

/// <summary>What a model's tokens cost, in millionths of the currency's unit for a million tokens.</summary>
public readonly record struct ModelPrice(long InputPerMillion, long OutputPerMillion)
{
    private const long Tokens = 1_000_000;

    /// <summary>
    /// The exact price, rounded up to the next millionth once, at the end: many small requests cannot slip through for nothing.
    /// </summary>
    public Money Cost(long inputTokens, long outputTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inputTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(outputTokens);
        Int128 exact = ((Int128)inputTokens * InputPerMillion) + ((Int128)outputTokens * OutputPerMillion);
        return new Money(checked((long)((exact + Tokens - 1) / Tokens)));
    }
}
