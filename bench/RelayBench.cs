using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Tollgate.Bench;

/// <summary>
/// The promise: a chat through the gate, with key, limits, wallet and metering, costs little more than through a bare forwarder to the same
/// server. Gate and forwarder live through the whole run on core 0 and are driven in turns from core 1, where the model server is too.
/// </summary>
internal static class RelayBench
{
    private const string RootKey = "root-key-of-the-bench-0123456789abcdef";
    private const string Path = "/v1/chat/completions";

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        (int rounds, int seconds, int streams) =
            (options.Number("--rounds", 11), options.Number("--seconds", 3), options.Number("--streams", 5_000));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tollgate-bench-");
        try
        {
            var page = new ResultPage("relay", "A chat through the gate against a bare forwarder");
            using ServerProcess model = await ServerProcess.StartBehind("bench.dll", "model");
            using ServerProcess bare = await ServerProcess.Start("bench.dll", ["forwarder", model.Address]);
            using ServerProcess gate = await ServerProcess.Start(
                "Tollgate.Server.dll",
                [
                    "serve", "--provider", System.IO.Path.Combine(AppContext.BaseDirectory, "relay.yaml"), "--urls", "http://127.0.0.1:0",
                    "--data", folder.FullName, "--upstream", model.Address + "/v1",
                ],
                ("TOLLGATE_ROOT_KEY", RootKey));
            string key = await NewKey(gate);
            page.Add($"Both on core {ServerProcess.Core}; wrk and the model server on core {LoadRun.Core}. "
                + $"{rounds} rounds of {seconds} s each in turns; "
                + "medians, with the least and the most; ratios are of neighbours in one round.");
            page.Add("The gate checks a key, counts three limits, holds and bills a wallet, and commits each bill before the answer ends.");
            page.Add("");
            page.Add("| what | a second | ratio | CPU µs each | CPU ratio | p50 µs | p99 µs |");
            page.Add("| --- | --- | --- | --- | --- | --- | --- |");
            foreach (int connections in (int[])[64, 256])
            {
                await Tell(
                    page, $"chats, {connections} at a time", rounds,
                    Side(bare, connections, seconds, key, "false"), Side(gate, connections, seconds, key, "false"));
            }

            await Tell(
                page, "chats of the operator's own key, which only pass, 64 at a time", rounds,
                Side(bare, 64, seconds, RootKey, "false"), Side(gate, 64, seconds, RootKey, "false"));
            await Tell(
                page, "chats, one at a time", rounds, Side(bare, 1, seconds, key, "false"), Side(gate, 1, seconds, key, "false"));
            await Tell(
                page, $"events, each by itself, one every {ModelStandIn.SlowMs} ms in each of 256 streams", rounds,
                Side(bare, 256, seconds, key, "true", "slowly"), Side(gate, 256, seconds, key, "true", "slowly"), ModelStandIn.SlowEvents);
            await Tell(
                page, $"events, {ModelStandIn.Events} at once, 64 streams at a time", rounds,
                Side(bare, 64, seconds, key, "true"), Side(gate, 64, seconds, key, "true"), ModelStandIn.Events);
            page.Add("");
            (double bareMs, double gateMs) = await FirstByte(bare, gate, key);
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The first byte of a stream, medians: after {bareMs:F2} ms through the forwarder, {gateMs:F2} ms through the gate."));
            (double bareKiB, double gateKiB) = (await Kept(bare, key, streams), await Kept(gate, key, streams));
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{streams:N0} open streams: {bareKiB:F1} KiB each in the forwarder, {gateKiB:F1} KiB each in the gate."));
            page.Save(options.Text("--results"));
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Func<Task<LoadRun>> Side(ServerProcess server, int connections, int seconds, params string[] asked) =>
        () => LoadRun.Drive(server, Path, "chat.lua", seconds, connections, asked);

    // Four rounds pass before anything is written down: compiling in tiers goes on for some ten seconds under load.
    private static async Task Tell(
        ResultPage page, string what, int rounds, Func<Task<LoadRun>> bare, Func<Task<LoadRun>> gate, int events = 1)
    {
        var (its, mine) = (new List<LoadRun>(), new List<LoadRun>());
        for (int round = -4; round < rounds; round++)
        {
            var (one, other) = (await bare(), await gate());
            if (round >= 0)
            {
                its.Add(one);
                mine.Add(other);
            }
        }

        Row(page, $"{what}, bare forwarder", its, its, events);
        Row(page, $"{what}, gate", mine, its, events);
    }

    /// <exception cref="InvalidOperationException">Something was refused.</exception>
    private static void Row(ResultPage page, string what, List<LoadRun> mine, List<LoadRun> bare, int events)
    {
        if (mine.Exists(run => run.Refused > 0))
        {
            throw new InvalidOperationException($"{what}: some were refused.");
        }

        string rate = Spread.Of(mine.Select(run => run.RequestsPerSecond * events)).ToText("N0");
        string ratio = Spread.Of(mine.Zip(bare, (my, its) => my.RequestsPerSecond / its.RequestsPerSecond)).ToText("F2");
        string cpu = Spread.Of(mine.Select(run => run.CpuMicroseconds / events)).ToText("F1");
        string cpuRatio = Spread.Of(mine.Zip(bare, (my, its) => my.CpuMicroseconds / its.CpuMicroseconds)).ToText("F2");
        string p50 = Spread.Of(mine.Select(run => (double)run.P50Microseconds)).ToText("F0");
        string p99 = Spread.Of(mine.Select(run => (double)run.P99Microseconds)).ToText("F0");
        page.Add($"| {what} | {rate} | {ratio} | {cpu} | {cpuRatio} | {p50} | {p99} |");
    }

    private static async Task<string> NewKey(ServerProcess gate)
    {
        using var http = new HttpClient { BaseAddress = new Uri(gate.Address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RootKey);
        JsonElement project = (await Call(http, HttpMethod.Get, "/api/v1/projects")).GetProperty("data")[0];
        string organization = project.GetProperty("organization_id").GetString()!;
        await Call(
            http, HttpMethod.Post, $"/api/v1/organizations/{organization}/wallet/entries",
            """{"kind":"top_up","amount":"1000000.00","external_id":"bench"}""");
        JsonElement made = await Call(
            http, HttpMethod.Post, $"/api/v1/projects/{project.GetProperty("id").GetString()}/keys", """{"name":"bench"}""");
        return made.GetProperty("secret").GetString()!;
    }

    private static async Task<JsonElement> Call(HttpClient http, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await http.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonElement.Parse(text) : throw new InvalidOperationException($"{method} {path}: {text}");
    }

    /// <summary>When the first byte of a streamed answer comes, one request at a time and in turns: two medians, in ms.</summary>
    private static async Task<(double Bare, double Gate)> FirstByte(ServerProcess bare, ServerProcess gate, string key)
    {
        using HttpClient one = Client(bare, key);
        using HttpClient other = Client(gate, key);
        HttpClient[] clients = [one, other];
        double[][] times = [new double[400], new double[400]];
        for (int turn = -100; turn < 400; turn++)
        {
            for (int side = 0; side < 2; side++)
            {
                long start = Stopwatch.GetTimestamp();
                using HttpResponseMessage answer = await Open(clients[side], "in a few words");
                await using Stream body = await answer.Content.ReadAsStreamAsync();
                await body.ReadExactlyAsync(new byte[1]);
                times[side][Math.Max(turn, 0)] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                await body.CopyToAsync(Stream.Null);
            }
        }

        return (times[0].Order().ElementAt(200), times[1].Order().ElementAt(200));
    }

    private static HttpClient Client(ServerProcess server, string key)
    {
        var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue });
        http.BaseAddress = new Uri(server.Address);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    /// <summary>What a stream under way takes in memory, in KiB: the growth of the process, with so many of them open.</summary>
    private static async Task<double> Kept(ServerProcess server, string key, int streams)
    {
        using HttpClient http = Client(server, key);
        long before = server.Bytes;
        var open = new List<HttpResponseMessage>();
        while (open.Count < streams)
        {
            IEnumerable<int> next = Enumerable.Range(0, Math.Min(100, streams - open.Count));
            open.AddRange(await Task.WhenAll(next.Select(_ => Open(http, "wait for me"))));
        }

        double each = (server.Bytes - before) / 1024.0 / streams;
        open.ForEach(answer => answer.Dispose());
        return each;
    }

    private static async Task<HttpResponseMessage> Open(HttpClient http, string words)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Path, UriKind.Relative));
        request.Content = new StringContent(
            $$"""{"model":"coin","messages":[{"role":"user","content":"{{words}}"}],"stream":true}""", Encoding.UTF8, "application/json");
        HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.IsSuccessStatusCode ? answer : throw new InvalidOperationException($"{answer.StatusCode}");
    }
}
