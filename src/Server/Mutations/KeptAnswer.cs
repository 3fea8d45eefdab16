namespace Tollgate.Server.Mutations;

/// <summary>An answer as the database keeps it; sealed, or gone when it held a secret and its time is over.</summary>
internal sealed record KeptAnswer
{
    public const long SecretMs = 10 * 60 * 1_000;
    public const long KeptMs = 24 * 60 * 60 * 1_000;

    public required string Id { get; init; }

    public required string RequestHash { get; init; }

    public long Status { get; init; }

    public long HoldsSecret { get; init; }

    public byte[]? Answer { get; init; }

    public long CreatedAtMs { get; init; }

    public bool IsReadableAt(long nowMs) => Answer is not null && (HoldsSecret == 0 || nowMs - CreatedAtMs <= SecretMs);
}
