using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Usage;

/// <summary>What an admitted request really took.</summary>
public readonly record struct Settlement
{
    public uint InputTokens { get; init; }

    public uint OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public uint CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public uint ReasoningTokens { get; init; }

    /// <summary>What the tokens cost; never below nothing. What goes beyond the hold is the operator's loss.</summary>
    public Money Cost { get; init; }

    /// <summary>The HTTP status that the API server told; 0 when it told none.</summary>
    public ushort Status { get; init; }

    public uint LatencyMs { get; init; }

    public UsageFlags Flags { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public required long AtMs { get; init; }

    /// <summary>The clock of the limits' windows.</summary>
    public required long ClockMs { get; init; }
}

/// <summary>What became of a settlement, a mark or an extension. The default is that nothing did.</summary>
public enum SettleResult
{
    /// <summary>No such reservation is open: it was settled before, or never made.</summary>
    NotOpen,

    /// <summary>The usage buffer has no room. Nothing was done; soon there is room.</summary>
    Full,
    Done,

    /// <summary>The balance has not as much as was to be held. Nothing was done; what was held before still is.</summary>
    Unpaid,
}
