using System.CommandLine;
using System.Globalization;
using Tollgate.Cli.Keys;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary><c>tollgate plans</c>: what the provider's plans allow, a column for each limit and quota.</summary>
internal static class PlansCommand
{
    public static Command Build(Shell shell)
    {
        var command = new Command("plans", "List the provider's plans and what each allows.");
        command.SetAction(async (parsed, cancel) =>
        {
            using var ask = new Ask(parsed, shell, cancel);
            Show(ask.Voice, await ask.Client.Plans.ListAsync(cancel));
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static void Show(Voice voice, IReadOnlyList<Plan> plans)
    {
        if (voice.Json)
        {
            voice.Result(new PlanList(plans), TollgateJson.Default.PlanList);
            return;
        }

        // Every plan names the same limits and quotas, in one order.
        var table = Tables.List(
            ["plan", .. plans.SelectMany(plan => plan.Limits.Select(Column)).Distinct(),
                .. plans.SelectMany(plan => plan.Quotas.Select(quota => quota.Name)).Distinct()]);
        foreach (var plan in plans)
        {
            table.Line(
                [plan.IsDefault ? $"{plan.Name} (default)" : plan.Name, .. plan.Limits.Select(limit => Amount(limit.Amount)),
                    .. plan.Quotas.Select(quota => Amount(quota.Amount))]);
        }

        voice.Table(table);
    }

    private static string Column(PlanLimit limit) =>
        limit.WindowSeconds is { } window ? string.Create(CultureInfo.InvariantCulture, $"{limit.Name}/{Window(window)}") : limit.Name;

    private static string Window(long seconds) => seconds switch
    {
        _ when seconds % 86_400 == 0 => $"{seconds / 86_400}d",
        _ when seconds % 3_600 == 0 => $"{seconds / 3_600}h",
        _ when seconds % 60 == 0 => $"{seconds / 60}m",
        _ => $"{seconds}s",
    };

    private static string Amount(long? amount) => amount?.ToString("N0", CultureInfo.InvariantCulture) ?? "unlimited";
}
