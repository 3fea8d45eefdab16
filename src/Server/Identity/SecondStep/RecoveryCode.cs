using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Server.Identity.SecondStep;

/// <summary>
/// A code for who has lost the app: fifty random bits in letters that nobody takes for others. A guesser has a handful of tries an hour.
/// </summary>
internal static class RecoveryCode
{
    /// <summary>Given out at a time.</summary>
    public const int Count = 10;

    private const int Length = 10;
    private const string Alphabet = "23456789abcdefghjkmnpqrstuvwxyz";

    public static string New()
    {
        var code = RandomNumberGenerator.GetString(Alphabet, Length);
        return $"{code[..5]}-{code[5..]}";
    }

    /// <summary>However somebody typed it; null when it cannot be one.</summary>
    public static string? Read(string typed)
    {
        var plain = string.Concat(typed.ToLowerInvariant().Where(one => one is not ('-' or ' ')));
        return plain.Length == Length && plain.All(one => Alphabet.Contains(one, StringComparison.Ordinal)) ? plain : null;
    }

    /// <summary>Before the pepper comes to it. With the person in it, so that a row moved to another opens nothing.</summary>
    public static byte[] HashOf(Person person, string plain) => SHA256.HashData(Encoding.ASCII.GetBytes($"recovery {person.Id} {plain}"));
}
