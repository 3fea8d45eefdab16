using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Server.Keys;

namespace Tollgate.Bench;

/// <summary>
/// The promises about ten million keys in memory: at most 110 bytes each with everything a check and its answer need, a check of a random
/// one within 1.3 of the time that the framework takes to hash it, and no pause of the collector beyond 20 ms. The table grows from its
/// smallest, as a server's does, and the facts are those that a server keeps.
/// </summary>
internal static class TableBench
{
    private const int RoundCount = 15;
    private const int Iterations = 200_000;
    private const long NowMs = 1_800_000_000_000;
    private static readonly Requirement Needed = new(AnyScope: 0b100, Actions: 1);

    public static int Run(string[] args)
    {
        var options = new Options(args);
        int keys = options.Number("--keys", 10_000_000);
        var page = new ResultPage("table", "Ten million keys in memory");
        var format = new KeyFormat(new KeyFormatOptions
        {
            Environments = [new("live", "tg_live_")],
            Length = 40,
            Crc32Checksum = true,
            MaskHead = 10,
            MaskTail = 4,
        });
        byte[] secrets = Mint(format, keys);
        long before = Resident();
        var watch = Stopwatch.StartNew();
        Gatekeeper gate = Fill(format, secrets, keys);
        double filled = watch.Elapsed.TotalSeconds;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        page.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"{(Resident() - before) / (double)keys:F1} bytes of resident memory a key: {keys:N0} keys, the index by key number, and for "
            + $"each its id, a name of eleven characters and what it shares with others. Loaded in {filled:F0} s."));
        page.Add("");
        Check(page, gate, secrets, format.LengthMax, keys);
        page.Add("");
        Pauses(page, gate, secrets, format.LengthMax, keys, options.Number("--seconds", 10));
        page.Save(options.Text("--results"));
        return 0;
    }

    private static byte[] Mint(KeyFormat format, int keys)
    {
        int length = format.LengthMax;
        byte[] secrets = GC.AllocateUninitializedArray<byte>(keys * length);
        for (int i = 0; i < keys; i++)
        {
            Encoding.ASCII.GetBytes(format.Mint(0), secrets.AsSpan(i * length, length));
        }

        return secrets;
    }

    private static Gatekeeper Fill(KeyFormat format, byte[] secrets, int keys)
    {
        var projects = new ProjectTable();
        projects.TryApply(new ProjectEntry(1, "prj_bench", "org_bench") { Version = 1, State = ProjectState.Active }, out uint project);
        var table = new KeyTable(new KeyTableOptions { KeysMax = keys, FactsBytesMax = Math.Max(64L << 20, keys * 128L) });
        var gate = new Gatekeeper(format, table, projects);
        int length = format.LengthMax;
        for (int i = 0; i < keys; i++)
        {
            Key key = KeyOf(i);
            table.EndLoad(table.BeginLoad(), new KeyEntry
            {
                KeyNo = (uint)i + 1,
                Version = 1,
                ProjectIndex = project,
                Hash = KeyHash.Of(secrets.AsSpan(i * length, length)),
                Profile = new KeyProfile { Grants = new Grants(0b111, 3), Facts = KeyFacts.OfProfile(key) },
                Facts = KeyFacts.Of(key),
            });
        }

        return gate;
    }

    private static Key KeyOf(int i) => new()
    {
        KeyNo = i + 1L,
        Id = KeyId.New(),
        ProjectNo = 1,
        OrganizationNo = 1,
        ProjectId = "prj_bench",
        OrganizationId = "org_bench",
        Environment = "live",
        Type = "standard",
        Name = string.Create(CultureInfo.InvariantCulture, $"Key {i % 10_000_000:D7}"),
        Permissions = ["read", "write"],
        Scopes = ["all"],
        Rights = [],
        AllowedAddresses = [],
        Metadata = "{}",
        CreatedAtMs = NowMs,
        CreatedBy = "root",
        Version = 1,
        Secrets = [],
    };

    // The keys are asked for in an order that no cache knows: each step is the next of a full cycle through all numbers.
    private static void Check(ResultPage page, Gatekeeper gate, byte[] secrets, int length, int keys)
    {
        var order = new uint[Iterations * 4];
        var random = new Random(1);
        foreach (ref uint place in order.AsSpan())
        {
            place = (uint)random.Next(keys);
        }

        int next = 0;
        IReadOnlyList<Timing> timings = Rounds.Measure(
            RoundCount,
            Iterations,
            ("SHA256.HashData of a random key", n => HashRandom(secrets, length, order, ref next, n)),
            ("check of a random key", n => CheckRandom(gate, secrets, length, order, ref next, n)));
        page.Add($"{RoundCount} rounds of {Iterations:N0} each in turns; SHA-256 of the table by {KeyHash.Provider}.");
        page.Add("");
        page.Add("| operation | ns | ratio | bytes |");
        page.Add("| --- | --- | --- | --- |");
        foreach (Timing timing in timings)
        {
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {timing.Name} | {timing.Nanoseconds.ToText("F0")} | {timing.Ratio.ToText("F2")} | {timing.Bytes:F0} |"));
        }
    }

    private static int HashRandom(byte[] secrets, int length, uint[] order, ref int next, int iterations)
    {
        Span<byte> hash = stackalloc byte[KeyHash.Bytes];
        int sum = 0;
        for (int i = 0; i < iterations; i++)
        {
            SHA256.HashData(Next(secrets, length, order, ref next), hash);
            sum ^= hash[0];
        }

        return sum;
    }

    private static int CheckRandom(Gatekeeper gate, byte[] secrets, int length, uint[] order, ref int next, int iterations)
    {
        for (int i = 0; i < iterations; i++)
        {
            var request = new CheckRequest { Secret = Next(secrets, length, order, ref next), Requirement = Needed, NowMs = NowMs };
            if (!gate.Check(in request).IsAllowed)
            {
                throw new InvalidOperationException("A key that is in memory was refused.");
            }
        }

        return iterations;
    }

    private static ReadOnlySpan<byte> Next(byte[] secrets, int length, uint[] order, ref int next)
    {
        next = next + 1 == order.Length ? 0 : next + 1;
        return secrets.AsSpan((int)order[next] * length, length);
    }

    // What a request leaves behind in a server: a few small objects, one in a hundred of which lives longer.
    private static void Pauses(ResultPage page, Gatekeeper gate, byte[] secrets, int length, int keys, int seconds)
    {
        var random = new Random(2);
        var kept = new byte[10_000][];
        int seen = GC.CollectionCount(0);
        var pauses = new List<double>();
        long checks = 0;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            var request = new CheckRequest
            {
                Secret = secrets.AsSpan(random.Next(keys) * length, length),
                Requirement = Needed,
                NowMs = NowMs,
            };
            _ = gate.Check(in request);
            var left = new byte[500];
            if (checks++ % 100 == 0)
            {
                kept[random.Next(kept.Length)] = left;
            }

            int now = GC.CollectionCount(0);
            if (now != seen)
            {
                seen = now;
                pauses.Add(GC.GetGCMemoryInfo(GCKind.Any).PauseDurations[0].TotalMilliseconds);
            }
        }

        double longest = pauses.Count == 0 ? 0 : pauses.Max();
        watch.Restart();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
        page.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"Longest pause of the collector in {seconds} s of {checks:N0} checks that each leave 500 bytes behind: {longest:F2} ms in "
            + $"{pauses.Count} collections. A full blocking one, for which nothing asks in service: "
            + $"{watch.Elapsed.TotalMilliseconds:F1} ms."));
        GC.KeepAlive(kept);
    }

    private static long Resident()
    {
        using var me = Process.GetCurrentProcess();
        return me.WorkingSet64;
    }
}
