namespace Tollgate.Engine.Wallet;

/// <summary>What a model's tokens cost, in millionths of the currency's unit for a million tokens.</summary>
public readonly record struct ModelPrice(long InputPerMillion, long OutputPerMillion)
{
    private const long Tokens = 1_000_000;

    /// <summary>Of input tokens that the model server had in its cache; null where they cost as other input does.</summary>
    public long? CachedPerMillion { get; init; }

    /// <summary>Of output tokens that the model thought with; null where they cost as other output does.</summary>
    public long? ReasoningPerMillion { get; init; }

    /// <summary>
    /// The exact price, rounded up to the next millionth once, at the end: many small requests cannot slip through for nothing.
    /// </summary>
    /// <param name="inputTokens">All of the input.</param>
    /// <param name="outputTokens">All of the output.</param>
    /// <param name="cachedTokens">Those of the input that were cached.</param>
    /// <param name="reasoningTokens">Those of the output that are reasoning.</param>
    public Money Cost(long inputTokens, long outputTokens, long cachedTokens = 0, long reasoningTokens = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cachedTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(reasoningTokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputTokens, cachedTokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputTokens, reasoningTokens);
        Int128 exact = ((Int128)(inputTokens - cachedTokens) * InputPerMillion)
            + ((Int128)cachedTokens * (CachedPerMillion ?? InputPerMillion))
            + ((Int128)(outputTokens - reasoningTokens) * OutputPerMillion)
            + ((Int128)reasoningTokens * (ReasoningPerMillion ?? OutputPerMillion));
        return new Money(checked((long)((exact + Tokens - 1) / Tokens)));
    }

    /// <summary>
    /// What so many tokens cost at most, whatever of them turns out to be cached or reasoning: what is held for a request.
    /// </summary>
    public Money MostCost(long inputTokens, long outputTokens) => Cost(
        inputTokens, outputTokens, CachedPerMillion > InputPerMillion ? inputTokens : 0,
        ReasoningPerMillion > OutputPerMillion ? outputTokens : 0);
}
