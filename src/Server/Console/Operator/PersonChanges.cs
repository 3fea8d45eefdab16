using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Console.Operator;

/// <summary>What the operator does about a person's account; about one's own there is the account page.</summary>
internal static class PersonChanges
{
    private static readonly Dictionary<string, string> Notices = new(StringComparer.Ordinal)
    {
        ["suspend"] = "The person is suspended, and every session is ended.",
        ["reinstate"] = "The person may sign in again.",
        ["sessions"] = "Every session is ended.",
        ["second-step"] = "The second step is removed, every session is ended, and a mail tells the person.",
    };

    public static void MapPersonChanges(this IEndpointRouteBuilder pages)
    {
        foreach (var name in Notices.Keys)
        {
            pages.MapGet($"/people/{{person}}/{name}", (HttpContext http, string person) => Ask(http, person, name));
            pages.MapPost($"/people/{{person}}/{name}", (HttpContext http, string person) => Do(http, person, name));
        }
    }

    public static string? NoticeOf(string? done) => done is null ? null : Notices.GetValueOrDefault(done);

    /// <param name="person">Who is looked at.</param>
    /// <param name="hasStep">Whether there is a second step.</param>
    /// <param name="hasSessions">Whether the person is signed in anywhere.</param>
    /// <param name="self">Who looks.</param>
    public static IReadOnlyList<KeyActionLink> ActionsFor(Person person, bool hasStep, bool hasSessions, Person self)
    {
        var home = $"{PersonPages.Home}/{person.Id}";
        return person.Id == self.Id
            ? [new KeyActionLink("Your account", "/account", "About yourself, all is changed there.", false)]
            : new (bool IsOffered, KeyActionLink Link)[]
            {
                (hasSessions, new("End all sessions", $"{home}/sessions", "Sign the person out everywhere.", false)),
                (hasStep, new(
                    "Remove second step", $"{home}/second-step", "For who has lost the app and the recovery codes.", true)),
                (person.DisabledAtMs is not null, new("Reinstate", $"{home}/reinstate", "Let the person sign in again.", false)),
                (person.DisabledAtMs is null, new(
                    "Suspend", $"{home}/suspend", "Keep the person from signing in. Keys go on working.", true)),
            }.Where(one => one.IsOffered).Select(one => one.Link).ToList();
    }

    private static async Task<(Person? Found, IResult? Refused)> Admit(HttpContext http, string id)
    {
        var (services, own) = (http.RequestServices, SignedIn.Of(http).Person);
        var pages = services.GetRequiredService<FrameMaker>();
        if (!(await services.GetRequiredService<OperatorDesk>().Admit(http, Act.Rule)).TryGet(out _, out var problem))
        {
            return (null, pages.Problem(http, problem, PersonPages.Home));
        }

        return id == own.Id
            ? (null, pages.Problem(
                http, new Problem(ProblemCode.Conflict, "What is about yourself is changed on your account page."), PersonPages.Home))
            : await PersonPages.Find(http, id);
    }

    private static async Task<IResult> Ask(HttpContext http, string id, string name)
    {
        var (person, refused) = await Admit(http, id);
        return person is null ? refused! : Asked(http, person, name, 200, []);
    }

    private static async Task<IResult> Do(HttpContext http, string id, string name)
    {
        var (person, refused) = await Admit(http, id);
        if (person is null)
        {
            return refused!;
        }

        var (services, reason) = (http.RequestServices, SignInEndpoints.Field(http, "reason").Trim());
        if (name != "sessions" && name != "reinstate" && ReasonFault(reason) is { } fault)
        {
            return Asked(http, person, name, 422, [fault]);
        }

        var done = await services.GetRequiredService<OperatorDesk>().Write(http, scope => Change(services, scope, id, name, reason));
        return done.TryGet(out _, out var problem)
            ? PageMaker.See(http, $"{PersonPages.Home}/{id}?done={name}")
            : services.GetRequiredService<FrameMaker>().Problem(http, problem, $"{PersonPages.Home}/{id}");
    }

    private static async Task<Outcome<bool>> Change(IServiceProvider services, WriteScope scope, string id, string name, string reason)
    {
        var problem = name switch
        {
            "sessions" => (await People.EndSessions(scope, id)).Problem,
            "second-step" => (await services.GetRequiredService<SecondStepDoor>().TakeAway(scope, id, reason)).Problem,
            _ => (await services.GetRequiredService<People>().SetDisabled(
                scope, id, name == "suspend", reason.Length == 0 ? null : reason)).Problem,
        };
        return problem is null ? true : problem;
    }

    private static PageFault? ReasonFault(string reason) =>
        reason.Length is 0 or > OrganizationRegister.ReasonMax || reason.Any(char.IsControl)
            ? new PageFault(
                "reason", $"It must have 1 to {OrganizationRegister.ReasonMax} characters, none of them a control character.")
            : null;

    private static IResult Asked(HttpContext http, Person person, string name, int status, IReadOnlyList<PageFault> faults) =>
        http.RequestServices.GetRequiredService<FrameMaker>().Of<ChangePage>(
            http, status, ("Change", FactsOf(http, person, name)), ("Faults", faults));

    private static ChangeFacts FactsOf(HttpContext http, Person person, string name)
    {
        var (home, called) = ($"{PersonPages.Home}/{person.Id}", person.Name.Length > 0 ? person.Name : person.Id);
        var why = new ChangeField(
            "reason", "Why", "Written into the audit log.", http.Request.HasFormContentType ? SignInEndpoints.Field(http, "reason") : "")
        {
            Rows = 2,
        };
        return name switch
        {
            "sessions" => new ChangeFacts($"End all sessions: {called}", "End all sessions", $"{home}/{name}", home)
            {
                Sentences =
                [
                    "The person is signed out everywhere at once, and links that were sent by mail stop working. Keys go on working.",
                    "They can sign in again at any time.",
                ],
            },
            "second-step" => new ChangeFacts($"Remove the second step: {called}", "Remove the second step", $"{home}/{name}", home)
            {
                IsDanger = true,
                Sentences =
                [
                    "From then on the password, or whatever else the person signs in by, is enough. Who has stolen that gets in: "
                    + "make sure by another way that it is the person who asks, such as a call to a number that you knew before.",
                    "The app's codes and the recovery codes stop working, every session ends, and a mail tells the person.",
                ],
                Fields = [why with { Label = "How you made sure who asks" }],
            },
            "reinstate" => new ChangeFacts($"Reinstate {called}", "Reinstate", $"{home}/{name}", home)
            {
                Sentences = ["The person may sign in again, by the means that they had."],
            },
            _ => new ChangeFacts($"Suspend {called}", "Suspend", $"{home}/{name}", home)
            {
                IsDanger = true,
                Sentences =
                [
                    "The person is signed out everywhere at once and may not sign in until reinstated. Invitations that they sent end.",
                    "Keys go on working: to stop those, suspend the organization.",
                ],
                Fields = [why],
            },
        };
    }
}
