using System.Globalization;

namespace Tollgate.Engine.Wallet;

/// <summary>
/// An amount of the provider's one currency, in millionths of its unit. The default is nothing. Sums are checked: they throw rather than
/// wrap round.
/// </summary>
public readonly record struct Money(long Micros) : IComparable<Money>
{
    /// <summary>The largest amount that can be written down: a thousand million units.</summary>
    public const long MicrosMax = 1_000_000_000 * MicrosPerUnit;

    public const long MicrosPerUnit = 1_000_000;

    private const int DecimalsMax = 6;

    public static readonly Money Zero;

    /// <summary>The least there can be of it.</summary>
    public static readonly Money Least = new(1);

    public static Money operator +(Money left, Money right) => new(checked(left.Micros + right.Micros));

    public static Money operator -(Money left, Money right) => new(checked(left.Micros - right.Micros));

    public static Money operator -(Money amount) => new(checked(-amount.Micros));

    public static bool operator <(Money left, Money right) => left.Micros < right.Micros;

    public static bool operator >(Money left, Money right) => left.Micros > right.Micros;

    public static bool operator <=(Money left, Money right) => left.Micros <= right.Micros;

    public static bool operator >=(Money left, Money right) => left.Micros >= right.Micros;

    /// <summary>
    /// Reads a signed decimal such as <c>50.00</c>, <c>-0.000125</c> or <c>7</c>: digits, at most six behind the point, no exponent, no
    /// plus sign, no spaces, no leading zeros.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Money amount)
    {
        amount = default;
        bool isNegative = text.StartsWith('-');
        ReadOnlySpan<char> digits = isNegative ? text[1..] : text;
        int point = digits.IndexOf('.');
        ReadOnlySpan<char> whole = point < 0 ? digits : digits[..point];
        ReadOnlySpan<char> part = point < 0 ? default : digits[(point + 1)..];
        if (whole.Length is 0 or > 10 || (whole.Length > 1 && whole[0] == '0') || (point >= 0 && part.Length is 0 or > DecimalsMax)
            || whole.ContainsAnyExceptInRange('0', '9') || part.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        long micros = long.Parse(whole, NumberStyles.None, CultureInfo.InvariantCulture) * MicrosPerUnit;
        long scale = MicrosPerUnit;
        foreach (char digit in part)
        {
            scale /= 10;
            micros += (digit - '0') * scale;
        }

        amount = new Money(isNegative ? -micros : micros);
        return micros <= MicrosMax;
    }

    public int CompareTo(Money other) => Micros.CompareTo(other.Micros);

    /// <summary>With two decimals, and as many more as it takes to lose nothing: <c>50.00</c>, <c>0.000125</c>.</summary>
    public override string ToString()
    {
        var size = (ulong)Int128.Abs(Micros);
        ulong part = size % MicrosPerUnit;
        string decimals = part.ToString("D6", CultureInfo.InvariantCulture);
        int kept = Math.Max(2, decimals.AsSpan().TrimEnd('0').Length);
        return string.Create(CultureInfo.InvariantCulture, $"{(Micros < 0 ? "-" : "")}{size / MicrosPerUnit}.{decimals.AsSpan(0, kept)}");
    }
}
