namespace Tollgate.Engine.Limits;

/// <summary>What a limit counts.</summary>
public enum LimitCounts : byte
{
    Requests,

    /// <summary>Input and output together.</summary>
    Tokens,
    InputTokens,
    OutputTokens,

    /// <summary>Requests under way at a time; such a limit has no window.</summary>
    ConcurrentRequests,
}

/// <summary>
/// A limit of the provider file: what is counted, over which window, for which requests. How many there may be is the plan's to say.
/// </summary>
public sealed record Limit
{
    public const int NameCharsMax = 40;

    public const long AmountMax = 1_000_000_000;

    /// <summary>From this on a window outlasts a restart.</summary>
    public const long LastingWindowMs = 3_600_000;

    public const long WindowMsMax = 31L * 24 * 3_600_000;

    public required string Name { get; init; }

    public required LimitCounts Counts { get; init; }

    /// <summary>The length of the rolling window; 0 for concurrent requests.</summary>
    public required long WindowMs { get; init; }

    /// <summary>Counts only requests that need one of these actions; 0 for any.</summary>
    public byte Actions { get; init; }

    /// <summary>Counts only requests that need one of these scopes; 0 for any.</summary>
    public ulong Scopes { get; init; }

    /// <summary>Leaves out requests that need one of these scopes.</summary>
    public ulong ExceptScopes { get; init; }

    public bool Lasts => WindowMs >= LastingWindowMs;

    /// <summary>
    /// How finely its window counts: what happens within a slot leaves the window at one time. A slot begins at a multiple of its length.
    /// </summary>
    public long SlotMs => RollingWindow.SlotMsOf(WindowMs);
}
