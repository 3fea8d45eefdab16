using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Password;

/// <summary>
/// A new person with an address and a password, an organization of its own and a project. A sign-up is a link alone until its reader uses
/// it. Reading the mail proves the address and not who signed up, so the reader also types the password of the sign-up, or puts a name and
/// a password of its own in place of what a stranger typed. Whoever signs up is told the same, after the same work, whether the address is
/// new, waits for its confirmation, or has an account.
/// </summary>
internal sealed class SignUpDoor(
    Database database, UserManager<Person> users, PersonStore store, HashQueue hashes, LinkBook links, PersonMail mail,
    OrganizationRegister organizations, MailThrottle throttle, TryThrottle tries)
{
    /// <summary>The project that a new organization begins with.</summary>
    public const string FirstProject = "First project";

    private const string OrganizationPrefix = "Organization of ";

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
    /// Makes the person of a sign-up, for who has its link and types its password. A wrong one is counted, and the link stays good.
    /// </summary>
    public async Task<Outcome<bool>> Confirm(Visit visit, string? secret, string password)
    {
        if (await links.Peek(LinkKind.Verify, secret) is not { EmailKey: { } key, PasswordHash: { } hash })
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        var tried = "sign-up " + key;
        if (!tries.TryTake(tried, visit.Network, out var seconds))
        {
            return Problem.Of(ProblemCode.TooManyTries) with { RetryAfterSeconds = seconds };
        }

        var typed = PasswordRules.Bounded(password);
        if (!(await hashes.Check(users.PasswordHasher, hash, typed, visit.Network)).TryGet(out var isRight, out var busy))
        {
            tries.GiveBack(tried, visit.Network);
            return busy;
        }

        if (!isRight)
        {
            return await Refuse(visit);
        }

        tries.Forgive(tried, visit.Network);
        return await Use(visit, secret, link => (link.Name!, link.PasswordHash!));
    }

    /// <summary>The same for who did not sign up, or does not know by which password: nothing stays of what was typed there.</summary>
    /// <param name="visit">From where.</param>
    /// <param name="secret">Of the link.</param>
    /// <param name="name">In place of the one of the sign-up.</param>
    /// <param name="password">In place of the one of the sign-up.</param>
    public async Task<Outcome<bool>> ConfirmAnew(Visit visit, string? secret, string name, string password)
    {
        // Nobody makes us hash by a link that is none.
        if (await links.Peek(LinkKind.Verify, secret) is not { Email: { } email })
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        if (!PersonRules.IsName(name))
        {
            return Problem.Invalid("/name", PersonRules.NameExpected);
        }

        if (PasswordRules.Fault(password, name, email) is { } fault)
        {
            return Problem.Invalid("/password", fault);
        }

        return (await hashes.Hash(users.PasswordHasher, new Person(), password, visit.Network)).TryGet(out var hash, out var busy)
            ? await Use(visit, secret, _ => (name, hash))
            : busy;
    }

    /// <summary>In one write with the organization and the project. The other sign-ups with the address end.</summary>
    private Task<Outcome<bool>> Use(Visit visit, string? secret, Func<Link, (string Name, string PasswordHash)> who) =>
        database.Write<bool>(
            async scope =>
            {
                using var turn = store.Within(scope);
                // Somebody may have changed to the address meanwhile.
                if (await links.Take(scope, LinkKind.Verify, secret) is not { } link
                    || !EmailAddress.TryRead(link.Email, out var email) || await users.FindByEmailAsync(email.Text) is not null)
                {
                    return Problem.Of(ProblemCode.LinkEnded);
                }

                var (name, hash) = who(link);
                if (!(await Make(scope, name, email, hash)).TryGet(out var person, out var problem))
                {
                    return problem;
                }

                scope.Become(person.Caller);
                await PersonAudit.Tell(scope, "person.verify", person, "link");
                return true;
            },
            visit.Context);

    private async Task<Problem> Refuse(Visit visit)
    {
        var told = await database.Write<bool>(
            async scope =>
            {
                await PersonAudit.Tell(scope, "sign_in.refuse", null, "password of a sign-up");
                return true;
            },
            visit.Context);
        return told.Problem ?? Problem.Of(ProblemCode.SignInFailed);
    }

    /// <summary>
    /// A person whose address is proved, with an organization and a project. Every sign-up with the address ends, and with it the password
    /// that was typed there.
    /// </summary>
    /// <param name="scope">The write.</param>
    /// <param name="name">A name by the rules.</param>
    /// <param name="email">Nobody's yet.</param>
    /// <param name="passwordHash">Null for who signs in by other means.</param>
    public async Task<Outcome<Person>> Make(WriteScope scope, string name, EmailAddress email, string? passwordHash)
    {
        var id = Person.NewId();
        if (!(await organizations.Create(scope, OrganizationName(id))).TryGet(out var organization, out var problem)
            || !(await organizations.CreateProject(scope, organization.Id.Text, FirstProject)).TryGet(out _, out problem))
        {
            return problem;
        }

        var person = new Person
        {
            Id = id,
            Name = name,
            Email = email.Text,
            VerifiedAtMs = scope.NowMs,
            PasswordHash = passwordHash,
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
        return person;
    }

    /// <summary>
    /// What one's own organization is called until somebody calls it something else. The person's name would stay in the audit log, and
    /// with the closed organization, when the person is gone.
    /// </summary>
    public static string OrganizationName(string personId) => OrganizationPrefix + personId;

    /// <summary>Whose an organization is by the name that it was given here; null once it has another one.</summary>
    public static string? OwnerIn(string organizationName) =>
        organizationName.StartsWith(OrganizationPrefix + "per_", StringComparison.Ordinal) ? organizationName[OrganizationPrefix.Length..]
            : null;
}
