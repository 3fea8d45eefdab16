using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Tollgate.Bench;

/// <summary>
/// The promise: ready within two seconds of its start, with ten million keys in the database, because a key is read when it is first asked
/// for. From the start of the process until <c>/readyz</c> answers 200 and a key is found valid.
/// </summary>
internal static class StartBench
{
    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        int keys = options.Number("--keys", 10_000_000);
        int rounds = options.Number("--rounds", 7);
        string? kept = options.Text("--data");
        string folder = kept ?? Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            var page = new ResultPage("start", "From the start of the process to the first valid key");
            SeededKeys seeded = await SeededKeys.Make(folder, keys);
            var ready = new List<double>();
            var valid = new List<double>();
            for (int round = 0; round < rounds; round++)
            {
                var watch = Stopwatch.StartNew();
                using ServerProcess gate = await ServerProcess.Start(
                    "Tollgate.Server.dll",
                    ["serve", "--provider", "default", "--urls", "http://127.0.0.1:0", "--data", folder],
                    ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey));
                using var http = new HttpClient { BaseAddress = new Uri(gate.Address) };
                await Expect(http.GetAsync(new Uri("/readyz", UriKind.Relative)), "");
                ready.Add(watch.Elapsed.TotalSeconds);
                await Expect(Verify(http, seeded), "\"valid\":true");
                valid.Add(watch.Elapsed.TotalSeconds);
            }

            page.Add($"{keys:N0} keys in SQLite, {rounds} starts on one core. Seconds, the median with the least and the most.");
            page.Add("");
            page.Add("| until | s |");
            page.Add("| --- | --- |");
            page.Add($"| `/readyz` answers 200 | {Spread.Of(ready).ToText("F2")} |");
            page.Add($"| a key is found valid | {Spread.Of(valid).ToText("F2")} |");
            page.Save(options.Text("--results"));
            return 0;
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<HttpResponseMessage> Verify(HttpClient http, SeededKeys seeded)
    {
        using var secrets = new StreamReader(seeded.SecretsFile);
        var secret = new char[seeded.SecretLength];
        await secrets.ReadBlockAsync(secret);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/verify", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", SeededKeys.RootKey);
        request.Content = new StringContent($$"""{"key":"{{new string(secret)}}"}""", Encoding.UTF8, "application/json");
        return await http.SendAsync(request);
    }

    private static async Task Expect(Task<HttpResponseMessage> call, string text)
    {
        using HttpResponseMessage answer = await call;
        string body = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != HttpStatusCode.OK || !body.Contains(text, StringComparison.Ordinal))
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{(int)answer.StatusCode} {body}"));
        }
    }
}
