using System.Globalization;

namespace Tollgate.Bench;

/// <summary>The middle of some measurements and their ends.</summary>
internal readonly record struct Spread(double Min, double Median, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new Spread(sorted[0], sorted[sorted.Length / 2], sorted[^1]);
    }

    /// <summary>Median and ends in one format, such as <c>0.31 (0.29–0.35)</c>.</summary>
    public string ToText(string format) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Median.ToString(format, CultureInfo.InvariantCulture)} ({Min.ToString(format, CultureInfo.InvariantCulture)}–")
        + $"{Max.ToString(format, CultureInfo.InvariantCulture)})";
}
