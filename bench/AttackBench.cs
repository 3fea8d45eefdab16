using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tollgate.Bench;

/// <summary>
/// The promise: requests too large and connections too slow cost those who send them. While a few connections send headers of 1 MB, or
/// bodies of 100 MB, and a few hundred never end what they began, the others' p99 stays within twice of what it is in quiet.
/// </summary>
internal static class AttackBench
{
    private const int Attackers = 4;
    private const int Slow = 300;

    public static async Task<int> Run(string[] args)
    {
        if (args is ["load", .. var rest])
        {
            Load(new Options(rest));
            return 0;
        }

        var options = new Options(args);

        var page = new ResultPage("attack", "Others' requests while some are too large or too slow");
        string folder = Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            SeededKeys seeded = await SeededKeys.Make(folder, 10);
            using ServerProcess gate = await ServerProcess.Start(
                "Tollgate.Server.dll",
                ["serve", "--provider", "default", "--urls", "http://127.0.0.1:0", "--data", folder],
                ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey));
            page.Add($"{Attackers} connections attack, or {Slow} are slow; one asks for a valid key, one request after another.");
            page.Add("");
            page.Add("| meanwhile | requests | p50 ms | p99 ms | most ms | p99 to quiet | resident MiB |");
            page.Add("| --- | --- | --- | --- | --- | --- | --- |");
            var start = new ProcessStartInfo(
                "taskset",
                [
                    "-c", LoadRun.Core.ToString(CultureInfo.InvariantCulture), "dotnet", typeof(AttackBench).Assembly.Location,
                    "attack", "load", "--address", gate.Address, "--key", Encoding.ASCII.GetString((await seeded.Secrets())[0]),
                    "--seconds", options.Number("--seconds", 10).ToString(CultureInfo.InvariantCulture),
                ])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            using Process child = Process.Start(start)!;
            while (await child.StandardOutput.ReadLineAsync() is { } line)
            {
                page.Add($"{line} {(gate.Bytes >> 20).ToString(CultureInfo.InvariantCulture)} |");
            }

            await child.WaitForExitAsync();
            page.Save(options.Text("--results"));
            return child.ExitCode;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Load(Options options)
    {
        string address = options.Text("--address")!;
        byte[] request = KeepAlive.Get("/v1/models", options.Text("--key")!);
        TimeSpan time = TimeSpan.FromSeconds(options.Number("--seconds", 10));
        byte[] header = Encoding.ASCII.GetBytes(
            $"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Long: {new string('x', 1 << 20)}\r\n\r\n");
        byte[] body = Encoding.ASCII.GetBytes(
            "POST /api/v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            + $"Authorization: Bearer {SeededKeys.RootKey}\r\n\r\n");
        byte[] chunk = Encoding.ASCII.GetBytes($"100000\r\n{new string('x', 1 << 20)}\r\n");

        using var asking = new KeepAlive(address);
        Measure(asking, request, time);
        double quiet = Tell("nothing", Measure(asking, request, time), null);
        Under("headers of 1 MB", Attackers, socket => TrySend(socket, header, 1));
        Under("bodies of 100 MB", Attackers, socket => TrySend(socket, body, 1) && TrySend(socket, chunk, 100));
        byte[] begun = "GET /v1/models HTTP/1.1\r\nHost: loc"u8.ToArray();
        Under("requests that never end", Slow, socket => TrySend(socket, begun, 1, stay: true));
        Tell("nothing any more", Measure(asking, request, time), quiet);

        void Under(string name, int connections, Func<Socket, bool> attack)
        {
            using var stop = new CancellationTokenSource();
            Thread[] threads = [.. Enumerable.Range(0, connections).Select(_ => new Thread(() => Attack(address, attack, stop.Token)))];
            Array.ForEach(threads, thread => thread.Start());
            Tell(name, Measure(asking, request, time), quiet);
            stop.Cancel();
            Array.ForEach(threads, thread => thread.Join());
        }
    }

    private static double Tell(string name, Latencies latencies, double? quiet)
    {
        double p99 = latencies.Within(0.99);
        string ratio = quiet is { } before ? (p99 / before).ToString("F2", CultureInfo.InvariantCulture) : "1";
        Console.WriteLine($"| {name} | {latencies} | {ratio} |");
        return p99;
    }

    private static Latencies Measure(KeepAlive asking, byte[] request, TimeSpan time)
    {
        var latencies = new Latencies();
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < time)
        {
            long start = Stopwatch.GetTimestamp();
            int status = asking.Ask(request);
            latencies.Add(Stopwatch.GetElapsedTime(start));
            if (status != 200)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A valid key was answered {status}."));
            }
        }

        return latencies;
    }

    /// <summary>A new connection each time: the server ends those of attackers.</summary>
    private static void Attack(string address, Func<Socket, bool> attack, CancellationToken stop)
    {
        var url = new Uri(address);
        while (!stop.IsCancellationRequested)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 500 };
            socket.Connect(IPAddress.Parse(url.Host), url.Port);
            attack(socket);
        }
    }

    /// <summary>Until all is out or the server hangs up; then what it says is read, and a slow one waits half a second for it.</summary>
    private static bool TrySend(Socket socket, byte[] bytes, int times, bool stay = false)
    {
        try
        {
            for (int i = 0; i < times; i++)
            {
                socket.Send(bytes);
            }

            return !stay || socket.Receive(new byte[1_024]) >= 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
