using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;

namespace Tollgate.Bench;

/// <summary>
/// The promise: a check in process costs at most 0.6 of what the framework takes to hash the key alone, and allocates nothing.
/// </summary>
internal static class CheckBench
{
    private const int Keys = 1_000_000;
    private const int Iterations = 200_000;
    private const int RoundCount = 21;
    private const long NowMs = 1_800_000_000_000;
    private static readonly Requirement Needed = new(AnyScope: 0b100, Actions: 1);
    private static readonly KeyProfile Profile = new() { Grants = new Grants(0b111, 3) };

    public static int Run(string[] args)
    {
        if (args is ["one"])
        {
            RunHere();
            return 0;
        }

        var options = new Options(args);
        var page = new ResultPage("check", "The check in process against the hash of the key alone");
        page.Add($"{RoundCount} rounds of {Iterations:N0} each in turns, {Keys:N0} keys in memory. Medians, with the least and the most.");
        page.Add("");
        page.Add("| SHA-256 | operation | ns | ratio | bytes |");
        page.Add("| --- | --- | --- | --- | --- |");
        RunChild("bcl", page);
        RunChild("", page);
        page.Save(options.Text("--results"));
        return 0;
    }

    // Which SHA-256 a process uses is decided once at its start, so each has a process of its own.
    private static void RunChild(string provider, ResultPage page)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CheckBench).Assembly.Location, "check", "one"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["TOLLGATE_SHA256"] = provider;
        using Process child = Process.Start(start)!;
        while (child.StandardOutput.ReadLine() is { } line)
        {
            page.Add(line);
        }

        child.WaitForExit();
        if (child.ExitCode != 0)
        {
            throw new InvalidOperationException($"The measuring process ended with {child.ExitCode}.");
        }
    }

    private static void RunHere()
    {
        var format = new KeyFormat(new KeyFormatOptions
        {
            Environments = [new("live", "tg_live_"), new("test", "tg_test_")],
            Length = 40,
            Crc32Checksum = true,
            MaskHead = 10,
            MaskTail = 4,
        });
        var projects = new ProjectTable();
        projects.TryApply(new ProjectEntry(1, "prj_bench", "org_bench") { Version = 1, State = ProjectState.Active }, out uint project);
        var gate = new Gatekeeper(format, new KeyTable(new KeyTableOptions { KeysMax = Keys, KeysAtStart = Keys }), projects);
        int length = format.LengthMax;
        var secrets = new byte[Keys * length];
        var facts = new byte[120];
        for (int i = 0; i < Keys; i++)
        {
            Span<byte> secret = secrets.AsSpan(i * length, length);
            Encoding.ASCII.GetBytes(format.Mint(0), secret);
            gate.Keys.EndLoad(gate.Keys.BeginLoad(), EntryOf(i, KeyHash.Of(secret), project, facts));
        }

        byte[] hot = secrets.AsSpan(0, length).ToArray();
        int next = 0;
        IReadOnlyList<Timing> timings = Rounds.Measure(
            RoundCount,
            Iterations,
            ($"SHA256.HashData of the {length}-byte key alone", n => HashAlone(hot, n)),
            ("check, one hot key", n => CheckHot(gate, hot, n)),
            ("check, random keys out of 1 M", n => CheckAll(gate, secrets, length, ref next, n)),
            ("shape and checksum alone", n => ParseAlone(format, hot, n)),
            ("KeyHash.Of alone", n => KeyHashAlone(hot, n)));
        foreach (Timing timing in timings)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {KeyHash.Provider} | {timing.Name} | {timing.Nanoseconds.ToText("F0")} | {timing.Ratio.ToText("F2")} "
                + $"| {timing.Bytes:F0} |"));
        }
    }

    private static KeyEntry EntryOf(int i, KeyHash hash, uint project, byte[] facts) => new()
    {
        KeyNo = (uint)i + 1,
        Version = 1,
        ProjectIndex = project,
        Hash = hash,
        Profile = Profile,
        Facts = facts,
    };

    private static int HashAlone(byte[] key, int iterations)
    {
        Span<byte> hash = stackalloc byte[KeyHash.Bytes];
        int sum = 0;
        for (int i = 0; i < iterations; i++)
        {
            SHA256.HashData(key, hash);
            sum ^= hash[0];
        }

        return sum;
    }

    private static int CheckHot(Gatekeeper gate, byte[] key, int iterations)
    {
        int allowed = 0;
        for (int i = 0; i < iterations; i++)
        {
            var request = new CheckRequest { Secret = key, Requirement = Needed, NowMs = NowMs };
            allowed += gate.Check(in request).IsAllowed ? 1 : 0;
        }

        return Expect(iterations, allowed);
    }

    // The secrets lie in a row and their hashes do not: what is random is the place in the table.
    private static int CheckAll(Gatekeeper gate, byte[] secrets, int length, ref int next, int iterations)
    {
        int allowed = 0;
        for (int i = 0; i < iterations; i++)
        {
            var request = new CheckRequest { Secret = secrets.AsSpan(next * length, length), Requirement = Needed, NowMs = NowMs };
            allowed += gate.Check(in request).IsAllowed ? 1 : 0;
            next = next + 1 == Keys ? 0 : next + 1;
        }

        return Expect(iterations, allowed);
    }

    private static int ParseAlone(KeyFormat format, byte[] key, int iterations)
    {
        int good = 0;
        for (int i = 0; i < iterations; i++)
        {
            good += format.TryParse(key, out _) ? 1 : 0;
        }

        return Expect(iterations, good);
    }

    private static int KeyHashAlone(byte[] key, int iterations)
    {
        int sum = 0;
        for (int i = 0; i < iterations; i++)
        {
            sum ^= KeyHash.Of(key).GetHashCode();
        }

        return sum;
    }

    private static int Expect(int expected, int seen)
        => expected == seen ? seen : throw new InvalidOperationException($"expected {expected} allowed, saw {seen}");
}
