using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Tollgate.Engine.Keys;
using Tollgate.Server.Providers;

namespace Tollgate.Bench;

/// <summary>
/// The other side of <see cref="SprayBench"/>: some connections spray, each with a few requests on the way at a time, one asks for valid
/// keys and takes the time. A valid key that is refused ends the run.
/// </summary>
internal sealed class SprayLoad
{
    public const string AtStart = "at start";
    public const string AtMiddle = "at middle";
    public const string AtEnd = "at end";
    public const string P99 = "p99 ";

    private const string Path = "/v1/models";
    private const string Customer = "203.0.113.9";

    /// <summary>Requests of a sprayer on the way at a time.</summary>
    private const int Depth = 8;

    /// <summary>One of so many valid requests is the first one of its key.</summary>
    private const int ColdEvery = 50;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    private readonly string _address;
    private readonly KeyFormat _format = ProviderFiles.Shipped.Load("default").Model!.Keys.Format;
    private readonly byte[][] _valid;
    private readonly int _hot;
    private readonly int _unknown;
    private readonly int[] _statuses = new int[600];
    private int _sent;
    private int _answered;
    private int _coldNext;

    private SprayLoad(string address, byte[][] valid, int hot, int unknown) =>
        (_address, _valid, _hot, _unknown, _coldNext) = (address, valid, Math.Min(hot, valid.Length / 2), unknown, hot);

    public static int Run(string[] args)
    {
        var options = new Options(args);
        string folder = options.Text("--data")!;
        SeededKeys seeded = SeededKeys.Make(folder, options.Number("--keys", 0)).GetAwaiter().GetResult();
        byte[][] valid = seeded.Secrets().GetAwaiter().GetResult();
        new SprayLoad(options.Text("--address")!, valid, options.Number("--hot", 0), options.Number("--unknown", 0))
            .Run(options.Number("--connections", 0));
        return 0;
    }

    private void Run(int connections)
    {
        using var asking = new KeepAlive(_address);
        for (int i = 0; i < _hot; i++)
        {
            Ask(asking, i, new Latencies());
        }

        // Compiling in tiers is over before anything is written down.
        Measure(asking, () => false, Quiet);
        Latencies before = Measure(asking, () => false, Quiet);
        Console.WriteLine(AtStart);
        var watch = Stopwatch.StartNew();
        Thread[] sprayers = [.. Enumerable.Range(0, connections).Select(i => new Thread(() => Spray(isMany: i % 2 == 0)))];
        Array.ForEach(sprayers, sprayer => sprayer.Start());
        Latencies during = Measure(asking, () => Volatile.Read(ref _answered) >= _unknown, TimeSpan.MaxValue);
        Array.ForEach(sprayers, sprayer => sprayer.Join());
        Console.WriteLine(AtEnd);

        Console.WriteLine("| valid keys | requests | p50 ms | p99 ms | most ms |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        Console.WriteLine($"| in quiet | {before} |");
        Console.WriteLine($"| during the spray | {during} |");
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_answered:N0} unknown keys in {watch.Elapsed.TotalSeconds:F0} s, {_answered / watch.Elapsed.TotalSeconds:N0} a second: ")
            + string.Join(", ", _statuses.Index().Where(row => row.Item > 0).Select(row =>
                string.Create(CultureInfo.InvariantCulture, $"{row.Item:N0} answered {row.Index}")))
            + $". {_coldNext - _hot:N0} valid keys were asked for the first time; none was refused.");
        Console.WriteLine(P99 + during.Within(0.99).ToString(CultureInfo.InvariantCulture));
    }

    private Latencies Measure(KeepAlive asking, Func<bool> isOver, TimeSpan time)
    {
        var latencies = new Latencies();
        var watch = Stopwatch.StartNew();
        for (int i = 0; !isOver() && watch.Elapsed < time; i++)
        {
            bool isCold = i % ColdEvery == 0 && _coldNext < _valid.Length;
            Ask(asking, isCold ? _coldNext++ : i % _hot, latencies);
        }

        return latencies;
    }

    private void Ask(KeepAlive asking, int key, Latencies latencies)
    {
        byte[] request = KeepAlive.Get(Path, System.Text.Encoding.ASCII.GetString(_valid[key]), Customer);
        long start = Stopwatch.GetTimestamp();
        int status = asking.Ask(request);
        latencies.Add(Stopwatch.GetElapsedTime(start));
        if (status != 200)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A valid key was answered {status}."));
        }
    }

    /// <param name="isMany">A network of its own for every key, or one and the same for all.</param>
    private void Spray(bool isMany)
    {
        using var connection = new KeepAlive(_address);
        var requests = new ArrayBufferWriter<byte>();
        Span<int> statuses = stackalloc int[Depth];
        while (Interlocked.Add(ref _sent, Depth) is var sent && sent <= _unknown)
        {
            requests.ResetWrittenCount();
            for (int i = 0; i < Depth; i++)
            {
                int number = sent + i;
                string network = isMany
                    ? string.Create(CultureInfo.InvariantCulture, $"100.{(number >> 16) & 63}.{(number >> 8) & 255}.{number & 255}")
                    : "198.51.100.7";
                requests.Write(KeepAlive.Get(Path, _format.Mint(0), network));
            }

            connection.Send(requests.WrittenSpan);
            connection.Receive(statuses);
            foreach (int status in statuses)
            {
                Interlocked.Increment(ref _statuses[status]);
            }

            int answered = Interlocked.Add(ref _answered, Depth);
            if (answered >= _unknown / 2 && answered - Depth < _unknown / 2)
            {
                Console.WriteLine(AtMiddle);
            }
        }

        // What does not fill a last round is not sent.
        Interlocked.CompareExchange(ref _answered, _unknown, _unknown / Depth * Depth);
    }
}
