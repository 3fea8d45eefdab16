namespace Tollgate.Server.Wire;

/// <summary>
/// How a request's number is written: a prefix and 13 characters of 5 bits each, the highest first, so that ids sort as their numbers do.
/// </summary>
internal static class RequestId
{
    public const string Prefix = "req_";
    public const string ReservationPrefix = "rsv_";
    public const int Digits = 13;

    // Without i, l, o and u, which are read for others.
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    public static string Of(long requestNo) => Text(Prefix, requestNo);

    public static string OfReservation(long requestNo) => Text(ReservationPrefix, requestNo);

    /// <summary>The number of the request, as <see cref="Of"/> wrote it and in no other form.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long requestNo) => TryParse(Prefix, text, out requestNo);

    public static bool TryParseReservation(ReadOnlySpan<char> text, out long requestNo) =>
        TryParse(ReservationPrefix, text, out requestNo);

    /// <summary>The number that the front gave this request.</summary>
    public static long NumberOf(HttpContext http) => TryParse(http.TraceIdentifier, out var number)
        ? number
        : throw new InvalidOperationException("The request has no number.");

    private static string Text(string prefix, long requestNo)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(requestNo);
        return string.Create(prefix.Length + Digits, (prefix, requestNo), static (text, id) =>
        {
            id.prefix.CopyTo(text);
            var number = id.requestNo;
            for (var i = text.Length - 1; i >= id.prefix.Length; i--)
            {
                text[i] = Alphabet[(int)(number & 31)];
                number >>= 5;
            }
        });
    }

    private static bool TryParse(string prefix, ReadOnlySpan<char> text, out long requestNo)
    {
        requestNo = 0;
        if (text.Length != prefix.Length + Digits || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var number = 0UL;
        foreach (var character in text[prefix.Length..])
        {
            var digit = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (digit < 0 || number >> 58 != 0)
            {
                return false;
            }

            number = (number << 5) | (uint)digit;
        }

        requestNo = number <= long.MaxValue ? (long)number : 0;
        return number is > 0 and <= long.MaxValue;
    }
}
