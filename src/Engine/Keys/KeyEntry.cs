namespace Tollgate.Engine.Keys;

/// <summary>
/// What is put into the <see cref="KeyTable"/> for one secret of a key, as it was found in the database by that secret's hash. Read on a
/// load, never on a check.
/// </summary>
public sealed record KeyEntry
{
    /// <summary>Secrets of one key held at a time: live ones, and ended ones that are still tried.</summary>
    public const int SecretsMax = 8;

    public const int FactsBytesMax = 16 * 1024;

    /// <summary>The key's number in the database, from 1.</summary>
    public required uint KeyNo { get; init; }

    /// <summary>Grows with every change of the key: an older entry never replaces a newer one.</summary>
    public required long Version { get; init; }

    /// <summary>Where its project stands in the <see cref="ProjectTable"/>.</summary>
    public required uint ProjectIndex { get; init; }

    /// <summary>The secret it was found by.</summary>
    public required KeyHash Hash { get; init; }

    /// <summary>
    /// When this secret ends, ahead of the key: after a rotation, the end of its grace; <see cref="long.MaxValue"/> while it is live.
    /// </summary>
    public long EndsAtMs { get; init; } = long.MaxValue;

    /// <summary>What it shares with other keys: what it may reach, above all.</summary>
    public KeyProfile Profile { get; init; } = KeyProfile.None;

    public KeyState State { get; init; }

    /// <summary>Unix milliseconds from which the key is refused; <see cref="long.MaxValue"/> for never.</summary>
    public long ExpiresAtMs { get; init; } = long.MaxValue;

    /// <summary>Null lets every address in.</summary>
    public AddressRule? Addresses { get; init; }

    /// <summary>UTF-8 that the Engine keeps and hands back with every verdict, unread: at most 16 KB.</summary>
    public ReadOnlyMemory<byte> Facts { get; init; }

    internal void ThrowIfWrong()
    {
        ArgumentOutOfRangeException.ThrowIfZero(KeyNo);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Facts.Length, FactsBytesMax, nameof(Facts));
        if (Hash == default)
        {
            throw new ArgumentException("A secret has a hash.", nameof(Hash));
        }
    }
}
