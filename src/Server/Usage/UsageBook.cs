using Tollgate.Server.Storage;

namespace Tollgate.Server.Usage;

/// <summary>
/// The door through which usage is written: the log, the refusals, and every sum made of them, in the write of whoever folds events in.
/// Sums are of what was inserted, so they are the sums of the log.
/// </summary>
internal sealed class UsageBook
{
    /// <summary>Keys whose place is remembered; all are let go when there are more.</summary>
    public const int PlacesKeptMax = 1_000_000;

    private const long HourMs = 3_600_000;
    private const long DayMs = 24 * HourMs;

    /// <summary>Where keys live, which never changes. Touched inside a write only, of which there is one at a time.</summary>
    private readonly Dictionary<long, long> _placeOf = [];

    /// <summary>
    /// Books them, each once: adds to <paramref name="rows"/> what is to be written, whose run says whether one of them is booked already.
    /// </summary>
    public async Task Book(
        WriteScope scope, RowsBatch rows, IReadOnlyList<BookedRequest> requests, IReadOnlyList<BookedRefusal> refusals)
    {
        if (requests.Count + refusals.Count == 0)
        {
            return;
        }

        var places = await PlacesOf(scope, requests.Select(row => row.KeyNo).Concat(refusals.Select(row => row.KeyNo)));
        UsageSql.InsertRequests(rows, Columns(requests, places));
        UsageSql.InsertRefusals(rows, Columns(refusals, places));
        AddUp(rows, requests, refusals, places);
    }

    /// <summary>Notes when keys were last used by a secret that a rotation has replaced.</summary>
    public static void NoteOldSecrets(RowsBatch rows, IReadOnlyDictionary<long, long> uses)
    {
        if (uses.Count > 0)
        {
            long[] keys = [.. uses.Keys.Order()];
            UsageSql.MoveOldSecretUse(rows, keys, Array.ConvertAll(keys, keyNo => uses[keyNo]));
        }
    }

    /// <summary>Which of these requests are booked already.</summary>
    public static async Task<HashSet<long>> Booked(WriteScope scope, IReadOnlyCollection<long> numbers) =>
        numbers.Count == 0 ? [] : [.. await UsageSql.Booked(scope, numbers)];

    private static void AddUp(
        RowsBatch rows, IReadOnlyList<BookedRequest> requests, IReadOnlyList<BookedRefusal> refusals, Dictionary<long, long> places)
    {
        var (hours, days, uses, spans) = (new UsageSums(), new UsageSums(), new Dictionary<long, long>(), new HourSpans());
        foreach (var row in requests)
        {
            hours.Add(row, Floor(row.AtMs, HourMs));
            days.Add(row, Floor(row.AtMs, DayMs));
            uses[row.KeyNo] = Math.Max(uses.GetValueOrDefault(row.KeyNo), row.AtMs);
            spans.Add(Floor(row.AtMs, HourMs), row.RequestNo);
        }

        foreach (var row in refusals)
        {
            hours.Add(row, Floor(row.AtMs, HourMs));
            days.Add(row, Floor(row.AtMs, DayMs));
            spans.Add(Floor(row.AtMs, HourMs), row.RequestNo);
        }

        UsageSql.AddToHours(rows, hours.Columns(places));
        UsageSql.AddToDays(rows, days.Columns(places));
        UsageSql.AddToPlaceDays(rows, days.ColumnsByPlace(places));
        UsageSql.AddToKeyDays(rows, days.ColumnsByKey(places));
        long[] used = [.. uses.Keys.Order()];
        UsageSql.MoveLastUse(rows, used, Array.ConvertAll(used, keyNo => uses[keyNo]));
        UsageSql.WidenSpans(rows, spans.Hours, spans.Lowest, spans.Highest);
    }

    /// <summary>
    /// Where the keys of this write live. A key without a row, which no gate ever leaves, has the place 0: what it used is kept all the
    /// same, and nothing behind it waits.
    /// </summary>
    private async Task<Dictionary<long, long>> PlacesOf(WriteScope scope, IEnumerable<long> keyNos)
    {
        var places = new Dictionary<long, long>();
        var unknown = new HashSet<long>();
        foreach (var keyNo in keyNos)
        {
            if (_placeOf.TryGetValue(keyNo, out var place))
            {
                places[keyNo] = place;
            }
            else if (unknown.Add(keyNo))
            {
                places[keyNo] = 0;
            }
        }

        if (unknown.Count > 0)
        {
            await Learn(scope, unknown, places);
        }

        return places;
    }

    private async Task Learn(WriteScope scope, HashSet<long> unknown, Dictionary<long, long> places)
    {
        var made = new Dictionary<(long, string), long>();
        foreach (var row in await UsageSql.PlacesOf(scope, unknown))
        {
            var place = row.PlaceNo ?? made.GetValueOrDefault((row.ProjectNo, row.Environment));
            if (place == 0)
            {
                place = await scope.NextNumber("place");
                await UsageSql.InsertPlace(scope, place, row.ProjectNo, row.Environment);
                made.Add((row.ProjectNo, row.Environment), place);
            }

            places[row.KeyNo] = place;
        }

        // A number that was given in a write that fails is given again.
        scope.AfterCommit(() =>
        {
            if (_placeOf.Count > PlacesKeptMax - unknown.Count)
            {
                _placeOf.Clear();
            }

            foreach (var keyNo in unknown)
            {
                _placeOf[keyNo] = places[keyNo];
            }
        });
    }

    private static Array[] Columns(IReadOnlyList<BookedRequest> rows, Dictionary<long, long> places) =>
    [
        Numbers(rows, static row => row.RequestNo),
        Numbers(rows, static row => row.KeyNo),
        Numbers(rows, row => places[row.KeyNo]),
        Numbers(rows, static row => row.AtMs),
        Numbers(rows, static row => row.Model),
        Numbers(rows, static row => row.PriceVersion),
        Numbers(rows, static row => row.InputTokens),
        Numbers(rows, static row => row.OutputTokens),
        Column(rows, static row => row.Cost?.Micros),
        Numbers(rows, static row => row.Loss.Micros),
        Numbers(rows, static row => row.Status),
        Numbers(rows, static row => row.LatencyMs),
        Numbers(rows, static row => (long)row.Flags),
        Numbers(rows, static row => row.CachedTokens),
        Numbers(rows, static row => row.ReasoningTokens),
    ];

    private static Array[] Columns(IReadOnlyList<BookedRefusal> rows, Dictionary<long, long> places) =>
    [
        Numbers(rows, static row => row.RequestNo),
        Numbers(rows, static row => row.KeyNo),
        Numbers(rows, row => places[row.KeyNo]),
        Numbers(rows, static row => row.AtMs),
        Numbers(rows, static row => row.Model),
        Numbers(rows, static row => row.Code),
        Column(rows, static row => row.LimitName),
        Numbers(rows, static row => row.LimitAmount),
        Numbers(rows, static row => row.LimitRemaining),
        Numbers(rows, static row => row.RetryAtMs),
    ];

    private static long Floor(long ms, long span) => ms - (ms % span);

    private static TColumn[] Column<TRow, TColumn>(IReadOnlyList<TRow> rows, Func<TRow, TColumn> of)
    {
        var column = new TColumn[rows.Count];
        for (var i = 0; i < column.Length; i++)
        {
            column[i] = of(rows[i]);
        }

        return column;
    }

    private static long[] Numbers<TRow>(IReadOnlyList<TRow> rows, Func<TRow, long> of) => Column(rows, of);
}
