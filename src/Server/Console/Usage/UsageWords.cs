using Tollgate.Server.Console.Frame;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Usage;

/// <summary>Sums as pages show them.</summary>
internal static class UsageWords
{
    /// <summary>Days that a chart has room for; of a longer time it shows the last.</summary>
    private const int BarsMax = 92;

    public static IReadOnlyList<UsageFigure> Totals(UsageSumRow sum, string? currency) =>
    [
        new(
            "Requests", Shown.Number(sum.Requests),
            sum.Failed == 0 ? "that passed" : $"that passed; {Shown.Number(sum.Failed)} answered with an error"),
        new(
            "Tokens", Shown.Number(sum.InputTokens + sum.OutputTokens),
            $"{Shown.Number(sum.InputTokens)} in, {Shown.Number(sum.OutputTokens)} out"),
        new("Cost", CostOf(sum, currency), sum.Priced == 0 ? "nothing of it has a price" : null),
        new("Refused", Shown.Number(sum.Refused), Share(sum)),
    ];

    public static UsageSumRow Total(IEnumerable<UsageSumRow> rows) => rows.Aggregate(new UsageSumRow(), (sum, row) => new UsageSumRow
    {
        Requests = sum.Requests + row.Requests, Refused = sum.Refused + row.Refused, Failed = sum.Failed + row.Failed,
        InputTokens = sum.InputTokens + row.InputTokens,
        OutputTokens = sum.OutputTokens + row.OutputTokens, CostMicros = sum.CostMicros + row.CostMicros,
        Priced = sum.Priced + row.Priced,
    });

    public static IReadOnlyList<UsageLine> Lines(
        IEnumerable<UsageSumRow> rows, Func<UsageSumRow, string> name, string? currency, Func<UsageSumRow, string?>? href = null) =>
    [
        .. rows.Select(row => new UsageLine(
            name(row), href?.Invoke(row), Shown.Number(row.Requests), Shown.Number(row.Refused), Shown.Number(row.InputTokens),
            Shown.Number(row.OutputTokens), CostOf(row, currency))),
    ];

    public static string DayOf(UsageSumRow row) => Shown.Date(row.FromMs);

    /// <summary>A bar for every day of the time, also for those on which nothing was used.</summary>
    public static ChartFacts Chart(string title, IEnumerable<UsageSumRow> days, UsageRange range, long nowMs)
    {
        var sums = days.GroupBy(row => row.FromMs).ToDictionary(day => day.Key, day => Total(day));
        var today = nowMs - (nowMs % UsageRange.DayMs);
        var last = Math.Min(today, range.ToMs - UsageRange.DayMs);
        var bars = new List<ChartBar>();
        var first = Math.Max(range.FromMs, last - ((BarsMax - 1) * UsageRange.DayMs));
        for (var day = first; day <= last; day += UsageRange.DayMs)
        {
            var sum = sums.GetValueOrDefault(day) ?? new UsageSumRow();
            var refused = sum.Refused > 0 ? $", {Shown.Number(sum.Refused)} refused" : "";
            var failed = sum.Failed > 0 ? $" ({Shown.Number(sum.Failed)} with an error)" : "";
            bars.Add(new ChartBar(
                Shown.Day(day), sum.Requests, sum.Refused, $"{Shown.Number(sum.Requests)} passed{failed}{refused}")
            {
                IsOpen = day == today,
            });
        }

        return new ChartFacts(first > range.FromMs ? $"{title}, the last {BarsMax} days of the time" : title, bars);
    }

    private static string CostOf(UsageSumRow sum, string? currency) => sum.Priced == 0 ? "–" : Shown.Cost(sum.CostMicros, currency);

    private static string? Share(UsageSumRow sum) => sum.Refused == 0 ? "none" : string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{100.0 * sum.Refused / (sum.Refused + sum.Requests):0.#} % of all");
}
