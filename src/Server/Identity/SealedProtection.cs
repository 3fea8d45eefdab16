using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>
/// What the framework protects, such as its tokens in forms, under keys that follow from the pepper: no further file of keys to keep, and
/// every process on the same data reads what another has written.
/// </summary>
internal sealed class SealedProtection(Sealer sealer, string purpose = "forms") : IDataProtectionProvider, IDataProtector
{
    public IDataProtector CreateProtector(string purpose1) => new SealedProtection(sealer, $"{purpose} {purpose1}");

    public byte[] Protect(byte[] plaintext) => sealer.Seal(purpose, plaintext);

    public byte[] Unprotect(byte[] protectedData) => sealer.TryOpen(purpose, protectedData, out var plain)
        ? plain
        : throw new CryptographicException("This was protected elsewhere, or is not whole.");
}
