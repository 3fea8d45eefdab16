using System.Diagnostics;
using System.Globalization;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Engine.Usage;
using Tollgate.Server.Access;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;

namespace Tollgate.Bench;

/// <summary>
/// The promises about usage: taking in 1,000 requests, durably and with all sums, within 1.3 of a bare batched upsert of their lines into
/// the same table; 50,000 requests a second for ten seconds with none dropped and memory flat; a month of one key among ten million lines
/// within 20 ms.
/// </summary>
internal static class UsageBench
{
    private const int Batch = 1_000;
    private const int KeysFew = 20;
    private const int KeysMany = 200;
    private const int KeysInMonth = 10_000;
    private const int Models = 3;
    private const int RateASecond = 50_000;
    private const int RateSeconds = 10;
    private const long BeganMs = 1_790_000_000_000 - (1_790_000_000_000 % UsageRange.DayMs);

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        var page = new ResultPage("usage", "Requests taken into the database");
        int rounds = options.Number("--rounds", 200);
        page.Add($"A flush of {Batch:N0} requests of {Models} models, {rounds} rounds in turns after 40 of warming up:");
        page.Add("");
        page.Add("- bare: `INSERT INTO usage_log (…13 columns…) … ON CONFLICT (request_no) DO NOTHING` and a commit, nothing else:");
        page.Add("  on SQLite one prepared command of the driver run for each row, on PostgreSQL one prepared statement for all rows by");
        page.Add("  `unnest`; the same table with its three indices in a database of its own, `synchronous=FULL`,");
        page.Add("  `synchronous_commit=on`;");
        page.Add("- fold: the whole of what the gate does: events read out of the spool, how far it is taken in, the log, sums by hour");
        page.Add("  and by day, last uses, spans, and the commit.");
        page.Add("");
        page.Add("| database | keys | bare ms | fold ms | ratio |");
        page.Add("| --- | --- | --- | --- | --- |");
        foreach (int keys in new[] { KeysFew, KeysMany })
        {
            foreach (bool isSqlite in new[] { true, false })
            {
                await using UsageStore? store = await UsageStore.Open(isSqlite);
                await using BareUpsert? bare = await BareUpsert.Open(isSqlite);
                if (store is not null && bare is not null)
                {
                    await Flush(page, store, bare, keys, rounds);
                }
            }
        }

        if (options.Number("--seconds", RateSeconds) is > 0 and var seconds)
        {
            page.Add("");
            await Rate(page, seconds);
        }

        if (options.Number("--lines", 10_000_000) is > 0 and var lines)
        {
            page.Add("");
            await Month(page, lines);
        }

        page.Save(options.Text("--results"));
        return 0;
    }

    private static async Task Flush(ResultPage page, UsageStore store, BareUpsert upsert, int keys, int rounds)
    {
        var (bare, fold, ratio) = (new List<double>(), new List<double>(), new List<double>());
        using var spool = Spool.Open(store.Folder, 4_096);
        var journal = store.NewFold(spool);
        await journal.Open();
        await journal.StartAsync(CancellationToken.None);
        long request = 1;
        for (int round = -40; round < rounds; round++)
        {
            var events = Events(ref request, Batch, keys);
            double one = await Timed(() => upsert.Run(events));
            events = Events(ref request, Batch, keys);
            double other = await Timed(() => Append(spool, journal, events));
            if (round >= 0)
            {
                bare.Add(one);
                fold.Add(other);
                ratio.Add(other / one);
            }
        }

        await journal.StopAsync(CancellationToken.None);
        page.Add(
            $"| {store.Name} | {keys} | {Spread.Of(bare).ToText("F2")} | {Spread.Of(fold).ToText("F2")} | "
            + $"{Spread.Of(ratio).ToText("F2")} |");
    }

    private static Task Append(Spool spool, Fold journal, UsageEvent[] events)
    {
        long sequence = 0;
        foreach (UsageEvent happened in events)
        {
            if (!spool.Buffer.TryAppend(in happened, out sequence))
            {
                throw new InvalidOperationException("The spool is full.");
            }
        }

        return journal.WaitFolded(sequence);
    }

    private static async Task Rate(ResultPage page, int seconds)
    {
        page.Add($"{RateASecond:N0} requests of {KeysMany} keys a second for {seconds} s, appended by one thread in steps of a");
        page.Add("millisecond, spool of 262,144:");
        page.Add("");
        page.Add("| database | appended | refused for want of room | most waiting | in the database after | memory at 2 s | at the end |");
        page.Add("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (bool isSqlite in new[] { true, false })
        {
            await using UsageStore? store = await UsageStore.Open(isSqlite);
            if (store is null)
            {
                continue;
            }

            using var spool = Spool.Open(store.Folder, 262_144);
            var journal = store.NewFold(spool);
            await journal.Open();
            await journal.StartAsync(CancellationToken.None);
            Load load = await Task.Factory.StartNew(() => Push(spool, journal, seconds), TaskCreationOptions.LongRunning);
            var settle = Stopwatch.StartNew();
            await journal.WaitAll();
            double settled = settle.Elapsed.TotalSeconds;
            long lines = await store.Database.Read(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM usage_log"));
            await journal.StopAsync(CancellationToken.None);
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {store.Name} | {load.Appended:N0} | {load.Refused:N0} | {load.MostWaiting:N0} | {lines:N0}, {settled:F1} s later | "
                + $"{load.EarlyBytes >> 20} MiB | {load.LateBytes >> 20} MiB |"));
        }
    }

    private static Load Push(Spool spool, Fold journal, int seconds)
    {
        var (appended, refused, most, early, request) = (0L, 0L, 0L, 0L, 1L);
        using var step = new ManualResetEvent(false);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            long due = (long)(clock.Elapsed.TotalSeconds * RateASecond);
            foreach (UsageEvent happened in Events(ref request, (int)Math.Max(0, due - appended - refused), KeysMany))
            {
                bool isIn = spool.Buffer.TryAppend(in happened, out _);
                (appended, refused) = (appended + (isIn ? 1 : 0), refused + (isIn ? 0 : 1));
            }

            most = Math.Max(most, journal.Waiting);
            if (early == 0 && clock.Elapsed.TotalSeconds > 2)
            {
                early = Resident();
            }

            step.WaitOne(1);
        }

        return new Load(appended, refused, most, early, Resident());
    }

    private static async Task Month(ResultPage page, int lines)
    {
        page.Add($"A month of one key among {lines:N0} lines of the log and what was summed of them, 100 times after ten of warming up:");
        page.Add("");
        page.Add("| database | sums of the key, by model and by day: ms | a page of 20 of its lines: ms |");
        page.Add("| --- | --- | --- |");
        foreach (bool isSqlite in new[] { true, false })
        {
            await using UsageStore? store = await UsageStore.Open(isSqlite);
            if (store is null)
            {
                continue;
            }

            await store.Fill(lines, KeysInMonth, Models, BeganMs);
            var reader = new UsageReader(store.Database);
            var range = new UsageRange(BeganMs, BeganMs + (30 * UsageRange.DayMs));
            var (sums, log) = (new List<double>(), new List<double>());
            for (int round = -10; round < 100; round++)
            {
                string key = $"key_{(round + 11) * 37}";
                var asked = new UsageQuestion { Range = range, KeyId = key };
                double one = await Timed(async () => _ = (await reader.OfKey(Caller.Root, key, range, default)).Value);
                double other = await Timed(async () => _ = await reader.Log(Caller.Root, asked, long.MaxValue, 20, default));
                if (round >= 0)
                {
                    sums.Add(one);
                    log.Add(other);
                }
            }

            page.Add($"| {store.Name} | {Spread.Of(sums).ToText("F2")} | {Spread.Of(log).ToText("F2")} |");
        }
    }

    private static UsageEvent[] Events(ref long request, int count, int keys)
    {
        var events = new UsageEvent[count];
        for (int i = 0; i < count; i++, request++)
        {
            long atMs = BeganMs + (request / 50);
            events[i] = new UsageEvent
            {
                Kind = UsageKind.Passed, RequestNo = request, KeyNo = (uint)(request % keys) + 1, OrganizationNo = 1, AtMs = atMs,
                AdmittedAtMs = atMs, ClockMs = atMs, InputTokens = 120, OutputTokens = 480, Model = (ushort)((request % Models) + 1),
                Status = 200, LatencyMs = 850,
            };
        }

        return events;
    }

    private static async Task<double> Timed(Func<Task> work)
    {
        long began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static long Resident()
    {
        using var me = Process.GetCurrentProcess();
        return me.WorkingSet64;
    }

    private sealed record Load(long Appended, long Refused, long MostWaiting, long EarlyBytes, long LateBytes);
}
