using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Usage;

/// <summary>A request that was made without asking the gate, as its server tells it afterwards.</summary>
public readonly record struct RecordedUse
{
    public required long RequestNo { get; init; }

    public required uint KeyNo { get; init; }

    public required uint OrganizationNo { get; init; }

    /// <summary>What it is paid from; null where the provider has no wallet.</summary>
    public Balance? Balance { get; init; }

    /// <summary>What the request needed; the default for a request of which nobody knows.</summary>
    public Requirement Requirement { get; init; }

    public ushort Model { get; init; }

    public ushort PriceVersion { get; init; }

    public uint InputTokens { get; init; }

    public uint OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public uint CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public uint ReasoningTokens { get; init; }

    /// <summary>Null where no price is known.</summary>
    public Money? Cost { get; init; }

    public ushort Status { get; init; }

    public uint LatencyMs { get; init; }

    public UsageFlags Flags { get; init; }

    /// <summary>Unix milliseconds at which the request was made.</summary>
    public required long MadeAtMs { get; init; }

    /// <summary>Unix milliseconds of now.</summary>
    public required long AtMs { get; init; }

    /// <summary>The clock of limits, now: what was used counts from now on, whenever it was.</summary>
    public required long ClockMs { get; init; }
}
