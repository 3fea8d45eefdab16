using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.MagicLinks;

/// <summary>Signing in by a link in a mail.</summary>
internal sealed class MagicDoor(Database database, LinkBook links, SessionBook sessions)
{
    public const string Method = "magic";

    /// <summary>A new session, or its second step.</summary>
    public Task<Outcome<Entry>> Use(Visit visit, string? secret, string? cookie) => database.Write<Entry>(
        async scope => await links.Take(scope, LinkKind.Magic, secret) is { } link
            && await LinkBook.Owner(scope, link) is { MaySignIn: true } person
                ? await sessions.Enter(scope, person, Method, visit, cookie)
                : Problem.Of(ProblemCode.LinkEnded),
        visit.Context);
}
