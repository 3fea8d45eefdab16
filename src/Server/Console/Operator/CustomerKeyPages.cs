using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Operator;

/// <summary>A customer's projects and keys, to look at and not to change.</summary>
internal static class CustomerKeyPages
{
    public const string Projects = OperatorPages.Root + "/projects";

    private const string Keys = OperatorPages.Root + "/keys";
    private const int RowsMax = 50;
    private const int DaysShown = 30;

    public static void MapCustomerKeys(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/projects/{id}", ShowProject);
        pages.MapGet("/keys/{id}", ShowKey);
    }

    private static async Task<IResult> ShowProject(
        HttpContext http, FrameMaker pages, OperatorDesk desk, OrganizationRegister register, KeyRing ring, Pages lists, TimeProvider time,
        string id, string? cursor)
    {
        if (await desk.Look(http, id) is { } refused)
        {
            return refused;
        }

        var nowMs = KeyPages.Now(time);
        if (!(await register.FindProject(id, http.RequestAborted)).TryGet(out var project, out var problem)
            || !lists.Read(http, $"console keys of {project.Id}", RowsMax, cursor).TryGet(out var page, out problem)
            || !(await ring.List(Caller.Of(http), project.Id.Text, null, page.Before, page.Limit + 1, nowMs, http.RequestAborted))
                .TryGet(out var keys, out problem))
        {
            return pages.Problem(http, problem, CustomerPages.Home);
        }

        var (data, next) = page.Cut(keys, key => key.KeyNo);
        return pages.Of<CustomerProjectPage>(
            http, 200, ("Name", project.Name), ("Customer", project.OrganizationName),
            ("Back", $"{CustomerPages.Home}/{project.OrganizationId}"), ("Keys", await Lines(http, data, nowMs)),
            ("Next", next is null ? null : $"{Projects}/{project.Id}?cursor={Uri.EscapeDataString(next)}"));
    }

    private static async Task<IReadOnlyList<KeyLine>> Lines(HttpContext http, IReadOnlyList<Key> keys, long nowMs)
    {
        var used = await http.RequestServices.GetRequiredService<UsageReader>()
            .LastUses([.. keys.Select(key => key.KeyNo)], http.RequestAborted);
        var makers = await KeyPages.MakersOf(http, keys.Select(key => key.CreatedBy));
        return
        [
            .. keys.Select(key => new KeyLine(
                $"{Keys}/{key.Id}", key.Name, key.Mask, KeyPage.StatusOf(key, nowMs), key.Environment, makers[key.CreatedBy])
            {
                Used = MomentFacts.Of(used.TryGetValue(key.KeyNo, out var usedMs) ? usedMs : null, nowMs),
                Made = MomentFacts.Of(key.CreatedAtMs, nowMs),
            }),
        ];
    }

    private static async Task<IResult> ShowKey(
        HttpContext http, FrameMaker pages, OperatorDesk desk, KeyRing ring, UsageReader reader, ProviderModel provider, TimeProvider time,
        string id)
    {
        if (await desk.Look(http, id) is { } refused)
        {
            return refused;
        }

        var nowMs = KeyPages.Now(time);
        if (!(await ring.Find(Caller.Of(http), id, http.RequestAborted)).TryGet(out var key, out var problem)
            || !(await reader.OfKey(Caller.Of(http), id, UsagePages.LastDays(DaysShown, nowMs), http.RequestAborted))
                .TryGet(out var usage, out problem))
        {
            return pages.Problem(http, problem, CustomerPages.Home);
        }

        var oldUsedMs = await reader.OldSecretUse(key.KeyNo, http.RequestAborted);
        var maker = (await KeyPages.MakersOf(http, [key.CreatedBy]))[key.CreatedBy];
        return pages.Of<CustomerKeyPage>(
            http, 200, ("Name", key.Name), ("Status", KeyPage.StatusOf(key, nowMs)), ("Back", $"{Projects}/{key.ProjectId}"),
            ("Totals", UsageWords.Totals(usage.Total, provider.Wallet?.Currency)),
            ("Lines", (IReadOnlyList<OperatorFact>)
            [
                .. KeyPage.Facts(key, maker, (usage.LastUsedAtMs, oldUsedMs), provider.Keys, nowMs).Select(fact => new OperatorFact(
                    fact.Title, fact.Moment is not null && fact.Title == "Last used" ? "" : fact.Text)
                {
                    IsCode = fact.IsCode, Moment = fact.Moment,
                }),
                new OperatorFact("Project", key.ProjectId) { Href = $"{Projects}/{key.ProjectId}" },
                new OperatorFact("Customer", key.OrganizationId) { Href = $"{CustomerPages.Home}/{key.OrganizationId}" },
            ]));
    }
}
