namespace Tollgate.Gateway.Metering;

/// <summary>How many tokens a request has used.</summary>
internal readonly record struct TokenUse
{
    public uint InputTokens { get; init; }

    public uint OutputTokens { get; init; }

    /// <summary>Those of the input that the upstream had in its cache; a part of <see cref="InputTokens"/>.</summary>
    public uint CachedTokens { get; init; }

    /// <summary>Those of the output that nobody gets to see; a part of <see cref="OutputTokens"/>.</summary>
    public uint ReasoningTokens { get; init; }

    /// <summary>Whether the upstream told them; otherwise they are an estimate of what was seen.</summary>
    public bool IsReported { get; init; }

    /// <summary>Whether it told those of the input, whatever came after.</summary>
    public bool IsInputReported { get; init; }
}
