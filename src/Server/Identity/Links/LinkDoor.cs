using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Links;

/// <summary>Where somebody asks for a link by nothing but an address: to choose another password, or to sign in.</summary>
internal sealed class LinkDoor(
    Database database, UserManager<Person> users, PersonStore store, LinkBook links, PersonMail mail, MailThrottle throttle)
{
    /// <summary>Sends one where there is an account; where there is none, the same work is done for nobody.</summary>
    public async Task<Outcome<bool>> Ask(Visit visit, LinkKind kind, EmailAddress email)
    {
        var device = visit.KnownAs(email.Key);
        if (!throttle.TryTake(visit.Network, device))
        {
            return Problem.Of(ProblemCode.TooManyTries);
        }

        var isMailed = throttle.TryTake(email, kind, device);
        return await database.Write<bool>(
            async scope =>
            {
                using var turn = store.Within(scope);
                var person = await users.FindByEmailAsync(email.Text);
                await PersonAudit.Tell(scope, $"person.{kind.Name}_ask", person);
                if (isMailed && person is { MaySignIn: true })
                {
                    var secret = await links.Make(scope, kind, person, email.Text);
                    await mail.Send(scope, kind, person.Email!, person.Name, secret);
                }
                else
                {
                    await links.MakeBlank(scope, kind);
                    await mail.SendNothing(scope, kind, email.Text);
                }

                return true;
            },
            visit.Context);
    }
}
