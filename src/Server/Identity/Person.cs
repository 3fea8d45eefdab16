using System.Buffers;
using System.Security.Cryptography;
using Tollgate.Server.Access;

namespace Tollgate.Server.Identity;

/// <summary>Somebody who signs in. A class that changes, because Identity's managers work on one; it is written as a whole row.</summary>
internal sealed class Person
{
    public long PersonNo { get; set; }

    /// <summary><c>per_</c> and 22 random characters; also the name by which Identity's managers know a person.</summary>
    public string Id { get; init; } = NewId();

    public string Name { get; set; } = "";

    /// <summary>As it was typed; null for an operator who has given none, and for who is deleted.</summary>
    public string? Email { get; set; }

    /// <summary>The canonical form, which is unique. See <see cref="EmailAddress"/>.</summary>
    public string? EmailKey { get; set; }

    /// <summary>When somebody proved to read mails at this address.</summary>
    public long? VerifiedAtMs { get; set; }

    public string? PasswordHash { get; set; }

    /// <summary>Another one with each change of rights.</summary>
    public string Stamp { get; set; } = "";

    public long IsOperator { get; init; }

    /// <summary>The personal organization; the operator's own for an operator.</summary>
    public string OrganizationId { get; init; } = "";

    public long? DisabledAtMs { get; set; }

    public long? DeletedAtMs { get; set; }

    public long CreatedAtMs { get; init; }

    public long RowVersion { get; set; }

    public bool MaySignIn => DisabledAtMs is null && DeletedAtMs is null;

    /// <summary>As the author of a change. Without the name: what the audit log is told stays for good, and people go.</summary>
    public Caller Caller => new() { Kind = CallerKind.Person, Id = Id, Name = Id, OrganizationId = OrganizationId };

    public static string NewId() => "per_" + RandomNumberGenerator.GetString(SecretText.Alphabet, 22);
}

/// <summary>What is handed out once and kept as a hash: 256 random bits in 43 characters that need no escape in a URL.</summary>
internal static class SecretText
{
    public const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    public const int Length = 43;

    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    public static string New() => RandomNumberGenerator.GetString(Alphabet, Length);

    /// <summary>Whether it can be one at all; what is not is looked up nowhere.</summary>
    public static bool IsOne(string? text) => text?.Length == Length && text.AsSpan().IndexOfAnyExcept(Characters) < 0;
}
