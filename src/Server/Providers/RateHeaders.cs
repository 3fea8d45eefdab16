using System.Globalization;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Providers;

/// <summary>
/// The headers in which an answer, passed or refused, tells how the key's limits stand: the provider's own, and the two of the IETF's draft
/// "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers). Both come from the numbers of the decision itself.
/// </summary>
internal sealed class RateHeaders(IReadOnlyList<Limit> limits, IReadOnlyList<RateHeader> headers)
{
    public const string Policy = "RateLimit-Policy";
    public const string State = "RateLimit";

    /// <summary>Characters of one header in the file.</summary>
    public const int TextCharsMax = 120;

    /// <summary>A shortest placeholder has five characters, a longest value as many as a limit's name.</summary>
    private const int ValueCharsMax = TextCharsMax / 5 * Limit.NameCharsMax;

    /// <summary>A power of two.</summary>
    private const int RecentMax = 64;

    /// <summary>The last policies that were told: all keys of a plan share one. A place is read and replaced whole.</summary>
    private readonly RecentPolicy?[] _policies = new RecentPolicy?[RecentMax];

    /// <summary>Every header that the provider file names, for documents.</summary>
    public IEnumerable<string> Names => headers.Select(header => header.Name);

    /// <param name="output">Where they go; nothing is written where no limit counted the request.</param>
    /// <param name="verdict">What was decided.</param>
    /// <param name="nowMs">Unix milliseconds.</param>
    public void Write(IHeaderDictionary output, in Verdict verdict, long nowMs)
    {
        ref readonly var states = ref verdict.Limits;
        if (states.Count == 0)
        {
            return;
        }

        var tightest = TightestOf(states, verdict.RefusingLimit);
        Span<char> buffer = stackalloc char[ValueCharsMax];
        foreach (var header in headers)
        {
            if (TryWrite(header, states, verdict.RefusingLimit, tightest, nowMs, buffer, out var length))
            {
                output[header.Name] = new string(buffer[..length]);
            }
        }

        output[Policy] = PolicyOf(states);
        output[State] = StateOf(states, buffer);
    }

    /// <summary>Adds to a refusal which limit it was, and how it stood; what no limit refused stays as it is.</summary>
    public Problem Tell(Problem problem, in Verdict verdict)
    {
        ref readonly var states = ref verdict.Limits;
        for (var i = 0; i < states.Count; i++)
        {
            var state = states[i];
            if (state.Limit == verdict.RefusingLimit)
            {
                var fault = new LimitFault(limits[state.Limit].Name, state.Amount, state.Remaining, Seconds(verdict.RetryAfterMs));
                return problem with { Limit = fault };
            }
        }

        return problem;
    }

    private static long Seconds(long ms) => (ms + 999) / 1000;

    /// <summary>The one that refused; else the one with the least share left, and of two the one that takes longer.</summary>
    private static int TightestOf(in LimitStates states, int refusing)
    {
        var tightest = 0;
        for (var i = 0; i < states.Count; i++)
        {
            if (refusing >= 0 && states[i].Limit == refusing)
            {
                return i;
            }

            tightest = IsTighter(states[i], states[tightest]) ? i : tightest;
        }

        return tightest;
    }

    private static bool IsTighter(in LimitState one, in LimitState other)
    {
        var difference = ((Int128)one.Remaining * other.Amount).CompareTo((Int128)other.Remaining * one.Amount);
        return difference < 0 || (difference == 0 && one.ResetMs > other.ResetMs);
    }

    private bool TryWrite(
        RateHeader header, in LimitStates states, int refusing, int tightest, long nowMs, Span<char> buffer, out int length)
    {
        length = 0;
        foreach (var part in header.Parts)
        {
            if (part.Value == RateValue.Text)
            {
                part.Text.CopyTo(buffer[length..]);
                length += part.Text.Length;
                continue;
            }

            var at = part.About == RateAbout.Tightest ? tightest : Find(part, states, refusing);
            if (at < 0 || !TryWrite(part.Value, states[at], nowMs, buffer[length..], out var written))
            {
                return false;
            }

            length += written;
        }

        return true;
    }

    /// <summary>The state of the limit that is named, or the tightest of those that count the same; -1 where none counted.</summary>
    private int Find(in RatePart part, in LimitStates states, int refusing)
    {
        var found = -1;
        for (var i = 0; i < states.Count; i++)
        {
            var state = states[i];
            if (part.About == RateAbout.Named ? state.Limit != part.Number : limits[state.Limit].Counts != (LimitCounts)part.Number)
            {
                continue;
            }

            if (state.Limit == refusing)
            {
                return i;
            }

            found = found < 0 || IsTighter(state, states[found]) ? i : found;
        }

        return found;
    }

    private bool TryWrite(RateValue value, in LimitState state, long nowMs, Span<char> buffer, out int written)
    {
        var limit = limits[state.Limit];
        switch (value)
        {
            case RateValue.Name:
                limit.Name.CopyTo(buffer);
                written = limit.Name.Length;
                return true;
            case RateValue.WindowSeconds when limit.WindowMs == 0:
                written = 0;
                return false;
            case RateValue.ResetDuration:
                return TryWriteDuration(state.ResetMs, buffer, out written);
        }

        var number = value switch
        {
            RateValue.Limit => state.Amount,
            RateValue.Remaining => state.Remaining,
            RateValue.ResetUnix => Seconds(nowMs + state.ResetMs),
            RateValue.ResetSeconds => Seconds(state.ResetMs),
            _ => limit.WindowMs / 1000,
        };
        return number.TryFormat(buffer, out written, default, CultureInfo.InvariantCulture);
    }

    /// <summary>As OpenAI writes it: <c>120ms</c> below a second, else <c>1s</c>, <c>6m0s</c>, <c>1h0m0s</c>, rounded up.</summary>
    private static bool TryWriteDuration(long ms, Span<char> buffer, out int written)
    {
        var seconds = Seconds(ms);
        var culture = CultureInfo.InvariantCulture;
        return ms is > 0 and < 1000 ? buffer.TryWrite(culture, $"{ms}ms", out written)
            : seconds < 60 ? buffer.TryWrite(culture, $"{seconds}s", out written)
            : seconds < 3600 ? buffer.TryWrite(culture, $"{seconds / 60}m{seconds % 60}s", out written)
            : buffer.TryWrite(culture, $"{seconds / 3600}h{seconds / 60 % 60}m{seconds % 60}s", out written);
    }

    /// <summary><c>"rpm";r=12;t=30</c>: what is left, and the seconds until all is back, which what has no window goes without.</summary>
    private string StateOf(in LimitStates states, Span<char> buffer)
    {
        var length = 0;
        for (var i = 0; i < states.Count; i++)
        {
            var (limit, state) = (limits[states[i].Limit], states[i]);
            var comma = i == 0 ? "" : ", ";
            var culture = CultureInfo.InvariantCulture;
            _ = limit.WindowMs == 0
                ? buffer[length..].TryWrite(culture, $"{comma}\"{limit.Name}\";r={state.Remaining}", out var written)
                : buffer[length..].TryWrite(
                    culture, $"{comma}\"{limit.Name}\";r={state.Remaining};t={Seconds(state.ResetMs)}", out written);
            length += written;
        }

        return new string(buffer[..length]);
    }

    private string PolicyOf(in LimitStates states)
    {
        var hash = 0;
        for (var i = 0; i < states.Count; i++)
        {
            hash = HashCode.Combine(hash, states[i].Limit, states[i].Amount);
        }

        ref var place = ref _policies[hash & (RecentMax - 1)];
        if (place is { } recent && recent.IsOf(states))
        {
            return recent.Text;
        }

        var rows = new (byte Limit, long Amount)[states.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = (states[i].Limit, states[i].Amount);
        }

        var found = new RecentPolicy(rows, string.Join(", ", rows.Select(row => PolicyOf(limits[row.Limit], row.Amount))));
        place = found;
        return found.Text;
    }

    /// <summary>
    /// <c>"rpm";q=60;w=60</c>. The draft has a unit for requests, which need not be told, and one for concurrent ones, but none for tokens.
    /// </summary>
    private static string PolicyOf(Limit limit, long amount) => limit.WindowMs == 0
        ? string.Create(CultureInfo.InvariantCulture, $"\"{limit.Name}\";q={amount};qu=\"concurrent-requests\"")
        : string.Create(CultureInfo.InvariantCulture, $"\"{limit.Name}\";q={amount};w={limit.WindowMs / 1000}");

    private sealed record RecentPolicy((byte Limit, long Amount)[] Rows, string Text)
    {
        public bool IsOf(in LimitStates states)
        {
            if (states.Count != Rows.Length)
            {
                return false;
            }

            for (var i = 0; i < Rows.Length; i++)
            {
                if (Rows[i] != (states[i].Limit, states[i].Amount))
                {
                    return false;
                }
            }

            return true;
        }
    }
}

/// <summary>A header of the provider: its name as the file spells it, and its value.</summary>
internal sealed record RateHeader(string Name, IReadOnlyList<RatePart> Parts);

/// <summary>A piece of a header's value.</summary>
/// <param name="Value">Which of a limit's numbers it is.</param>
/// <param name="Text">What stands there as it is, for <see cref="RateValue.Text"/>.</param>
/// <param name="About">Which limit it speaks of.</param>
/// <param name="Number">The limit's number in the file, or the <see cref="LimitCounts"/> it must count.</param>
internal readonly record struct RatePart(RateValue Value, string Text, RateAbout About, int Number);

internal enum RateAbout
{
    /// <summary>The limit that refused; on what passed, the one with the least share left.</summary>
    Tightest,

    /// <summary>One limit. The header is left out where it did not count the request.</summary>
    Named,

    /// <summary>Likewise, of those that count one kind of thing the tightest.</summary>
    Counting,
}

internal enum RateValue
{
    Text,
    Limit,
    Remaining,
    ResetUnix,
    ResetSeconds,
    ResetDuration,
    WindowSeconds,
    Name,
}
