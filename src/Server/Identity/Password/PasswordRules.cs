using Microsoft.AspNetCore.Identity;

namespace Tollgate.Server.Identity.Password;

/// <summary>
/// What a password must be: long enough, not too long, and none that everybody tries first. Nothing about which characters it is made of:
/// such rules make passwords worse. It is taken as it is, every character of it.
/// </summary>
internal sealed class PasswordRules : IPasswordValidator<Person>
{
    public const int LengthMin = 8;
    public const int LengthMax = 256;

    /// <summary>Parts of a name or an address that are shorter say nothing.</summary>
    private const int OwnWordMin = 4;

    public static string LengthExpected => $"must have {LengthMin} to {LengthMax} characters.";

    public const string CommonExpected = "must not be among those that are guessed first. Take a few words that nobody would put together.";

    /// <summary>What is wrong with it; null for nothing.</summary>
    public static string? Fault(string password, string? name, string? email) =>
        password.Length is < LengthMin or > LengthMax ? LengthExpected
        : CommonPasswords.Has(password) || IsMonotonous(password) || IsOwn(password, name, email) ? CommonExpected
        : null;

    /// <summary>Nobody has a longer one, so nothing longer is worth a hash of all of it.</summary>
    public static string Bounded(string typed) => typed.Length <= LengthMax ? typed : "";

    public Task<IdentityResult> ValidateAsync(UserManager<Person> manager, Person user, string? password) => Task.FromResult(
        Fault(password ?? "", user.Name, user.Email) is { } fault
            ? IdentityResult.Failed(new IdentityError { Code = "Password", Description = fault })
            : IdentityResult.Success);

    /// <summary>Of two characters at most, or each the next of the one before.</summary>
    private static bool IsMonotonous(string password) =>
        password.Distinct().Count() <= 2 || Steps(password).All(step => step == 1) || Steps(password).All(step => step == -1);

    private static IEnumerable<int> Steps(string password) => password.Zip(password.Skip(1), (before, after) => after - before);

    /// <summary>The product, the person's name or address, with nothing but digits and signs around it.</summary>
    private static bool IsOwn(string password, string? name, string? email)
    {
        var word = password.Trim([.. "0123456789!?.,;:-_+*#$%&@()[]{}= "]);
        string[] own = ["tollgate", "password", .. (name ?? "").Split(' '), name ?? "", .. (email ?? "").Split('@', '.'), email ?? ""];
        return own.Where(one => one.Length >= OwnWordMin)
            .Any(one => one.Equals(word, StringComparison.OrdinalIgnoreCase) || one.Equals(password, StringComparison.OrdinalIgnoreCase));
    }
}
