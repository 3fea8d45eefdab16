using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tollgate.Bench;

/// <summary>
/// Two promises. Time does not tell whether somebody has an account: each form is sent in turns for an address that has one and for one
/// that has none, and the medians are compared. And who guesses passwords does not slow down checks: their p99 beside a storm of sign-ins
/// and without it.
/// </summary>
internal static partial class PeopleBench
{
    private const string Password = "a long and lonely sentence";
    private const int TriesFree = 3;

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        int rounds = options.Number("--rounds", 500);
        int calls = options.Number("--calls", 5_000);
        var page = new ResultPage("people", "What time tells about accounts, and what guessing costs others");
        string folder = Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            using ServerProcess gate = await ServerProcess.Start(
                "Tollgate.Server.dll",
                ["serve", "--provider", "default", "--urls", "http://127.0.0.1:0", "--data", folder],
                ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey),
                ("TOLLGATE_TRUSTED_PROXIES", "127.0.0.1"));
            string[] known = await Accounts(gate.Address, folder, (rounds + TriesFree - 1) / TriesFree);
            page.Add($"{rounds} times each in turns, every time from another network. {known.Length} accounts, three tries each; timed "
                + "from the first byte of the form to the last of the answer.");
            page.Add("");
            page.Add("| form | with an account, ms | without, ms | ratio of the medians |");
            page.Add("| --- | --- | --- | --- |");
            await Compare(page, gate.Address, known, rounds);
            page.Add("");
            await Storm(page, gate.Address, calls);
            page.Save(options.Text("--results"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Compare(ResultPage page, string address, string[] known, int rounds)
    {
        var forms = new Dictionary<string, (List<double> With, List<double> Without)>
        {
            ["sign-in, wrong password"] = ([], []),
            ["sign-in, tried too often"] = ([], []),
            ["sign-up"] = ([], []),
            ["forgotten password"] = ([], []),
            ["link to sign in"] = ([], []),
        };
        for (int round = -rounds / 20; round < rounds; round++)
        {
            string has = known[(round + known.Length) % known.Length];
            string hasNot = $"nobody{(round + known.Length) % known.Length}@example.test";
            foreach (bool isKnown in (round & 1) == 0 ? new[] { true, false } : [false, true])
            {
                string who = isKnown ? has : hasNot;
                await Note("sign-in, wrong password", isKnown, "/sign-in", 401, ("email", who), ("password", "not the right one at all"));
                await Note(
                    "sign-up", isKnown, "/sign-up", 200, ("name", "Some One"), ("email", isKnown ? has : $"new{round}@example.test"),
                    ("password", Password));
                await Note("forgotten password", isKnown, "/forgot", 200, ("email", who));
                await Note("link to sign in", isKnown, "/magic", 200, ("email", who));
            }
        }

        // By now each address has had its free tries; the warm-up took some of the first.
        for (int round = 0; round < rounds; round++)
        {
            string has = known[round % known.Length];
            string hasNot = $"nobody{round % known.Length}@example.test";
            foreach (bool isKnown in (round & 1) == 0 ? new[] { true, false } : [false, true])
            {
                await Lock(address, isKnown ? has : hasNot);
                await Note(
                    "sign-in, tried too often", isKnown, "/sign-in", 429, ("email", isKnown ? has : hasNot),
                    ("password", "not the right one"));
            }
        }

        foreach (var (form, (with, without)) in forms)
        {
            var (one, other) = (Spread.Of(with), Spread.Of(without));
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {form} | {one.ToText("F2")} | {other.ToText("F2")} | {one.Median / other.Median:F3} |"));
        }

        async Task Note(string form, bool isKnown, string path, int status, params (string Name, string Value)[] fields)
        {
            using var browser = new Visitor(address);
            string token = await browser.Token(path);
            long start = Stopwatch.GetTimestamp();
            int answered = await browser.Send(path, token, fields);
            double took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (answered != status)
            {
                throw new InvalidOperationException($"{form}: {answered} in place of {status}.");
            }

            (isKnown ? forms[form].With : forms[form].Without).Add(took);
        }
    }

    /// <summary>Tries until it is told to wait, which is at once when it was a moment ago.</summary>
    private static async Task Lock(string address, string email)
    {
        int status;
        do
        {
            using var browser = new Visitor(address);
            status = await browser.Send(
                "/sign-in", await browser.Token("/sign-in"), ("email", email), ("password", "not the right one"));
        }
        while (status != 429);
    }

    private static async Task Storm(ResultPage page, string address, int calls)
    {
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", SeededKeys.RootKey);
        JsonElement projects = JsonElement.Parse(await http.GetStringAsync("/api/v1/projects"));
        string project = projects.GetProperty("data")[0].GetProperty("id").GetString()!;
        using var made = await http.PostAsync(
            $"/api/v1/projects/{project}/keys", new StringContent("{\"name\":\"Checked\"}", Encoding.UTF8, "application/json"));
        string secret = JsonElement.Parse(await made.Content.ReadAsStringAsync()).GetProperty("secret").GetString()!;
        var (quiet, storm) = (new Latencies(), new Latencies());
        for (int turn = 0; turn < 6; turn++)
        {
            await Checks(http, secret, calls / 3, turn < 2 ? new Latencies() : quiet);
            using var stop = new CancellationTokenSource();
            Task<int>[] guessers = [.. Enumerable.Range(0, 16).Select(_ => Task.Run(() => Guess(address, stop.Token)))];
            await Checks(http, secret, calls / 3, turn < 2 ? new Latencies() : storm);
            await stop.CancelAsync();
            await Task.WhenAll(guessers);
        }

        page.Add("Checks one after another over one connection, alone and beside 16 who guess passwords without a pause, each from a "
            + "network of its own; the gate has one core for both.");
        page.Add("");
        page.Add("| | checks | p50 ms | p99 ms | most ms |");
        page.Add("| --- | --- | --- | --- | --- |");
        page.Add($"| alone | {quiet} |");
        page.Add($"| beside guessing | {storm} |");
    }

    private static async Task Checks(HttpClient http, string secret, int calls, Latencies times)
    {
        for (int call = 0; call < calls; call++)
        {
            using var body = new StringContent($"{{\"key\":\"{secret}\"}}", Encoding.UTF8, "application/json");
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage answer = await http.PostAsync("/api/v1/verify", body);
            times.Add(Stopwatch.GetElapsedTime(start));
            answer.EnsureSuccessStatusCode();
        }
    }

    private static async Task<int> Guess(string address, CancellationToken stop)
    {
        int tries = 0;
        while (!stop.IsCancellationRequested)
        {
            using var browser = new Visitor(address);
            string email = $"{RandomNumberGenerator.GetHexString(20, lowercase: true)}@example.test";
            await browser.Send("/sign-in", await browser.Token("/sign-in"), ("email", email), ("password", "a guess"));
            tries++;
        }

        return tries;
    }

    /// <summary>Accounts that were made as people make them: a form, a mail, a link.</summary>
    private static async Task<string[]> Accounts(string address, string folder, int count)
    {
        string[] all = [.. Enumerable.Range(0, count).Select(number => $"somebody{number}@example.test")];
        foreach (string email in all)
        {
            using var browser = new Visitor(address);
            await browser.Send(
                "/sign-up", await browser.Token("/sign-up"), ("name", "Some Body"), ("email", email), ("password", Password));
        }

        var links = new Dictionary<string, string>(StringComparer.Ordinal);
        while (links.Count < count)
        {
            await Task.Delay(100);
            foreach (string file in Directory.GetFiles(Path.Combine(folder, "mail"), "*.eml"))
            {
                string text = await File.ReadAllTextAsync(file);
                if (To().Match(text) is { Success: true } to && Link().Match(text) is { Success: true } link)
                {
                    links[to.Groups[1].Value] = link.Groups[1].Value;
                }
            }
        }

        foreach (string token in links.Values)
        {
            using var browser = new Visitor(address);
            string form = await browser.Token($"/verify?token={token}");
            int status = await browser.Send("/verify", form, ("token", token), ("password", Password));
            if (status != 303)
            {
                throw new InvalidOperationException($"An address could not be confirmed: {status}.");
            }
        }

        return all;
    }

    [GeneratedRegex(@"^To: .*?<?([a-z0-9]+@example\.test)>?\s*$", RegexOptions.Multiline)]
    private static partial Regex To();

    [GeneratedRegex(@"/verify\?token=([A-Za-z0-9_-]+)")]
    private static partial Regex Link();

    /// <summary>A browser that nobody has seen before, in a network of its own.</summary>
    private sealed partial class Visitor : IDisposable
    {
        private readonly HttpClient _http;

        public Visitor(string address)
        {
            _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() })
            {
                BaseAddress = new Uri(address),
            };
            var network = new IPAddress([(byte)RandomNumberGenerator.GetInt32(11, 100), .. RandomNumberGenerator.GetBytes(3)]);
            _http.DefaultRequestHeaders.Add("X-Forwarded-For", network.ToString());
        }

        /// <summary>Opens a page; the token of its form.</summary>
        public async Task<string> Token(string path) =>
            FormToken().Match(await _http.GetStringAsync(path)) is { Success: true } found
                ? found.Groups[1].Value : throw new InvalidOperationException($"{path} has no form.");

        public async Task<int> Send(string path, string token, params (string Name, string Value)[] fields)
        {
            using var form = new FormUrlEncodedContent(
                fields.Append(("form_token", token)).Select(field => KeyValuePair.Create(field.Item1, field.Item2)));
            using HttpResponseMessage answer = await _http.PostAsync(path, form);
            return (int)answer.StatusCode;
        }

        public void Dispose() => _http.Dispose();

        [GeneratedRegex("name=\"form_token\" value=\"([^\"]*)\"")]
        private static partial Regex FormToken();
    }
}
