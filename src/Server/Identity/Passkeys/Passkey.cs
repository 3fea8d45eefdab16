using Microsoft.AspNetCore.Identity;

namespace Tollgate.Server.Identity.Passkeys;

/// <summary>A passkey of a person: what is kept of it.</summary>
internal sealed record Passkey
{
    public byte[] CredentialId { get; init; } = [];

    public long PersonNo { get; init; }

    /// <summary>What the person calls it.</summary>
    public string Name { get; init; } = "";

    public byte[] PublicKey { get; init; } = [];

    public long SignCount { get; init; }

    /// <summary>How the device is reached, as it said itself; words between commas.</summary>
    public string Transports { get; init; } = "";

    public long IsBackupEligible { get; init; }

    public long IsBackedUp { get; init; }

    public long CreatedAtMs { get; init; }

    public long UsedAtMs { get; init; }

    /// <summary>In lists and forms.</summary>
    public string Id => Convert.ToHexStringLower(CredentialId);

    /// <summary>As the framework's handler knows it. Where it came from was looked at when it was made, and is kept by nobody.</summary>
    public UserPasskeyInfo ToInfo() => new(
        CredentialId, PublicKey, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAtMs), (uint)SignCount,
        Transports.Split(',', StringSplitOptions.RemoveEmptyEntries), isUserVerified: true, IsBackupEligible != 0, IsBackedUp != 0, [], [])
    {
        Name = Name,
    };

    public static Passkey Of(Person person, UserPasskeyInfo info, long nowMs) => new()
    {
        CredentialId = info.CredentialId,
        PersonNo = person.PersonNo,
        Name = info.Name ?? "",
        PublicKey = info.PublicKey,
        SignCount = info.SignCount,
        Transports = string.Join(',', info.Transports ?? []),
        IsBackupEligible = info.IsBackupEligible ? 1 : 0,
        IsBackedUp = info.IsBackedUp ? 1 : 0,
        CreatedAtMs = nowMs,
        UsedAtMs = nowMs,
    };
}
