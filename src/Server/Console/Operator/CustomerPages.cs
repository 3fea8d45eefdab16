using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Console.Operator;

/// <summary>The customers: all, or those that are looked for by name, by id, or by the address of somebody who is in one.</summary>
internal static class CustomerPages
{
    public const string Home = OperatorPages.Root + "/customers";

    private const int RowsMax = 50;

    /// <summary>People whose organizations are told, where an address is looked for.</summary>
    private const int PeopleMax = 20;

    public static void MapCustomerPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/customers", List);
        pages.MapCustomerPage();
        pages.MapCustomerChanges();
        pages.MapCustomerKeys();
    }

    public static KeyStatus StatusOf(Organization organization) => organization.Status switch
    {
        "active" => new KeyStatus("active", null, "good"),
        "suspended" => new KeyStatus("suspended", "its keys are refused", "held"),
        var word => new KeyStatus(word, null, "ended"),
    };

    /// <summary>What is wrong with what is looked for; null for nothing.</summary>
    public static PageFault? FaultOf(string asked, int most) => asked.Length > most || asked.Contains('\0', StringComparison.Ordinal)
        ? new PageFault("search", $"It must have at most {most} characters and no U+0000.")
        : null;

    /// <summary>HTML has no U+0000.</summary>
    public static string Harmless(string asked) => asked.Replace("\0", "", StringComparison.Ordinal);

    private static async Task<IResult> List(
        HttpContext http, FrameMaker pages, OperatorDesk desk, OrganizationRegister register, Pages lists, string? search, string? cursor)
    {
        if (await desk.Look(http, null) is { } refused)
        {
            return refused;
        }

        var asked = search?.Trim() ?? "";
        if (FaultOf(asked, OrganizationRegister.SearchMax) is { } fault)
        {
            return pages.Of<CustomerListPage>(http, 422, ("Asked", Harmless(asked)), ("Faults", new[] { fault }));
        }

        if (asked.Contains('@', StringComparison.Ordinal))
        {
            return pages.Of<CustomerListPage>(http, 200, ("Asked", asked), ("Lines", await Lines(http, await OfPeople(http, asked))));
        }

        if (!lists.Read(http, $"console customers {asked}", RowsMax, cursor).TryGet(out var page, out var problem))
        {
            return pages.Problem(http, problem, Home);
        }

        var rows = await register.List(asked.Length == 0 ? null : asked, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, organization => organization.OrganizationNo);
        return pages.Of<CustomerListPage>(
            http, 200, ("Asked", asked), ("Lines", await Lines(http, data)),
            ("Next", next is null ? null : $"{Home}?search={Uri.EscapeDataString(asked)}&cursor={Uri.EscapeDataString(next)}"));
    }

    /// <summary>The own organizations and the teams of those whose addresses begin so.</summary>
    private static async Task<IReadOnlyList<Organization>> OfPeople(HttpContext http, string address)
    {
        var services = http.RequestServices;
        var people = await services.GetRequiredService<PersonRegister>().List(address, long.MaxValue, PeopleMax, http.RequestAborted);
        return await services.GetRequiredService<Database>().Read(
            async connection =>
            {
                var found = new List<Organization>();
                foreach (var person in people.Where(person => person.Email is not null))
                {
                    if (await OrganizationRegister.Look(connection, null, person.OrganizationId) is { } own)
                    {
                        found.Add(own);
                    }

                    found.AddRange((await ProjectRoster.TeamsOf(connection, null, person.Id)).Select(one => one.Team));
                }

                return found.DistinctBy(organization => organization.OrganizationNo).ToList();
            },
            http.RequestAborted);
    }

    private static async Task<IReadOnlyList<CustomerLine>> Lines(HttpContext http, IReadOnlyList<Organization> organizations)
    {
        var services = http.RequestServices;
        var (plans, ledger) = (services.GetRequiredService<PlanBook>(), services.GetRequiredService<WalletLedger>());
        var wallet = services.GetRequiredService<ProviderModel>().Wallet;
        var nowMs = KeyPages.Now(services.GetRequiredService<TimeProvider>());
        var owners = await Owners(http, organizations);
        return
        [
            .. organizations.Select(one => new CustomerLine(
                $"{Home}/{one.Id}", one.Name, owners.GetValueOrDefault(one.Id.Text), plans.Of(one.Plan).Name,
                wallet is null ? null : Shown.Cost(ledger.FiguresOf(one.OrganizationNo).Balance.Micros, wallet.Currency),
                StatusOf(one))
            {
                Since = MomentFacts.Of(one.CreatedAtMs, nowMs),
            }),
        ];
    }

    /// <summary>
    /// Whose those are that still have the name they were made with, which has nothing but an id in it. Whoever gives an organization
    /// such a name does not become its owner by it.
    /// </summary>
    private static async Task<Dictionary<string, string>> Owners(HttpContext http, IReadOnlyList<Organization> organizations)
    {
        var ids = organizations.Select(one => SignUpDoor.OwnerIn(one.Name)).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var people = await http.RequestServices.GetRequiredService<PersonRegister>().Find(ids, http.RequestAborted);
        return people.DistinctBy(person => person.OrganizationId)
            .ToDictionary(person => person.OrganizationId, NameOf, StringComparer.Ordinal);
    }

    public static string NameOf(Person person) =>
        (person.Name, person.Email) switch
        {
            ({ Length: > 0 } name, { } email) => $"{name}, {email}",
            ({ Length: > 0 } name, null) => name,
            (_, { } email) => email,
            _ => person.Id,
        };
}
