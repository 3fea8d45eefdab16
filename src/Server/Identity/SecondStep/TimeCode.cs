using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Server.Identity.SecondStep;

/// <summary>
/// Codes that an app and we count from the same secret and the time (RFC 6238, in the only form that all apps know: SHA-1, six digits, half
/// a minute). Our own few lines, because the framework's take the time from the machine and let a code be used again.
/// </summary>
internal static class TimeCode
{
    public const int Digits = 6;
    public const int StepSeconds = 30;

    private const int SecretBytes = 20;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretBytes);

    /// <summary>
    /// The span of time whose code it is: the one of now, the one before or the one after, as clocks differ. Null for none.
    /// </summary>
    public static long? Match(byte[] secret, string code, long nowMs)
    {
        var now = nowMs / (StepSeconds * 1_000L);
        long? found = null;
        foreach (var step in (ReadOnlySpan<long>)[now - 1, now, now + 1])
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(At(secret, step)), Encoding.UTF8.GetBytes(code)))
            {
                found = step;
            }
        }

        return found;
    }

    public static string At(byte[] secret, long step)
    {
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
#pragma warning disable CA5350 // The standard's: apps know no other, and what breaks SHA-1 does not break a HMAC of it.
        var hash = HMACSHA1.HashData(secret, counter);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 15)) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>As apps read it, and people who type it.</summary>
    public static string Text(byte[] secret)
    {
        var text = new StringBuilder();
        for (var bit = 0; bit < secret.Length * 8; bit += 5)
        {
            var two = (secret[bit / 8] << 8) | (bit / 8 + 1 < secret.Length ? secret[(bit / 8) + 1] : 0);
            text.Append(Base32[(two >> (11 - (bit % 8))) & 31]);
        }

        return text.ToString();
    }

    /// <summary>What the square says: apps open it too.</summary>
    public static string Link(byte[] secret, string company, string account) =>
        $"otpauth://totp/{Uri.EscapeDataString(company)}:{Uri.EscapeDataString(account)}?secret={Text(secret)}"
        + $"&issuer={Uri.EscapeDataString(company)}&algorithm=SHA1&digits={Digits}&period={StepSeconds}";
}
