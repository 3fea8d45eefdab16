using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Server.Providers;

namespace Tollgate.Bench;

/// <summary>
/// The promise: time does not tell an unknown key from one that was revoked, has expired or belongs to another project. Medians of many
/// calls of each in turns, against the unknown one. A wrong checksum may be faster: anybody can compute it.
/// </summary>
internal static class TimingBench
{
    private const long NowMs = 1_800_000_000_000;
    private static readonly string[] States = ["unknown", "revoked", "expired", "other project", "wrong checksum"];

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        int calls = options.Number("--calls", 20_000);
        var page = new ResultPage("timing", "What the time of a refusal tells about a key");
        page.Add($"{calls:N0} calls of each state in turns, all known to memory. Medians; within the quartiles in brackets.");
        page.Add("");
        page.Add("| where | key | µs | to unknown |");
        page.Add("| --- | --- | --- | --- |");
        Tell(page, "in process", InProcess(calls));
        Tell(page, "over HTTP, one connection", await OverHttp(calls));
        page.Save(options.Text("--results"));
        return 0;
    }

    private static void Tell(ResultPage page, string where, double[][] micros)
    {
        double[] medians = [.. micros.Select(times => Quantile(times, 0.5))];
        for (int state = 0; state < States.Length; state++)
        {
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {where} | {States[state]} | {medians[state]:F2} ")
                + string.Create(
                    CultureInfo.InvariantCulture, $"({Quantile(micros[state], 0.25):F2}–{Quantile(micros[state], 0.75):F2}) ")
                + string.Create(CultureInfo.InvariantCulture, $"| {medians[state] / medians[0]:F3} |"));
        }
    }

    private static double Quantile(double[] times, double share) => times.Order().ElementAt((int)(times.Length * share));

    // A check takes less than reading the clock, so a hundred of one state are one measurement.
    private static double[][] InProcess(int calls)
    {
        const int together = 100;
        KeyFormat format = ProviderFiles.Shipped.Load("default").Model!.Keys.Format;
        var projects = new ProjectTable();
        projects.TryApply(new ProjectEntry(1, "prj_own", "org_own") { Version = 1, State = ProjectState.Active }, out uint project);
        var gate = new Gatekeeper(format, new KeyTable(), projects);
        byte[][] secrets = [.. States.Select(_ => Encoding.ASCII.GetBytes(format.Mint(0)))];
        secrets[4][^1] = secrets[4][^1] == (byte)'a' ? (byte)'b' : (byte)'a';
        gate.Keys.EndLoadUnknown(gate.Keys.BeginLoad(), KeyHash.Of(secrets[0]));
        for (int state = 1; state <= 3; state++)
        {
            gate.Keys.EndLoad(gate.Keys.BeginLoad(), new KeyEntry
            {
                KeyNo = (uint)state,
                Version = 1,
                ProjectIndex = project,
                Hash = KeyHash.Of(secrets[state]),
                State = state == 1 ? KeyState.Revoked : KeyState.Active,
                ExpiresAtMs = state == 2 ? NowMs - 1 : long.MaxValue,
                Profile = new KeyProfile { Grants = new Grants(1, 1), Facts = new byte[60] },
                Facts = new byte[60],
            });
        }

        VerdictCode[] expected =
        [
            VerdictCode.KeyUnknown, VerdictCode.KeyRevoked, VerdictCode.KeyExpired, VerdictCode.ProjectMismatch, VerdictCode.KeyMalformed,
        ];
        return InTurns(Math.Max(200, calls / together * 10), state =>
        {
            for (int i = 0; i < together; i++)
            {
                var request = new CheckRequest { Secret = secrets[state], ProjectId = "prj_else"u8, NowMs = NowMs };
                if (gate.Check(in request).Code != expected[state])
                {
                    throw new InvalidOperationException($"The key that is {States[state]} was not refused for it.");
                }
            }
        }, together);
    }

    private static async Task<double[][]> OverHttp(int calls)
    {
        string folder = Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            string file = Path.Combine(folder, "projects.yaml");
            await File.WriteAllTextAsync(file, Provider);
            using ServerProcess gate = await ServerProcess.Start(
                "Tollgate.Server.dll",
                ["serve", "--provider", file, "--urls", "http://127.0.0.1:0", "--data", folder],
                ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey));
            (string path, string[] secrets) = await Keys(gate.Address, ProviderFiles.Shipped.Load(file).Model!.Keys.Format);
            using var connection = new KeepAlive(gate.Address);
            byte[][] requests = [.. secrets.Select(secret => KeepAlive.Get(path, secret))];
            while (requests.Any(request => connection.Ask(request) != 401))
            {
                // One of them expires a second after it was made.
            }

            return InTurns(calls, state => connection.Ask(requests[state]), 1);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Each state once a turn, in an order that moves on; the first tenth is for warming up.</summary>
    private static double[][] InTurns(int turns, Action<int> call, int together)
    {
        double[][] micros = [.. States.Select(_ => new double[turns])];
        for (int turn = -turns / 10; turn < turns; turn++)
        {
            for (int i = 0; i < States.Length; i++)
            {
                int state = (int)((uint)(turn + turns + i) % States.Length);
                long start = Stopwatch.GetTimestamp();
                call(state);
                double took = Stopwatch.GetElapsedTime(start).TotalMicroseconds / together;
                if (turn >= 0)
                {
                    micros[state][turn] = took;
                }
            }
        }

        return micros;
    }

    /// <summary>A path of one project, and a secret in each state as that path sees it.</summary>
    private static async Task<(string Path, string[] Secrets)> Keys(string address, KeyFormat format)
    {
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", SeededKeys.RootKey);
        string own = (await Call(http, HttpMethod.Get, "projects", null)).GetProperty("data")[0].GetProperty("id").GetString()!;
        string organization = (await Call(http, HttpMethod.Post, "organizations", "{\"name\":\"Another\"}")).GetProperty("id").GetString()!;
        string other = (await Call(http, HttpMethod.Post, $"organizations/{organization}/projects", "{\"name\":\"Another\"}"))
            .GetProperty("id").GetString()!;
        JsonElement revoked = await Call(http, HttpMethod.Post, $"projects/{own}/keys", "{\"name\":\"Revoked\"}");
        await Call(http, HttpMethod.Post, $"keys/{revoked.GetProperty("id").GetString()}/revoke", null);
        string soon = TimeProvider.System.GetUtcNow().AddSeconds(2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        JsonElement expired = await Call(
            http, HttpMethod.Post, $"projects/{own}/keys", $"{{\"name\":\"Expiring\",\"expires_at\":\"{soon}\"}}");
        JsonElement others = await Call(http, HttpMethod.Post, $"projects/{other}/keys", "{\"name\":\"Another's\"}");
        string unknown = format.Mint(0);
        return ($"/v1/projects/{own}/files",
        [
            unknown, Secret(revoked), Secret(expired), Secret(others), unknown[..^1] + (unknown[^1] == 'a' ? 'b' : 'a'),
        ]);

        static string Secret(JsonElement key) => key.GetProperty("secret").GetString()!;
    }

    private static async Task<JsonElement> Call(HttpClient http, HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, new Uri($"/api/v1/{path}", UriKind.Relative));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await http.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonElement.Parse(text) : throw new InvalidOperationException(text);
    }

    /// <summary>A provider whose paths name a project, so that a key of another one is refused like an unknown one.</summary>
    private const string Provider =
        """
        provider: { name: Projects, base_url: https://api.example.com, key_variable: EXAMPLE_API_KEY }
        keys:
          secret: { prefix: ex_, length: 40, alphabet: alphanumeric, checksum: crc32, shown: once }
          mask: { head: 7, tail: 4 }
          name: { min: 1, max: 100 }
          expiry: optional
          operations: [revoke]
        permissions:
          scopes: { files: Files }
          routes: [ { "/v1/projects/{project}/files": files } ]
        models: []
        errors:
          default: { status: $status, body: { message: $message, code: $code } }
          invalid_key: { status: 401, body: { message: The key is not valid., code: invalid_key } }
        """;
}
