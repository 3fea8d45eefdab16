using System.Globalization;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Bars over days, drawn without a scale of pixels: every measure is a share of the whole, so that one drawing fits any width.
/// </summary>
/// <param name="Title">What is counted.</param>
/// <param name="Bars">From left to right.</param>
public sealed record ChartFacts(string Title, IReadOnlyList<ChartBar> Bars)
{
    /// <summary>Free above the highest bar, for the value that is read.</summary>
    private const double TopPercent = 14;

    private long Most => Math.Max(1, Bars.Count == 0 ? 1 : Bars.Max(bar => bar.Value + bar.Second));

    internal string MostText => Shown.Number(Most);

    /// <summary>Whether there is a second kind of anything.</summary>
    public bool HasSecond => Bars.Any(bar => bar.Second > 0);

    internal string XOf(int index) => Percent((index + 0.15) * 100 / Bars.Count);

    internal string SlotOf(int index) => Percent(index * 100.0 / Bars.Count);

    internal string SlotWidth => Percent(100.0 / Bars.Count);

    internal string Width => Percent(70.0 / Bars.Count);

    internal string HeightOf(long value) => Percent(value * (100 - TopPercent) / Most);

    internal string TopOf(long value) => Percent(100 - (value * (100 - TopPercent) / Most));

    private static string Percent(double share) => share.ToString("0.###", CultureInfo.InvariantCulture) + "%";
}

/// <summary>A bar: its day, how high, what lies on top of it, and how both read.</summary>
public sealed record ChartBar(string Label, long Value, long Second, string Text)
{
    /// <summary>What is not over yet.</summary>
    public bool IsOpen { get; init; }
}
