using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;

namespace Tollgate.Bench;

/// <summary>
/// The promise: with 1,000 keys and ten million requests behind it, no page of the console takes the server longer than 50 ms (median,
/// warm). Each round opens every page once, in turns with a bare one, on a gate of its own process; on both databases where both are here.
/// </summary>
internal static class ConsoleBench
{
    private const double MsMax = 50;
    private const int WarmUp = 5;

    /// <summary>An index that is drawn once: what a page costs without data, session or database.</summary>
    private const string Bare = "/docs";

    private static readonly string Company = Path.Combine(AppContext.BaseDirectory, "console.yaml");

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        (int lines, int rounds) = (options.Number("--lines", 10_000_000), options.Number("--rounds", 50));
        var page = new ResultPage("console", "Pages of the console, with 1,000 keys and ten million requests behind them");
        page.Add($"A team of {ConsoleStore.Members + 1} with {ConsoleStore.Keys:N0} keys in a project, {lines:N0} lines of the log over "
            + $"{ConsoleStore.LogDays} days of 4 models, their sums over {ConsoleStore.SumDays} days,");
        page.Add($"{ConsoleStore.Entries:N0} wallet entries, {ConsoleStore.AuditRows:N0} audit rows, {ConsoleStore.Webhooks} webhooks of "
            + $"{ConsoleStore.Deliveries:N0} deliveries each. {rounds} rounds after {WarmUp} of warming up, every page once a round;");
        page.Add("from the request to the last byte over one open connection, the gate on one core. The ratio is of medians, to the bare "
            + $"page `{Bare}` in the same rounds. Promised: a median of at most {MsMax:F0} ms.");
        bool isKept = await Measure(page, null, options.Text("--data"), lines, rounds);
        await using PostgresServer? postgres = await PostgresServer.Start();
        if (postgres is not null)
        {
            isKept &= await Measure(page, postgres.Connection, null, lines, rounds);
        }

        page.Save(options.Text("--results"));
        return isKept ? 0 : 1;
    }

    private static async Task<bool> Measure(ResultPage page, string? postgres, string? kept, int lines, int rounds)
    {
        string folder = kept ?? Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            var making = Stopwatch.StartNew();
            ConsoleScene scene;
            await using (LoadedGate gate = await LoadedGate.Open(folder, postgres, Company))
            {
                scene = await ConsoleStore.Make(gate, lines);
            }

            Console.WriteLine($"made in {making.Elapsed.TotalSeconds:F0} s");
            (string, string)[] settings = [("TOLLGATE_ROOT_KEY", SeededKeys.RootKey)];
            using ServerProcess server = await ServerProcess.Start(
                "Tollgate.Server.dll",
                ["serve", "--provider", Company, "--urls", "http://127.0.0.1:0", "--data", folder],
                postgres is null ? settings : [.. settings, ("TOLLGATE_DATABASE", postgres)]);
            return await Measure(page, postgres is null ? "SQLite" : "PostgreSQL", server.Address, scene, rounds);
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<bool> Measure(ResultPage page, string name, string address, ConsoleScene scene, int rounds)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(address),
        };
        http.DefaultRequestHeaders.Add("Cookie", $"tollgate={scene.Session}");
        var sides = Pages(scene).Select(one => (one.Title, one.Path, Times: new List<double>(), Bytes: new List<int>())).ToList();
        for (int round = -WarmUp; round < rounds; round++)
        {
            foreach (var (title, path, times, bytes) in sides)
            {
                long start = Stopwatch.GetTimestamp();
                using HttpResponseMessage answer = await http.GetAsync(path);
                byte[] body = await answer.Content.ReadAsByteArrayAsync();
                double took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    throw new InvalidOperationException($"{title}: {(int)answer.StatusCode} at {path}.");
                }

                if (path.Contains("/usage", StringComparison.Ordinal)
                    && Encoding.UTF8.GetString(body).Contains("Nothing was used", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"{title}: there is nothing behind {path}.");
                }

                if (round >= 0)
                {
                    times.Add(took);
                    bytes.Add(body.Length);
                }
            }
        }

        page.Add("");
        page.Add($"| {name} | median ms | p95 ms | ratio | KB |");
        page.Add("| --- | --- | --- | --- | --- |");
        double bare = Within(sides[0].Times, 0.5);
        foreach (var (title, _, times, bytes) in sides)
        {
            double median = Within(times, 0.5);
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {title} | {median:F1}{(median > MsMax ? " (too long)" : "")} | {Within(times, 0.95):F1} | {median / bare:F1} "
                + $"| {bytes.Max() / 1024.0:F0} |"));
        }

        return sides.TrueForAll(side => Within(side.Times, 0.5) <= MsMax);
    }

    private static double Within(List<double> times, double share) => times.Order().ElementAt((int)((times.Count - 1) * share));

    private static (string Title, string Path)[] Pages(ConsoleScene scene)
    {
        (string home, string above) = ($"/console/{scene.Project}", $"/console/{scene.Team}");
        const string Operator = "/console/operator";
        return
        [
            ("a bare page", Bare),
            ("overview, 7 days", home),
            ("overview, today", $"{home}?days=1"),
            ("overview, 30 days", $"{home}?days=30"),
            ("overview of all projects, 30 days", $"{above}/all?days=30"),
            ("keys", $"{home}/keys"),
            ("keys that are revoked", $"{home}/keys?status=revoked"),
            ("a key", $"{home}/keys/{scene.Key}"),
            ("revoke a key, asked", $"{home}/keys/{scene.Key}/revoke"),
            ("new key", $"{home}/keys/new"),
            ("usage by day, 30 days", $"{home}/usage"),
            ("usage by key", $"{home}/usage?by=key"),
            ("usage by model", $"{home}/usage?by=model"),
            ("usage by key, of one model", $"{home}/usage?by=key&model=echo"),
            ("usage by project, of all", $"{above}/usage?by=project"),
            ("why refused", $"{home}/refusals"),
            ("wallet", $"{home}/wallet"),
            ("wallet, top-ups alone", $"{home}/wallet?kind=top_up"),
            ("team", $"{home}/team"),
            ("a member", $"{home}/team/members/{scene.Member}"),
            ("projects", $"{home}/projects"),
            ("audit", $"{home}/audit"),
            ("audit of an action that nobody did", $"{home}/audit?action=key.delete"),
            ("webhooks", $"{home}/webhooks"),
            ("a webhook", $"{home}/webhooks/{scene.Webhook}"),
            ("try it", $"{home}/try"),
            ("one's account", "/account"),
            ("a page of the documentation", "/docs/guides/teams"),
            ("operator: the gate", Operator),
            ("operator: customers", $"{Operator}/customers"),
            ("operator: a customer", $"{Operator}/customers/{scene.Team}"),
            ("operator: a customer's log", $"{Operator}/customers/{scene.Team}/audit"),
            ("operator: a project", $"{Operator}/projects/{scene.Project}"),
            ("operator: a key", $"{Operator}/keys/{scene.Key}"),
            ("operator: people", $"{Operator}/people"),
            ("operator: a person", $"{Operator}/people/{scene.Member}"),
            ("operator: plans", $"{Operator}/plans"),
        ];
    }
}
