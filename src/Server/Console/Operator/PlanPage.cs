using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Operator;

/// <summary>The plans of the provider file: what each allows, and how many are on it.</summary>
internal static class PlanPage
{
    public static void MapPlanPage(this IEndpointRouteBuilder pages) => pages.MapGet("/plans", Show);

    /// <summary>The plans to choose from, each with what it allows.</summary>
    public static IReadOnlyList<FormChoice> Choices(PlanBook plans, string now) =>
    [
        .. plans.All.Select(plan => new FormChoice(
            plan.Name, plan.Name,
            string.Join("; ", LimitsOf(plans, plan).Concat(QuotasOf(plans, plan)).Select(row => $"{row.Counts}: {row.Amount}")),
            plan.Name == now)),
    ];

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, OrganizationRegister register, PlanBook plans)
    {
        var counts = await register.CountByPlan(http.RequestAborted);
        return pages.Of<PlanListPage>(
            http, 200,
            ("Plans", (IReadOnlyList<PlanFacts>)
            [
                .. plans.All.Select(plan => new PlanFacts(
                    plan.Name, plan == plans.Default,
                    Shown.Number(counts.Where(count => plans.Of(Stored(count.Key)) == plan).Sum(count => count.Value)))
                {
                    Rows = [.. LimitsOf(plans, plan), .. QuotasOf(plans, plan)],
                }),
            ]),
            ("Gone", Gone(plans, counts)));
    }

    /// <summary>Plans that organizations have and the file has not, with how many those are.</summary>
    public static IReadOnlyList<string> Gone(PlanBook plans, Dictionary<string, long> counts) =>
    [
        .. counts.Where(count => count.Key.Length > 0 && !plans.Has(count.Key)).Select(count =>
            $"The provider file has no plan {count.Key} any more. {Shown.Number(count.Value)} on it have {plans.Default.Name} instead."),
    ];

    private static string? Stored(string name) => name.Length == 0 ? null : name;

    private static IEnumerable<PlanRow> LimitsOf(PlanBook plans, Plan plan) =>
        plans.Limits.Select((limit, i) => new PlanRow(limit.Name, KeyForm.CountsOf(limit), KeyForm.AmountOf(plan.Limits[i])));

    private static IEnumerable<PlanRow> QuotasOf(PlanBook plans, Plan plan) =>
        plans.Quotas.Select((quota, i) => new PlanRow(quota.Name, $"{quota.Name} at a time", KeyForm.AmountOf(plan.Quotas[i])));
}
