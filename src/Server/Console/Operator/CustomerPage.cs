using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Console.Operator;

/// <summary>One customer: what it is, its money, who is in it, its projects, and what was done there.</summary>
internal static class CustomerPage
{
    private const int EntriesShown = 10;
    private const int ProjectsShown = 50;
    private const int MembersShown = 50;
    private const int RowsShown = 10;
    private const int RowsRead = 100;
    private const int LogRowsMax = 50;

    public static void MapCustomerPage(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/customers/{id}", Show);
        pages.MapGet("/customers/{id}/audit", Log);
    }

    /// <summary>The organization, once the look was told; or the page of what stands in the way.</summary>
    public static async Task<(Organization? Found, IResult? Refused)> Find(HttpContext http, string id)
    {
        var services = http.RequestServices;
        if (await services.GetRequiredService<OperatorDesk>().Look(http, id) is { } refused)
        {
            return (null, refused);
        }

        var register = services.GetRequiredService<OrganizationRegister>();
        return (await register.Find(id, http.RequestAborted)).TryGet(out var found, out var problem)
            ? (found, null)
            : (null, services.GetRequiredService<FrameMaker>().Problem(http, problem, CustomerPages.Home));
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, TimeProvider time, string id, string? done)
    {
        var (customer, refused) = await Find(http, id);
        if (customer is null)
        {
            return refused!;
        }

        var services = http.RequestServices;
        var nowMs = KeyPages.Now(time);
        var members = await Members(http, customer, nowMs);
        var facts = new CustomerFacts(customer.Name, HomeOf(customer), CustomerPages.StatusOf(customer))
        {
            Figures = Figures(services, customer),
            Facts = await Facts(http, customer, nowMs),
            Actions = CustomerChanges.ActionsFor(customer, services.GetRequiredService<ProviderModel>()),
            Entries = await Entries(http, customer, nowMs),
            Members = [.. members.Take(MembersShown)], MoreMembers = Math.Max(0, members.Count - MembersShown),
            Projects = await Projects(http, customer, nowMs),
            Log = await Changes(http, customer, nowMs),
        };
        return pages.Of<CustomerFactsPage>(http, 200, ("Customer", facts), ("Notice", CustomerChanges.NoticeOf(done)));
    }

    public static string HomeOf(Organization customer) => $"{CustomerPages.Home}/{customer.Id}";

    private static IReadOnlyList<UsageFigure> Figures(IServiceProvider services, Organization customer)
    {
        if (services.GetRequiredService<ProviderModel>().Wallet is not { } wallet)
        {
            return [];
        }

        var figures = services.GetRequiredService<WalletLedger>().FiguresOf(customer.OrganizationNo);
        return
        [
            new UsageFigure("Balance", Shown.Cost(figures.Balance.Micros, wallet.Currency), null),
            new UsageFigure("Available", Shown.Cost(figures.Available.Micros, wallet.Currency), null),
            new UsageFigure("Held", Shown.Cost(figures.Held.Micros, wallet.Currency), "for requests under way"),
        ];
    }

    private static async Task<IReadOnlyList<OperatorFact>> Facts(HttpContext http, Organization customer, long nowMs)
    {
        var services = http.RequestServices;
        var plans = services.GetRequiredService<PlanBook>();
        var owners = await services.GetRequiredService<PersonRegister>().OwnersOf(customer.Id.Text, http.RequestAborted);
        return
        [
            .. customer.IsOperator ? [new OperatorFact("This is", "the operator's own organization")] : Array.Empty<OperatorFact>(),
            .. owners.Select(person => new OperatorFact("Own organization of", CustomerPages.NameOf(person))
            {
                Href = $"{PersonPages.Home}/{person.Id}",
            }),
            new OperatorFact("Plan", plans.Of(customer.Plan).Name + (customer.Plan is { } stored && !plans.Has(stored)
                ? $" (it was {stored}, which the provider file no longer has)"
                : "")),
            new OperatorFact("Made", "") { Moment = MomentFacts.Of(customer.CreatedAtMs, nowMs) },
            .. customer.SuspendedAtMs is { } at
                ? [new OperatorFact("Suspended", "") { Moment = MomentFacts.Of(at, nowMs) }]
                : Array.Empty<OperatorFact>(),
            new OperatorFact("Id", customer.Id.Text) { IsCode = true },
        ];
    }

    private static async Task<IReadOnlyList<EntryLine>?> Entries(HttpContext http, Organization customer, long nowMs)
    {
        var services = http.RequestServices;
        if (services.GetRequiredService<ProviderModel>().Wallet is not { } wallet)
        {
            return null;
        }

        var rows = await services.GetRequiredService<WalletLedger>()
            .List(customer.OrganizationNo, long.MaxValue, EntriesShown, http.RequestAborted);
        var names = await KeyPages.MakersOf(http, rows.Select(row => row.Actor));
        return
        [
            .. rows.Select(row => new EntryLine(
                KindOf(row), Shown.Cost(row.Amount.Micros, wallet.Currency), Shown.Cost(row.BalanceAfter.Micros, wallet.Currency), row.Note,
                row.Kind == EntryKinds.Usage ? "the gate" : names[row.Actor])
            {
                At = MomentFacts.Of(row.CreatedAtMs, nowMs),
            }),
        ];
    }

    private static string KindOf(WalletEntry row) => row.Kind switch
    {
        EntryKinds.TopUp => "top-up",
        EntryKinds.Usage => $"usage, {Shown.Number(row.Requests ?? 0)} request{(row.Requests == 1 ? "" : "s")}",
        var kind => kind,
    };

    private static async Task<IReadOnlyList<PersonLine>> Members(HttpContext http, Organization customer, long nowMs) =>
        (await http.RequestServices.GetRequiredService<TeamRoster>().Members(Caller.Of(http), customer.Id.Text, http.RequestAborted))
            .TryGet(out var members, out _)
            ? [.. members.Select(one => new PersonLine(
                $"{PersonPages.Home}/{one.Member.PersonId}", one.Name.Length > 0 ? one.Name : one.Member.PersonId, one.Email,
                one.Member.Role, null)
            {
                Since = MomentFacts.Of(one.Member.JoinedAtMs, nowMs),
            })]
            : [];

    private static async Task<IReadOnlyList<PlaceLine>> Projects(HttpContext http, Organization customer, long nowMs) =>
    [
        .. (await http.RequestServices.GetRequiredService<OrganizationRegister>()
            .ListProjects(customer.Id, long.MaxValue, ProjectsShown, http.RequestAborted))
            .Select(project => new PlaceLine($"{CustomerKeyPages.Projects}/{project.Id}", project.Name, project.Id.Text)
            {
                Made = MomentFacts.Of(project.CreatedAtMs, nowMs),
            }),
    ];

    /// <summary>The last changes. Looks are in the whole log; here each would push a change out, the page's own first.</summary>
    private static async Task<IReadOnlyList<LogLine>> Changes(HttpContext http, Organization customer, long nowMs)
    {
        var rows = await Rows(http, customer, long.MaxValue, RowsRead);
        return await LinesOf(http, [.. rows.Where(row => row.Action != OperatorLooks.Action).Take(RowsShown)], nowMs);
    }

    private static Task<List<AuditRow>> Rows(HttpContext http, Organization customer, long before, int limit) =>
        http.RequestServices.GetRequiredService<AuditLog>()
            .List(new AuditFilter { OrganizationId = customer.Id.Text }, before, limit, http.RequestAborted);

    private static async Task<IReadOnlyList<LogLine>> LinesOf(HttpContext http, IReadOnlyList<AuditRow> rows, long nowMs)
    {
        var names = await KeyPages.MakersOf(http, rows.Select(row => row.ActorId));
        return
        [
            .. rows.Select(row => new LogLine(
                row.Action, row.TargetId, row.ActorType is "system" or "nobody" ? row.ActorType : names[row.ActorId], row.Reason)
            {
                At = MomentFacts.Of(row.AtMs, nowMs),
            }),
        ];
    }

    private static async Task<IResult> Log(
        HttpContext http, FrameMaker pages, Pages lists, TimeProvider time, string id, string? cursor)
    {
        var (customer, refused) = await Find(http, id);
        if (customer is null)
        {
            return refused!;
        }

        var home = HomeOf(customer);
        if (!lists.Read(http, $"console audit of {customer.Id}", LogRowsMax, cursor).TryGet(out var page, out var problem))
        {
            return pages.Problem(http, problem, home);
        }

        var (data, next) = page.Cut(await Rows(http, customer, page.Before, page.Limit + 1), row => row.Seq);
        return pages.Of<CustomerLogPage>(
            http, 200, ("Name", customer.Name), ("Home", home), ("Lines", await LinesOf(http, data, KeyPages.Now(time))),
            ("Next", next is null ? null : $"{home}/audit?cursor={Uri.EscapeDataString(next)}"));
    }
}
