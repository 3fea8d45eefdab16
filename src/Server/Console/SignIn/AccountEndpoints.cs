using System.Text.Json;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.SignIn;

/// <summary>What a person sees and changes of itself. What changes who may do what asks for a recent sign-in.</summary>
internal static class AccountEndpoints
{
    public static void MapAccount(this IEndpointRouteBuilder account)
    {
        account.MapGet(
            "", (HttpContext http, FrameMaker frames, SessionBook sessions, string? done) => Show(http, frames, sessions, 200, done));
        account.MapPost("/sessions/end", EndSession);
        account.MapPost("/sessions/end-others", EndOthers);
        account.MapPost("/password", ChangePassword);
        account.MapGet("/again", Again);
        account.MapPost("/email", ChangeEmail);
        account.MapOwnConnections();
        account.MapOwnSecondStep();
        account.MapOwnPasskeys();
        account.MapGet("/export", Export);
        account.MapPost("/delete", Delete);
    }

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker frames, SessionBook sessions, int status, string? done = null, string at = "",
        IReadOnlyList<PageFault>? faults = null)
    {
        var (who, nowMs) = (SignedIn.Of(http), sessions.NowMs);
        var open = await sessions.List(who.Person, http.RequestAborted);
        var connected = await http.RequestServices.GetRequiredService<ConnectionDoor>().List(who.Person, http.RequestAborted);
        var second = await http.RequestServices.GetRequiredService<SecondStepDoor>().Find(who.Person, http.RequestAborted);
        var passkeys = await http.RequestServices.GetRequiredService<PasskeyDoor>().List(who.Person, http.RequestAborted);
        var facts = new AccountFacts(
            who.Person.Name, who.Person.Email, who.Person.PasswordHash is not null, who.Person.IsOperator != 0,
            IsFresh(http, sessions), [.. open.Select(session => Line(session, who.Session, nowMs))],
            [.. connected.Select(one => Line(one, nowMs))],
            second is null ? null : new SecondStepLine(MomentFacts.Of(second.SinceMs, nowMs), second.CodesLeft),
            [
                .. passkeys.Select(one => new PasskeyLine(
                    one.Id, one.Name, MomentFacts.Of(one.CreatedAtMs, nowMs), MomentFacts.Of(one.UsedAtMs, nowMs))),
            ]);
        var notice = done switch
        {
            "password" => "Your password is changed, and all other sessions are ended.",
            "email" => "If the address can be yours, a link is on its way to it.",
            "ended" => "It is ended.",
            "connected" => "It is connected: you can sign in with it from now on. All other sessions are ended.",
            "passkey" => "Your passkey is made: you can sign in with it from now on. All other sessions are ended.",
            "removed" => "It is removed, and all other sessions are ended.",
            _ => null,
        };
        return frames.Of<AccountPage>(
            http, status, ("Account", facts), ("Notice", notice), ("At", at), ("Faults", faults ?? []));
    }

    private static async Task<IResult> EndSession(HttpContext http, PageMaker pages, SessionBook sessions)
    {
        var ended = await sessions.End(Visit.Of(http), SignedIn.Of(http).Person, SignInEndpoints.Field(http, "session"));
        return ended.Problem is { } problem ? pages.Problem(http, problem) : PageMaker.See(http, "/account?done=ended");
    }

    private static async Task<IResult> EndOthers(HttpContext http, PageMaker pages, SessionBook sessions, SessionCookie cookie) =>
        (await sessions.EndOthers(Visit.Of(http), SignedIn.Of(http), cookie.Read(http))).TryGet(out _, out var problem)
            ? PageMaker.See(http, "/account?done=ended")
            : pages.Problem(http, problem);

    private static async Task<IResult> ChangePassword(
        HttpContext http, PageMaker pages, FrameMaker frames, SessionBook sessions, PasswordDoor door, SessionCookie cookie)
    {
        var (who, password) = (SignedIn.Of(http), SignInEndpoints.Field(http, "password"));
        if (!IsFresh(http, sessions))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.ProofNeeded));
        }

        var outcome = PasswordRules.Fault(password, who.Person.Name, who.Person.Email) is { } fault
            ? Problem.Invalid("/password", fault)
            : await door.Change(Visit.Of(http), who, SignInEndpoints.Field(http, "current"), password, cookie.Read(http));
        if (outcome.TryGet(out var secret, out var problem))
        {
            cookie.Set(http, secret);
            return PageMaker.See(http, "/account?done=password");
        }

        var faults = problem.Code == ProblemCode.SignInFailed
            ? [new PageFault("current", "This is not your present password.")]
            : PageMaker.Faults(http, problem);
        return await Show(http, frames, sessions, problem.Code.Status, at: AccountPage.PasswordForm, faults: faults);
    }

    /// <summary>To a sign-in that comes back.</summary>
    private static IResult Again(HttpContext http, BackCookie back)
    {
        back.Set(http, "/account");
        return PageMaker.See(http, "/sign-in");
    }

    private static async Task<IResult> ChangeEmail(
        HttpContext http, PageMaker pages, FrameMaker frames, SessionBook sessions, People people, SessionCookie cookie)
    {
        if (!IsFresh(http, sessions))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.ProofNeeded));
        }

        if (!EmailAddress.TryRead(SignInEndpoints.Field(http, "email"), out var email))
        {
            return await Again(422, [new PageFault("email", $"The address {EmailAddress.Expected}")]);
        }

        return (await people.AskEmail(Visit.Of(http), SignedIn.Of(http), email, cookie.Read(http))).TryGet(out _, out var problem)
            ? PageMaker.See(http, "/account?done=email")
            : await Again(problem.Code.Status, PageMaker.Faults(http, problem));

        Task<IResult> Again(int status, IReadOnlyList<PageFault> faults) =>
            Show(http, frames, sessions, status, at: AccountPage.EmailForm, faults: faults);
    }

    private static async Task<IResult> Export(HttpContext http, People people)
    {
        var export = await people.Export(SignedIn.Of(http).Person, http.RequestAborted);
        http.Response.Headers.ContentDisposition = "attachment; filename=\"account.json\"";
        return Results.Text(export.ToJsonString(JsonSerializerOptions.Default), "application/json");
    }

    private static async Task<IResult> Delete(
        HttpContext http, PageMaker pages, FrameMaker frames, SessionBook sessions, People people, SessionCookie cookie)
    {
        if (!IsFresh(http, sessions))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.ProofNeeded));
        }

        if (SignInEndpoints.Field(http, "confirm") != "delete")
        {
            return await Show(
                http, frames, sessions, 422, at: AccountPage.DeleteForm, faults: [new PageFault("confirm", "Type the word delete.")]);
        }

        if ((await people.Delete(Visit.Of(http), SignedIn.Of(http), cookie.Read(http))).TryGet(out _, out var problem))
        {
            cookie.Clear(http);
            return PageMaker.See(http, "/sign-in?done=deleted");
        }

        return pages.Problem(http, problem);
    }

    private static bool IsFresh(HttpContext http, SessionBook sessions) => SignedIn.Of(http).IsFreshAt(sessions.NowMs);

    private static SessionLine Line(Session session, Session own, long nowMs) => new(
        session.Id, BrowserName.Of(session.Device), session.Device, session.Address ?? "unknown",
        MomentFacts.Of(session.CreatedAtMs, nowMs), MomentFacts.Of(session.SeenAtMs, nowMs), session.SessionNo == own.SessionNo);

    private static ConnectionLine Line(Connection connection, long nowMs) => new(
        connection.Name, ConnectionKind.All.FirstOrDefault(kind => kind.Name == connection.Name)?.Title ?? connection.Name,
        connection.Subject, connection.Email, MomentFacts.Of(connection.CreatedAtMs, nowMs), MomentFacts.Of(connection.UsedAtMs, nowMs));
}
