using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Usage;

/// <summary>What an admitted request really took.</summary>
public readonly record struct Settlement
{
    public uint InputTokens { get; init; }

    public uint OutputTokens { get; init; }

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

/// <summary>What became of a settlement or a mark. The default is that nothing did.</summary>
public enum SettleResult
{
    /// <summary>No such reservation is open: it was settled before, or never made.</summary>
    NotOpen,

    /// <summary>The usage buffer has no room. Nothing was done; soon there is room.</summary>
    Full,
    Done,
}
