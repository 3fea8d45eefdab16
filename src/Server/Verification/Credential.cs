using System.Text;
using Microsoft.Extensions.Primitives;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Verification;

/// <summary>
/// The one place a key is taken from: a single <c>Authorization: Bearer</c> header, the scheme in any case. What is longer than any key
/// can be is refused before a byte of it is looked at.
/// </summary>
internal static class Credential
{
    /// <summary>The most bytes a secret may have; longer ones are malformed.</summary>
    public const int SecretBytesMax = 256;

    private const string Scheme = "Bearer ";

    /// <summary>
    /// Copies the secret into <paramref name="buffer"/> (as long as the header, or <see cref="SecretBytesMax"/>) and answers null, or why
    /// there is none to check.
    /// </summary>
    public static ProblemCode? Read(StringValues header, Span<byte> buffer, out ReadOnlySpan<byte> secret)
    {
        secret = default;
        if (header.Count > 1)
        {
            return ProblemCode.AuthorizationAmbiguous;
        }

        var value = (string?)header;
        if (value is null || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return ProblemCode.KeyMissing;
        }

        var text = value.AsSpan(Scheme.Length).Trim(' ');
        if (text.IsEmpty)
        {
            return ProblemCode.KeyMissing;
        }

        if (text.Length > SecretBytesMax || !Ascii.IsValid(text))
        {
            return ProblemCode.InvalidKey;
        }

        Encoding.ASCII.GetBytes(text, buffer);
        secret = buffer[..text.Length];
        return null;
    }
}
