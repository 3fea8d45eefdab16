using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Operator;

/// <summary>The people who have an account: all of them, or those that are looked for, and one with all that is theirs.</summary>
internal static class PersonPages
{
    public const string Home = OperatorPages.Root + "/people";

    private const int RowsMax = 50;

    public static void MapPersonPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/people", List);
        pages.MapGet("/people/{person}", Show);
        pages.MapPersonChanges();
    }

    public static KeyStatus StatusOf(Person person) => person.DisabledAtMs is null
        ? new KeyStatus("active", null, "good")
        : new KeyStatus("suspended", "may not sign in", "held");

    /// <summary>The person, once the look was told; or the page of what stands in the way.</summary>
    public static async Task<(Person? Found, IResult? Refused)> Find(HttpContext http, string id)
    {
        var services = http.RequestServices;
        if (await services.GetRequiredService<OperatorDesk>().LookAtPerson(http, id) is { } refused)
        {
            return (null, refused);
        }

        return (await services.GetRequiredService<PersonRegister>().Find(id, http.RequestAborted)).TryGet(out var found, out var problem)
            ? (found, null)
            : (null, services.GetRequiredService<FrameMaker>().Problem(http, problem, Home));
    }

    private static async Task<IResult> List(
        HttpContext http, FrameMaker pages, OperatorDesk desk, PersonRegister register, Pages lists, TimeProvider time, string? search,
        string? cursor)
    {
        if (await desk.Look(http, null) is { } refused)
        {
            return refused;
        }

        var asked = search?.Trim() ?? "";
        if (CustomerPages.FaultOf(asked, PersonRegister.SearchMax) is { } fault)
        {
            return pages.Of<PersonListPage>(http, 422, ("Asked", CustomerPages.Harmless(asked)), ("Faults", new[] { fault }));
        }

        if (!lists.Read(http, $"console people {asked}", RowsMax, cursor).TryGet(out var page, out var problem))
        {
            return pages.Problem(http, problem, Home);
        }

        var rows = await register.List(asked.Length == 0 ? null : asked, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, person => person.PersonNo);
        var nowMs = KeyPages.Now(time);
        return pages.Of<PersonListPage>(
            http, 200, ("Asked", asked),
            ("Lines", (IReadOnlyList<PersonLine>)
            [
                .. data.Select(person => new PersonLine(
                    $"{Home}/{person.Id}", person.Name.Length > 0 ? person.Name : person.Id, person.Email,
                    person.IsOperator != 0 ? "operator" : "customer", StatusOf(person))
                {
                    Since = MomentFacts.Of(person.CreatedAtMs, nowMs),
                }),
            ]),
            ("Next", next is null ? null : $"{Home}?search={Uri.EscapeDataString(asked)}&cursor={Uri.EscapeDataString(next)}"));
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, TimeProvider time, string person, string? done)
    {
        var (found, refused) = await Find(http, person);
        if (found is null)
        {
            return refused!;
        }

        var (services, nowMs) = (http.RequestServices, KeyPages.Now(time));
        var second = await services.GetRequiredService<SecondStepDoor>().Find(found, http.RequestAborted);
        var open = await services.GetRequiredService<SessionBook>().List(found, http.RequestAborted);
        var facts = new PersonFacts(found.Name.Length > 0 ? found.Name : found.Id, $"{Home}/{found.Id}", StatusOf(found))
        {
            Facts = await Facts(http, found, second, nowMs),
            Actions = PersonChanges.ActionsFor(found, second is not null, open.Count > 0, SignedIn.Of(http).Person),
            Organizations = await Organizations(http, found, nowMs),
            Sessions =
            [
                .. open.Select(session => new OpenSessionLine(
                    BrowserName.Of(session.Device), session.Method, session.Address ?? "unknown")
                {
                    Began = MomentFacts.Of(session.CreatedAtMs, nowMs), Seen = MomentFacts.Of(session.SeenAtMs, nowMs),
                }),
            ],
        };
        return pages.Of<PersonFactsPage>(http, 200, ("Person", facts), ("Notice", PersonChanges.NoticeOf(done)));
    }

    private static async Task<IReadOnlyList<OperatorFact>> Facts(HttpContext http, Person person, SecondStepState? second, long nowMs)
    {
        var (services, cancel) = (http.RequestServices, http.RequestAborted);
        var passkeys = await services.GetRequiredService<PasskeyDoor>().List(person, cancel);
        var connections = await services.GetRequiredService<ConnectionDoor>().List(person, cancel);
        return
        [
            .. person.IsOperator != 0 ? [new OperatorFact("This is", "an operator of the gate")] : Array.Empty<OperatorFact>(),
            new OperatorFact("Address", person.Email is null ? "none"
                : person.VerifiedAtMs is null ? $"{person.Email} (not confirmed)" : person.Email),
            new OperatorFact("Signs in by", string.Join(", ", new[]
            {
                person.PasswordHash is not null ? "password" : null,
                passkeys.Count > 0 ? $"{Shown.Number(passkeys.Count)} passkey{(passkeys.Count == 1 ? "" : "s")}" : null,
                connections.Count > 0 ? string.Join(", ", connections.Select(one => one.Name)) : null,
                person.Email is not null ? "link by mail" : null,
            }.OfType<string>().DefaultIfEmpty("the operator's link"))),
            second is null
                ? new OperatorFact("Second step", "none")
                : new OperatorFact("Second step", $"set up; recovery codes left: {Shown.Number(second.CodesLeft)}")
                {
                    Moment = MomentFacts.Of(second.SinceMs, nowMs),
                },
            new OperatorFact("Account made", "") { Moment = MomentFacts.Of(person.CreatedAtMs, nowMs) },
            .. person.DisabledAtMs is { } at
                ? [new OperatorFact("Suspended", "") { Moment = MomentFacts.Of(at, nowMs) }]
                : Array.Empty<OperatorFact>(),
            new OperatorFact("Id", person.Id) { IsCode = true },
        ];
    }

    private static Task<IReadOnlyList<PlaceLine>> Organizations(HttpContext http, Person person, long nowMs) =>
        http.RequestServices.GetRequiredService<Database>().Read<IReadOnlyList<PlaceLine>>(
            async connection =>
            {
                var own = await OrganizationRegister.Look(connection, null, person.OrganizationId);
                var teams = await ProjectRoster.TeamsOf(connection, null, person.Id);
                return
                [
                    .. own is null ? Array.Empty<PlaceLine>() : [Line(own, own.IsOperator ? "operator" : "own organization")],
                    .. teams.Select(one => Line(one.Team, one.Role.Text())),
                ];

                PlaceLine Line(Organization organization, string role) =>
                    new($"{CustomerPages.Home}/{organization.Id}", organization.Name, role)
                    {
                        Made = MomentFacts.Of(organization.CreatedAtMs, nowMs),
                    };
            },
            http.RequestAborted);
}
