namespace Tollgate.Server.Usage;

/// <summary>Sums of one write by key, span and model.</summary>
internal sealed class UsageSums
{
    private readonly Dictionary<(long KeyNo, long FromMs, long Model), Sum> _sums = [];

    public void Add(in BookedRequest row, long fromMs)
    {
        var sum = Of(row.KeyNo, fromMs, row.Model);
        sum.Requests++;
        sum.Failed += row.Status >= StatusCodes.Status400BadRequest ? 1 : 0;
        sum.InputTokens += row.InputTokens;
        sum.OutputTokens += row.OutputTokens;
        sum.CachedTokens += row.CachedTokens;
        sum.ReasoningTokens += row.ReasoningTokens;
        sum.CostMicros += row.Cost?.Micros ?? 0;
        sum.LossMicros += row.Loss.Micros;
        sum.Priced += row.Cost is null ? 0 : 1;
        sum.Estimated += (row.Flags & BookedFlags.Estimated) != 0 ? 1 : 0;
    }

    public void Add(in BookedRefusal row, long fromMs) => Of(row.KeyNo, fromMs, row.Model).Refused++;

    /// <summary>In the order of the tables' columns, and of keys: neighbours share pages, of which each is read and written once.</summary>
    public Array[] Columns(IReadOnlyDictionary<long, long> placeOf) =>
        Columns([.. _sums.OrderBy(static entry => entry.Key.KeyNo).Select(static entry => (entry.Key, entry.Value))], placeOf);

    /// <summary>Those of all keys of a place together: place, span, model, and what was counted.</summary>
    public Array[] ColumnsByPlace(IReadOnlyDictionary<long, long> placeOf)
    {
        var sums = new Dictionary<(long PlaceNo, long FromMs, long Model), Sum>();
        foreach (var ((keyNo, fromMs, model), sum) in _sums)
        {
            SumOf(sums, (placeOf[keyNo], fromMs, model)).Add(sum);
        }

        return Columns([.. sums.OrderBy(static entry => entry.Key).Select(static entry => (entry.Key, entry.Value))], null);
    }

    /// <summary>Those of all models together: place, span, key, and what was counted.</summary>
    public Array[] ColumnsByKey(IReadOnlyDictionary<long, long> placeOf)
    {
        var sums = new Dictionary<(long PlaceNo, long FromMs, long KeyNo), Sum>();
        foreach (var ((keyNo, fromMs, _), sum) in _sums)
        {
            SumOf(sums, (placeOf[keyNo], fromMs, keyNo)).Add(sum);
        }

        return Columns([.. sums.OrderBy(static entry => entry.Key).Select(static entry => (entry.Key, entry.Value))], null);
    }

    /// <summary>What they are kept apart by, the key's place where it is asked for, and what was counted.</summary>
    private static Array[] Columns(
        IReadOnlyList<((long First, long Second, long Third) Of, Sum Sum)> sums, IReadOnlyDictionary<long, long>? placeOf)
    {
        var columns = new long[placeOf is null ? 14 : 15][];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new long[sums.Count];
        }

        for (var row = 0; row < sums.Count; row++)
        {
            var ((first, second, third), sum) = sums[row];
            (columns[0][row], columns[1][row], columns[2][row]) = (first, second, third);
            var next = 3;
            if (placeOf is not null)
            {
                columns[next++][row] = placeOf[first];
            }

            ReadOnlySpan<long> counts =
            [
                sum.Requests, sum.Refused, sum.InputTokens, sum.OutputTokens, sum.CostMicros, sum.LossMicros, sum.Priced, sum.Estimated,
                sum.CachedTokens, sum.ReasoningTokens, sum.Failed,
            ];
            foreach (var count in counts)
            {
                columns[next++][row] = count;
            }
        }

        return columns;
    }

    private Sum Of(long keyNo, long fromMs, long model) => SumOf(_sums, (keyNo, fromMs, model));

    private static Sum SumOf(Dictionary<(long, long, long), Sum> sums, (long, long, long) of)
    {
        if (!sums.TryGetValue(of, out var sum))
        {
            sums.Add(of, sum = new Sum());
        }

        return sum;
    }

    private sealed class Sum
    {
        public long Requests { get; set; }

        public long Refused { get; set; }

        public long Failed { get; set; }

        public long InputTokens { get; set; }

        public long OutputTokens { get; set; }

        public long CachedTokens { get; set; }

        public long ReasoningTokens { get; set; }

        public long CostMicros { get; set; }

        public long LossMicros { get; set; }

        public long Priced { get; set; }

        public long Estimated { get; set; }

        public void Add(Sum other)
        {
            Requests += other.Requests;
            Refused += other.Refused;
            Failed += other.Failed;
            InputTokens += other.InputTokens;
            OutputTokens += other.OutputTokens;
            CachedTokens += other.CachedTokens;
            ReasoningTokens += other.ReasoningTokens;
            CostMicros += other.CostMicros;
            LossMicros += other.LossMicros;
            Priced += other.Priced;
            Estimated += other.Estimated;
        }
    }
}

/// <summary>The lowest and the highest request number of each hour in one write.</summary>
internal sealed class HourSpans
{
    private readonly Dictionary<long, (long Lowest, long Highest)> _spans = [];

    public long[] Hours => [.. _spans.Keys];

    public long[] Lowest => [.. _spans.Values.Select(span => span.Lowest)];

    public long[] Highest => [.. _spans.Values.Select(span => span.Highest)];

    public void Add(long hourMs, long requestNo) => _spans[hourMs] = _spans.TryGetValue(hourMs, out var span)
        ? (Math.Min(span.Lowest, requestNo), Math.Max(span.Highest, requestNo))
        : (requestNo, requestNo);
}
