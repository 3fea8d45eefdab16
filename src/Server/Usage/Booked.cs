using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Usage;

/// <summary>A request that passed, once it is known what it came to: a line of the log.</summary>
internal readonly record struct BookedRequest
{
    public required long RequestNo { get; init; }

    public required long KeyNo { get; init; }

    /// <summary>When it was admitted; sums go by this too, so that they are the sums of the log.</summary>
    public required long AtMs { get; init; }

    public int Model { get; init; }

    public int PriceVersion { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    /// <summary>Of the input.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Of the output.</summary>
    public long ReasoningTokens { get; init; }

    /// <summary>Null where no price was asked.</summary>
    public Money? Cost { get; init; }

    /// <summary>What it cost beyond what was held.</summary>
    public Money Loss { get; init; }

    /// <summary>0 where nobody told.</summary>
    public int Status { get; init; }

    public long LatencyMs { get; init; }

    public BookedFlags Flags { get; init; }
}

/// <summary>A request that was refused though its key is known.</summary>
internal readonly record struct BookedRefusal
{
    public required long RequestNo { get; init; }

    public required long KeyNo { get; init; }

    public required long AtMs { get; init; }

    public int Model { get; init; }

    /// <summary>The stable number of the verdict's code.</summary>
    public required int Code { get; init; }

    /// <summary>The limit that refused; null when none did.</summary>
    public string? LimitName { get; init; }

    public long LimitAmount { get; init; }

    public long LimitRemaining { get; init; }

    /// <summary>0 where it is not a matter of time.</summary>
    public long RetryAtMs { get; init; }
}

/// <summary>What is said of a line of the log; the first three are the Engine's own bits.</summary>
[Flags]
internal enum BookedFlags
{
    None = 0,
    Estimated = UsageFlags.Estimated,
    Orphaned = UsageFlags.Orphaned,
    Priced = UsageFlags.Priced,

    /// <summary>Told of afterwards, by a server that did not ask the gate.</summary>
    Recorded = 16,
}
