namespace Tollgate.Server.Usage;

/// <summary>Sums of one write by key, span and model.</summary>
internal sealed class UsageSums
{
    private readonly Dictionary<(long KeyNo, long FromMs, long Model), Sum> _sums = [];

    public void Add(in BookedRequest row, long fromMs)
    {
        var sum = Of(row.KeyNo, fromMs, row.Model);
        sum.Requests++;
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
    public Array[] Columns(IReadOnlyDictionary<long, long> placeOf)
    {
        var columns = new long[14][];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new long[_sums.Count];
        }

        var row = 0;
        foreach (var ((keyNo, fromMs, model), sum) in _sums.OrderBy(static entry => entry.Key.KeyNo))
        {
            ReadOnlySpan<long> cells =
            [
                keyNo, fromMs, model, placeOf[keyNo], sum.Requests, sum.Refused, sum.InputTokens, sum.OutputTokens, sum.CostMicros,
                sum.LossMicros, sum.Priced, sum.Estimated, sum.CachedTokens, sum.ReasoningTokens,
            ];
            for (var i = 0; i < cells.Length; i++)
            {
                columns[i][row] = cells[i];
            }

            row++;
        }

        return columns;
    }

    private Sum Of(long keyNo, long fromMs, long model)
    {
        if (!_sums.TryGetValue((keyNo, fromMs, model), out var sum))
        {
            _sums.Add((keyNo, fromMs, model), sum = new Sum());
        }

        return sum;
    }

    private sealed class Sum
    {
        public long Requests { get; set; }

        public long Refused { get; set; }

        public long InputTokens { get; set; }

        public long OutputTokens { get; set; }

        public long CachedTokens { get; set; }

        public long ReasoningTokens { get; set; }

        public long CostMicros { get; set; }

        public long LossMicros { get; set; }

        public long Priced { get; set; }

        public long Estimated { get; set; }
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
