using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Server.Keys;

namespace Tollgate.Bench;

/// <summary>
/// The promise: the first check of a key, which reads the database, costs at most twice what a bare Dapper look-up of the same row costs.
/// The bare side has everything ready: one open connection, the hash under the pepper, and nothing to do with the row. Ours starts from the
/// secret: shape, hash, pepper, turn, connection, row, facts, key table, and the check again.
/// </summary>
internal static class MissBench
{
    private const string Bare = "bare Dapper look-up, connection open, hash known";
    private const string First = "first check of a key";
    private const string Unknown = "first check of an unknown key";

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        int keys = options.Number("--keys", 20_000);
        int rounds = options.Number("--rounds", 21);
        var page = new ResultPage("miss", "The first check of a key against a bare Dapper look-up");
        page.Add($"{rounds} rounds of {keys:N0} distinct keys each in turns, one after another. Medians, with the least and the most; "
            + "ratios are of neighbours in one round.");
        page.Add("");
        page.Add("| database | operation | µs | ratio |");
        page.Add("| --- | --- | --- | --- |");
        await Measure("SQLite", null, keys, rounds, page);
        await using (PostgresServer? postgres = await PostgresServer.Start())
        {
            if (postgres is null)
            {
                page.Add("| PostgreSQL | not found on this machine | | |");
            }
            else
            {
                await Measure("PostgreSQL", postgres.Connection, keys, rounds, page);
            }
        }

        page.Save(options.Text("--results"));
        return 0;
    }

    private static async Task Measure(string name, string? postgres, int keys, int rounds, ResultPage page)
    {
        string folder = Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            SeededKeys seeded = await SeededKeys.Make(folder, keys, postgres);
            await using LoadedGate gate = await LoadedGate.Open(folder, postgres);
            byte[][] known = await seeded.Secrets();
            byte[][] unknown = [.. known.Select(_ => Encoding.ASCII.GetBytes(gate.Provider.Keys.Format.Mint(0)))];
            byte[][] hashes = [.. known.Select(secret => gate.Pepper.HashSecret(KeyHash.Of(secret).ToBytes()))];
            IReadOnlyList<Timing> timings = Rounds.Measure(
                rounds,
                keys,
                (Bare, _ => gate.Database.Read(connection => LookUp(connection, hashes)).GetAwaiter().GetResult()),
                (First, _ => CheckAll(gate, known, VerdictCode.Allowed).GetAwaiter().GetResult()),
                (Unknown, _ => CheckAll(gate, unknown, VerdictCode.KeyUnknown).GetAwaiter().GetResult()));
            foreach (Timing timing in timings)
            {
                Spread micros = Spread.Of(
                    [timing.Nanoseconds.Min / 1_000, timing.Nanoseconds.Median / 1_000, timing.Nanoseconds.Max / 1_000]);
                page.Add($"| {name} | {timing.Name} | {micros.ToText("F1")} | {timing.Ratio.ToText("F2")} |");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> LookUp(DbConnection connection, byte[][] hashes)
    {
        int found = 0;
        foreach (byte[] hash in hashes)
        {
            KeyRow? row = await connection.QuerySingleOrDefaultAsync<KeyRow>(KeySql.FindByHashText, new { Hash = hash });
            found += row is null ? 0 : 1;
        }

        return Expect(hashes.Length, found);
    }

    // Memory is emptied first, so that every check is the key's first one.
    private static async Task<int> CheckAll(LoadedGate gate, byte[][] secrets, VerdictCode expected)
    {
        gate.Gatekeeper.Clear();
        long reads = gate.Feed.Reads;
        int seen = 0;
        foreach (byte[] secret in secrets)
        {
            Verdict verdict = await gate.Gate.Settle(
                gate.Gate.CheckCaller(secret, null), default, () => gate.Gate.CheckCaller(secret, null));
            seen += verdict.Code == expected ? 1 : 0;
        }

        Expect(secrets.Length, (int)(gate.Feed.Reads - reads));
        return Expect(secrets.Length, seen);
    }

    private static int Expect(int expected, int seen) => expected == seen
        ? seen
        : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"expected {expected}, saw {seen}"));
}
