using System.Data.Common;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Reach;

/// <summary>
/// Says which person makes a management call, by the session's cookie, what they are where the call goes, and holds the endpoint to its
/// <see cref="PeopleRow"/>. All of it is read anew with each call, and once more inside a write.
/// </summary>
internal sealed class PersonGate(
    Database database, SessionBook sessions, SessionCookie cookie, PublicUrl url, ApiToken tokens, OperatorLooks looks,
    ProviderModel provider, MutationRunner mutations)
{
    /// <summary>Null where the request has no session's cookie and is nobody's.</summary>
    public Task? Admit(HttpContext http, RequestDelegate next) =>
        cookie.Read(http) is { Length: > 0 } secret ? Enter(http, secret, next) : null;

    private async Task Enter(HttpContext http, string secret, RequestDelegate next)
    {
        Dress(http);
        var outcome = Refusal(http, secret) is { } problem ? problem : await Establish(http, secret);
        if (!outcome.TryGet(out var caller, out problem))
        {
            await (await Kept(http) ?? new ProblemResult(problem)).ExecuteAsync(http);
            return;
        }

        if (caller.IsOperatorPerson && await looks.Note(http, caller) is { } unnoted)
        {
            await new ProblemResult(unnoted).ExecuteAsync(http);
            return;
        }

        http.Features.Set(caller);
        http.Features.Set<CallerAgain>(async context => await Establish(context, secret));
        http.Features.Set<PersonAgain>(scope => Again(http, scope, secret));
        await next(http);
    }

    /// <summary>
    /// Who left, or deleted something, has no role there any more, and asks again where the first answer was lost: as long as the session
    /// is good, a repeated deletion is answered like the first time.
    /// </summary>
    private async Task<IResult?> Kept(HttpContext http)
    {
        if (!HttpMethods.IsDelete(http.Request.Method) || http.Features.Get<SignedIn>() is not { } who)
        {
            return null;
        }

        http.Features.Set(who.Person.Caller);
        return await mutations.Kept(http);
    }

    /// <summary>Answers to a cookie are for pages of this very site.</summary>
    private static void Dress(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    /// <summary>What browsers do for other sites, and what travels in the open, is nobody's.</summary>
    private Problem? Refusal(HttpContext http, string secret)
    {
        var request = http.Request;
        if (!url.MayServe(request.Host))
        {
            return new Problem(
                ProblemCode.HttpsNeeded,
                "Over plain http people sign in on the machine itself alone. Set public_url to an https address.");
        }

        // A neighbour under the same domain is another site to us; "none" is what a person does without any page.
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } from && from is not (["none"] or ["same-origin"]))
        {
            return Problem.Of(ProblemCode.CrossSite);
        }

        return HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || tokens.IsSent(http, secret)
            ? null
            : new Problem(
                ProblemCode.CsrfRefused, $"Send {ApiToken.Header} with the csrf_token that GET /api/v1/me answers to this session.");
    }

    private async Task<Outcome<Caller>> Establish(HttpContext http, string secret)
    {
        if (await sessions.Find(secret, http.RequestAborted) is not { } who)
        {
            return Problem.Of(ProblemCode.SessionEnded);
        }

        http.Features.Set(who);
        return await database.Read(connection => Judge(http, connection, null, who.Person, who.Session), http.RequestAborted);
    }

    /// <summary>The same in the turn of a write: the session, the person and the role as they are now.</summary>
    private async Task<Outcome<Caller>> Again(HttpContext http, WriteScope scope, string secret)
    {
        var who = SignedIn.Of(http);
        return await sessions.Still(scope, who, secret) is { } person
            ? await Judge(http, scope.Connection, scope.Transaction, person, who.Session)
            : Problem.Of(ProblemCode.SessionEnded);
    }

    private async Task<Outcome<Caller>> Judge(
        HttpContext http, DbConnection connection, DbTransaction? transaction, Person person, Session session)
    {
        if (http.GetEndpoint() is not RouteEndpoint endpoint)
        {
            // Routing's own answers, such as a 405.
            return person.Caller;
        }

        if (endpoint.Metadata.GetMetadata<PeopleRow>()?.Act is not { } act)
        {
            return Problem.Of(ProblemCode.KeysOnly);
        }

        var isOperator = person.IsOperator != 0;
        if (RoleTable.Of(act) == Roles.None && !isOperator)
        {
            return Problem.Of(ProblemCode.OperatorOnly);
        }

        if (act == Act.Oneself || isOperator)
        {
            return await Judge(connection, transaction, person, session, act, null);
        }

        return (await Target.Of(http, connection, transaction)).TryGet(out var target, out var problem)
            ? await Judge(connection, transaction, person, session, act, target)
            : problem;
    }

    /// <summary>The caller that a person is for an act on a target, or why they may not. Pages ask it what the API would allow.</summary>
    public async Task<Outcome<Caller>> Judge(
        DbConnection connection, DbTransaction? transaction, Person person, Session session, Act act, Target? target)
    {
        var freshUntilMs = session.ProvedAtMs + (long)SignedIn.FreshFor.TotalMilliseconds;
        var isStale = RoleTable.AsksProof(act) && sessions.NowMs > freshUntilMs;
        var caller = person.Caller with { FreshUntilMs = freshUntilMs };
        if (person.IsOperator != 0)
        {
            return isStale ? Problem.Of(ProblemCode.ProofNeeded) : caller with
            {
                IsOperatorPerson = true, OfOperator = true, Roles = Roles.Operator, Rights = Caller.Root.Rights,
            };
        }

        if (target is null)
        {
            return act == Act.Oneself ? caller with { Roles = Roles.Anybody } : Problem.Of(ProblemCode.OperatorOnly);
        }

        var standing = await Standing.Of(connection, transaction, person, target, provider.Teams ?? new TeamRules());
        if (standing.Roles == Roles.None)
        {
            return target.Absent;
        }

        if (!RoleTable.May(standing.Roles, act))
        {
            return Problem.Of(ProblemCode.RoleMissing);
        }

        if (act == Act.EndOrganization && standing.IsOwnOrganization)
        {
            return new Problem(ProblemCode.Conflict, "Your own organization ends with your account, on the account page.");
        }

        return isStale ? Problem.Of(ProblemCode.ProofNeeded) : caller with
        {
            Roles = standing.Roles,
            Rights = Standing.RightsOf(standing.Roles),
            OrganizationId = target.Organization.Id.Text,
            ProjectNo = target.ProjectNo,
            ProjectId = target.ProjectId,
            ProjectNos = standing.ProjectNos,
        };
    }
}
