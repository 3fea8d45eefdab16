using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Organizations;

namespace Tollgate.Server.Identity;

/// <summary>What Identity's manager holds every person to before it is written: a name, and an address that nobody else has.</summary>
internal sealed class PersonRules : IUserValidator<Person>
{
    public static string NameExpected => $"must have 1 to {OrganizationRegister.NameMax} characters, none of them a control character.";

    public static bool IsName(string name) =>
        !string.IsNullOrWhiteSpace(name) && name.Length <= OrganizationRegister.NameMax && !name.Any(char.IsControl);

    public async Task<IdentityResult> ValidateAsync(UserManager<Person> manager, Person user)
    {
        if (!IsName(user.Name))
        {
            return Failed("Name", NameExpected);
        }

        if (user.Email is null)
        {
            return IdentityResult.Success;
        }

        if (!EmailAddress.TryRead(user.Email, out _))
        {
            return Failed("Email", EmailAddress.Expected);
        }

        return await manager.FindByEmailAsync(user.Email) is { } other && other.Id != user.Id
            ? Failed("EmailTaken", "is another person's.")
            : IdentityResult.Success;
    }

    private static IdentityResult Failed(string code, string description) =>
        IdentityResult.Failed(new IdentityError { Code = code, Description = description });
}

/// <summary>How Identity's manager finds an address: by its canonical form.</summary>
internal sealed class EmailKeys : ILookupNormalizer
{
    public string? NormalizeName(string? name) => name;

    public string? NormalizeEmail(string? email) => EmailAddress.TryRead(email, out var read) ? read.Key : email;
}
