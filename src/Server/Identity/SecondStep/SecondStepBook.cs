using System.Text;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.SecondStep;

/// <summary>
/// The second step of a person's sign-ins, inside a write: whether there is one, and whether a code is right. A code is taken by the write
/// that it is good for: of fifty who use one at once, on whatever replica, one finds it.
/// </summary>
internal sealed class SecondStepBook(Sealer sealer, Pepper pepper)
{
    private const string Purpose = "authenticator";

    public static async Task<bool> IsNeeded(WriteScope scope, Person person) =>
        await AuthenticatorSql.Find(scope.Connection, scope.Transaction, person.PersonNo) is not null;

    /// <summary>By what the person proved it: totp or recovery. Null for a code that is wrong or was used.</summary>
    public async Task<string?> Prove(WriteScope scope, Person person, string typed)
    {
        if (RecoveryCode.Read(typed) is { } recovery)
        {
            return await AuthenticatorSql.UseCode(scope, person.PersonNo, HashOf(person, recovery)) == 1 ? "recovery" : null;
        }

        var code = string.Concat(typed.Where(one => one != ' '));
        return code.Length == TimeCode.Digits
            && await AuthenticatorSql.Find(scope.Connection, scope.Transaction, person.PersonNo) is { } authenticator
            && Open(person, authenticator) is { } secret && TimeCode.Match(secret, code, scope.NowMs) is { } step
            && await AuthenticatorSql.Use(scope, person.PersonNo, step) == 1
                ? "totp"
                : null;
    }

    /// <summary>False when there is one already.</summary>
    /// <param name="scope">The write.</param>
    /// <param name="person">Whose.</param>
    /// <param name="secret">What the app counts from.</param>
    /// <param name="step">Whose code has proved that it does.</param>
    public async Task<bool> Add(WriteScope scope, Person person, byte[] secret, long step) =>
        await AuthenticatorSql.Insert(scope, new Authenticator
        {
            PersonNo = person.PersonNo, Secret = sealer.Seal(Purpose, secret, Encoding.ASCII.GetBytes(person.Id)), LastStep = step,
            CreatedAtMs = scope.NowMs,
        }) == 1;

    /// <summary>Codes in place of those of before.</summary>
    public async Task<IReadOnlyList<string>> NewCodes(WriteScope scope, Person person)
    {
        await AuthenticatorSql.RemoveCodes(scope, person.PersonNo);
        var codes = new HashSet<string>();
        while (codes.Count < RecoveryCode.Count)
        {
            codes.Add(RecoveryCode.New());
        }

        foreach (var code in codes)
        {
            await AuthenticatorSql.InsertCode(scope, person.PersonNo, HashOf(person, RecoveryCode.Read(code)!));
        }

        return [.. codes];
    }

    /// <summary>False when there was none.</summary>
    public static async Task<bool> Remove(WriteScope scope, Person person)
    {
        await AuthenticatorSql.RemoveCodes(scope, person.PersonNo);
        return await AuthenticatorSql.Remove(scope, person.PersonNo) == 1;
    }

    /// <summary>Null when it was sealed for another person, or under another pepper.</summary>
    private byte[]? Open(Person person, Authenticator authenticator) =>
        sealer.TryOpen(Purpose, authenticator.Secret, Encoding.ASCII.GetBytes(person.Id), out var secret) ? secret : null;

    private byte[] HashOf(Person person, string plain) => pepper.HashSecret(RecoveryCode.HashOf(person, plain));
}
