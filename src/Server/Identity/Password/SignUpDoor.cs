using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Password;

/// <summary>
/// A new person with an address and a password, an organization of its own and a project. A sign-up is a link alone until its reader uses
/// it: whose mail that is has the password that was typed for it, and nobody has an account by what a stranger typed. Whoever signs up is
/// told the same, after the same work, whether the address is new, waits for its confirmation, or has an account.
/// </summary>
internal sealed class SignUpDoor(
    Database database, UserManager<Person> users, PersonStore store, HashQueue hashes, LinkBook links, PersonMail mail,
    OrganizationRegister organizations, MailThrottle throttle)
{
    /// <summary>The project that a new organization begins with.</summary>
    public const string FirstProject = "First project";

    public static IReadOnlyList<FormFault> Faults(string name, string email, string password)
    {
        var faults = new List<FormFault>();
        if (!PersonRules.IsName(name))
        {
            faults.Add(new FormFault("name", $"The name {PersonRules.NameExpected}"));
        }

        if (!EmailAddress.TryRead(email, out _))
        {
            faults.Add(new FormFault("email", $"The address {EmailAddress.Expected}"));
        }

        if (PasswordRules.Fault(password, name, email) is { } fault)
        {
            faults.Add(new FormFault("password", $"The password {fault}"));
        }

        return faults;
    }

    /// <param name="visit">From where.</param>
    /// <param name="name">Without faults, as the other two.</param>
    /// <param name="email">Whose link is sent.</param>
    /// <param name="password">Not read where there is an account already.</param>
    public async Task<Outcome<bool>> Ask(Visit visit, string name, EmailAddress email, string password)
    {
        if (!throttle.TryTake(visit.Network))
        {
            return Problem.Of(ProblemCode.TooManyTries);
        }

        if (!(await hashes.Hash(users.PasswordHasher, new Person(), password, visit.Network)).TryGet(out var hash, out var busy))
        {
            return busy;
        }

        var isMailed = throttle.TryTake(email, LinkKind.Verify);
        return await database.Write<bool>(
            async scope =>
            {
                using var turn = store.Within(scope);
                var found = await users.FindByEmailAsync(email.Text);
                await PersonAudit.Tell(scope, "person.sign_up", found);
                if (isMailed && found is null)
                {
                    var secret = await links.MakeSignUp(scope, email, name, hash);
                    await mail.Send(scope, LinkKind.Verify, email.Text, name, secret);
                }
                else
                {
                    await links.MakeBlank(scope, LinkKind.Verify);
                    await mail.SendNothing(scope, LinkKind.Verify, email.Text);
                }

                return true;
            },
            visit.Context);
    }

    /// <summary>
    /// Makes the person of a sign-up whose link is used, in one write with its organization and its project. The other sign-ups with the
    /// address end.
    /// </summary>
    public async Task<Outcome<bool>> Confirm(WriteScope scope, Link link)
    {
        // Somebody may have changed to the address meanwhile.
        if (!EmailAddress.TryRead(link.Email, out var email) || await users.FindByEmailAsync(email.Text) is not null)
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        var id = Person.NewId();
        if (!(await organizations.Create(scope, OrganizationName(id))).TryGet(out var organization, out var problem)
            || !(await organizations.CreateProject(scope, organization.Id.Text, FirstProject)).TryGet(out _, out problem))
        {
            return problem;
        }

        var person = new Person
        {
            Id = id,
            Name = link.Name!,
            Email = email.Text,
            VerifiedAtMs = scope.NowMs,
            PasswordHash = link.PasswordHash,
            OrganizationId = organization.Id.Text,
            CreatedAtMs = scope.NowMs,
        };
        var made = await users.CreateAsync(person);
        if (!made.Succeeded)
        {
            throw new InvalidOperationException($"A person without faults was refused: {made}");
        }

        await LinkBook.EndSignUps(scope, email);
        await PersonAudit.Tell(scope, "person.create", person, after: PersonAudit.Shape(person));
        scope.Become(person.Caller);
        await PersonAudit.Tell(scope, "person.verify", person, "link");
        return true;
    }

    /// <summary>The person's name would stay in the audit log, and with the closed organization, when the person is gone.</summary>
    private static string OrganizationName(string personId) => $"Organization of {personId}";
}
