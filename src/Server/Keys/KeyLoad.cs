namespace Tollgate.Server.Keys;

/// <summary>
/// How a load ended. Done: the table knows the key, or that there is none. Busy, the default: too many reads wait already, so that this one
/// was not begun. Limited: the client's network has had its share of unknown keys, and has one more after some seconds.
/// </summary>
internal readonly record struct KeyLoad
{
    public static readonly KeyLoad Done = new() { IsDone = true };

    public static readonly KeyLoad Busy;

    public bool IsDone { get; private init; }

    /// <summary>1 to 59 where the network is limited, else 0.</summary>
    public int RetryAfterSeconds { get; private init; }

    public static KeyLoad Limited(int retryAfterSeconds) => new() { RetryAfterSeconds = retryAfterSeconds };
}
