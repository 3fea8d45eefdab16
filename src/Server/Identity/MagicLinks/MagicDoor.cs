using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.MagicLinks;

/// <summary>Signing in by a link in a mail.</summary>
internal sealed class MagicDoor(
    Database database, UserManager<Person> users, PersonStore store, LinkBook links, SessionBook sessions, PersonMail mail,
    MailThrottle throttle)
{
    public const string Method = "magic";

    public async Task<Outcome<bool>> Ask(Visit visit, EmailAddress email)
    {
        var device = visit.KnownAs(email.Key);
        if (!throttle.TryTake(visit.Network, device))
        {
            return Problem.Of(ProblemCode.TooManyTries);
        }

        var isMailed = throttle.TryTake(email, LinkKind.Magic, device);
        return await database.Write<bool>(
            async scope =>
            {
                using var turn = store.Within(scope);
                var person = await users.FindByEmailAsync(email.Text);
                await PersonAudit.Tell(scope, "person.magic_ask", person);
                if (isMailed && person is { MaySignIn: true })
                {
                    var secret = await links.Make(scope, LinkKind.Magic, person, email.Text);
                    await mail.Send(scope, LinkKind.Magic, person.Email!, person.Name, secret);
                }
                else
                {
                    await links.MakeBlank(scope, LinkKind.Magic);
                    await mail.SendNothing(scope, LinkKind.Magic, email.Text);
                }

                return true;
            },
            visit.Context);
    }

    /// <summary>The secret of a new session.</summary>
    public Task<Outcome<string>> Use(Visit visit, string? secret, string? cookie) => database.Write<string>(
        async scope => await links.Take(scope, LinkKind.Magic, secret) is { } link
            && await LinkBook.Owner(scope, link) is { MaySignIn: true } person
                ? await sessions.Begin(scope, person, Method, visit, cookie)
                : Problem.Of(ProblemCode.LinkEnded),
        visit.Context);
}
