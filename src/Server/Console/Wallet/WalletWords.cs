using System.Globalization;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Console.Wallet;

/// <summary>What a balance means, in words.</summary>
internal static class WalletWords
{
    /// <summary>The days by which the pace is told.</summary>
    public const int PaceDays = 7;

    private const int DaysToldMax = 365;

    /// <summary>In micros: the least that reads in four digits.</summary>
    private const long LeastRounded = 100;

    public static IReadOnlyList<(string Kind, string Title)> Kinds { get; } =
    [
        (EntryKinds.TopUp, "Money put in"), (EntryKinds.Grant, "Granted"), (EntryKinds.Refund, "Given back"),
        (EntryKinds.Adjustment, "Corrected"), (EntryKinds.Usage, "Requests"), (EntryKinds.Transfer, "Moved between organizations"),
    ];

    public static string TitleOf(string kind) => Kinds.FirstOrDefault(one => one.Kind == kind).Title ?? kind;

    /// <summary>What who may read the account is told on every page; null while there is enough. Memory knows the balance.</summary>
    public static FrameWarning? WarningOf(ConsolePlace place, WalletLedger ledger, WalletRules? rules) =>
        rules is null || !RoleTable.May(place.RolesAbove, Act.ReadAccount)
            ? null
            : WarningOf(ledger.FiguresOf(place.Organization.OrganizationNo).Balance, rules, $"{place.Path}/wallet");

    public static FrameWarning? WarningOf(Money balance, WalletRules rules, string href)
    {
        var shown = Shown.Cost(balance.Micros, rules.Currency);
        if (balance <= FloorOf(rules))
        {
            return new FrameWarning(
                rules.DisableAt is null
                    ? "The wallet is empty: requests that cost something are refused until money is put in."
                    : $"The balance is {shown}: the organization's keys have stopped, until money is put in.",
                href, "Wallet", HasFailed: true);
        }

        return rules.LowAt is { } low && balance <= low
            ? new FrameWarning($"The balance is low: {shown} is left. {StopOf(rules)}", href, "Wallet", HasFailed: false)
            : null;
    }

    /// <summary>At which balance nothing works any more.</summary>
    public static Money FloorOf(WalletRules rules) => rules.DisableAt ?? Money.Zero;

    public static IReadOnlyList<UsageFigure> Figures(WalletFigures figures, Money granted, WalletRules rules, UsageFigure lasts)
    {
        var (balance, currency) = (figures.Balance, rules.Currency);
        var given = granted < balance ? granted : balance;
        return
        [
            new("Balance", Shown.Cost(balance.Micros, currency), given == Money.Zero ? null
                : $"{Shown.Cost(given.Micros, currency)} granted, which is spent first; "
                    + $"{Shown.Cost((balance - given).Micros, currency)} paid"),
            new("Held", Shown.Cost(figures.Held.Micros, currency), "for requests under way"),
            new("Free to use", Shown.Cost(figures.Available.Micros, currency), null),
            lasts,
        ];
    }

    public static IReadOnlyList<WalletStep> Steps(WalletRules rules)
    {
        var steps = new List<WalletStep>();
        if (rules.LowAt is { } low)
        {
            steps.Add(new(AtMost(low, rules), "Every page here says that the balance is low, and webhooks hear of it (wallet.low)."));
        }

        if (rules.DisableAt is { } floor)
        {
            steps.Add(new(
                AtMost(floor, rules),
                "All keys of the organization disable themselves, and webhooks hear of it (wallet.empty). When money brings the balance "
                + "above this, they come back by themselves; keys that a person disabled stay disabled."));
        }
        else
        {
            steps.Add(new(AtMost(Money.Zero, rules), "Requests that cost something are refused until money is put in."));
        }

        if (rules.ToCreateAbove is { } least)
        {
            steps.Add(new(AtMost(least, rules), "No new key can be made."));
        }

        return steps;
    }

    /// <summary>
    /// How long the balance lasts if it goes on as in the last days; where less than those are known, as since the first of them.
    /// </summary>
    /// <param name="balance">What is left.</param>
    /// <param name="rules">Until which balance.</param>
    /// <param name="days">What was used on each of the last days.</param>
    /// <param name="range">Those days, up to the end of today.</param>
    /// <param name="nowMs">Now.</param>
    public static UsageFigure Lasts(
        Money balance, WalletRules rules, IEnumerable<UsageSumRow> days, UsageRange range, long nowMs)
    {
        const string title = "Lasts";
        var billed = days.Where(day => day.CostMicros > 0).ToList();
        var left = balance - FloorOf(rules);
        if (left <= Money.Zero)
        {
            return new(title, "used up", null);
        }

        if (billed.Count == 0)
        {
            return new(title, "–", $"nothing was billed in the last {PaceDays} days, so there is no pace yet");
        }

        var first = Math.Max(range.FromMs, billed.Min(day => day.FromMs));
        // Less than a day says little of a day: it counts as one.
        var spanMs = Math.Max(UsageRange.DayMs, nowMs - first);
        var aDay = (decimal)billed.Sum(day => day.CostMicros) * UsageRange.DayMs / spanMs;
        var basis = first == range.FromMs ? $"as in the last {PaceDays} days" : $"as since {Shown.Day(first)}";
        var pace = $"at {Shown.Cost((long)Math.Ceiling(aDay), rules.Currency)} a day, {basis}";
        return left.Micros / aDay is var span && span > DaysToldMax ? new(title, "more than a year", pace)
            : span < 2 ? new(title, Hours(span), pace)
            : new(
                title, string.Create(CultureInfo.InvariantCulture, $"about {Math.Floor(span):0} days"),
                $"until {Shown.Day(nowMs + (long)(span * UsageRange.DayMs))}, {pace}");
    }

    /// <summary>With its sign: a movement says which way it went. What is too small to be rounded is told as it is.</summary>
    public static string Signed(Money amount)
    {
        var size = amount < Money.Zero ? -amount : amount;
        return (amount < Money.Zero ? "−" : "+") + (size.Micros < LeastRounded ? size.ToString() : Shown.Cost(size.Micros, null));
    }

    private static string Hours(decimal days) => Math.Floor(days * 24) switch
    {
        < 1 => "less than an hour",
        1 => "about an hour",
        var hours => string.Create(CultureInfo.InvariantCulture, $"about {hours:0} hours"),
    };

    private static string AtMost(Money amount, WalletRules rules) => amount == Money.Zero
        ? "Nothing left"
        : $"{Shown.Cost(amount.Micros, rules.Currency)} or less";

    private static string StopOf(WalletRules rules) => rules.DisableAt is { } floor
        ? $"At {Shown.Cost(floor.Micros, rules.Currency)} keys disable themselves, until money is put in."
        : "When it is empty, requests that cost something are refused.";
}
