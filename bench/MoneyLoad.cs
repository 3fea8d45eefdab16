using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Bench;

/// <summary>The clients of <see cref="MoneyBench"/>, what they were told, and the comparison with what the gate has kept.</summary>
internal sealed class MoneyLoad(KilledGate gate, string balance) : IDisposable
{
    private const int Seed = 20_261_126;
    private const int InputMax = 200;
    private const int OutputMax = 400;

    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromSeconds(30) })
    {
        Timeout = TimeSpan.FromSeconds(20),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", SeededKeys.RootKey) },
    };

    /// <summary>What each settled request was told to have cost; null where nobody settled it.</summary>
    private readonly ConcurrentDictionary<string, string?> _told = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _faults = new();
    private string _organization = "";
    private string _key = "";
    private long _asked;
    private long _refused;
    private long _settled;
    private volatile bool _isStopping;

    public long Asked => Interlocked.Read(ref _asked);

    public long Admitted => _told.Count;

    public long Refused => Interlocked.Read(ref _refused);

    public long Settled => Interlocked.Read(ref _settled);

    public void Dispose() => _http.Dispose();

    public void Stop() => _isStopping = true;

    public async Task Prepare()
    {
        JsonNode organization = (await Get("organizations"))["data"]![0]!;
        _organization = (string)organization["id"]!;
        JsonNode project = (await Get($"organizations/{_organization}/projects"))["data"]![0]!;
        await TopUp("before the first");
        _key = (string)(await Send($"projects/{(string)project["id"]!}/keys", new { name = "Spender" }))["secret"]!;
    }

    /// <summary>The same money again, for every life of the gate to spend; told until it is answered, and entered once.</summary>
    public async Task TopUp(string externalId)
    {
        var body = new { kind = "top_up", amount = balance, external_id = externalId };
        while (await Try($"organizations/{_organization}/wallet/entries", body) is null)
        {
            await Task.Delay(50);
        }
    }

    public Task Run(int clients) => Task.WhenAll(
        Enumerable.Range(0, clients).Select(Client).Append(Watch()));

    /// <summary>After the clients: waits for the sweep, and compares.</summary>
    public async Task<MoneyAccount> Close()
    {
        JsonNode wallet;
        int patience = 180;
        do
        {
            await Task.Delay(500);
            wallet = await Get($"organizations/{_organization}/wallet");
        }
        while ((string)wallet["held"]! != "0.00" && patience-- > 0);
        var ledger = await Ledger();
        var logged = await Logged();
        return MoneyAccount.Of(_told, logged, wallet, ledger, _faults);
    }

    /// <summary>Asks, does the work, settles; one in ten walks away.</summary>
    private async Task Client(int number)
    {
        var random = new Random(Seed + number);
        while (!_isStopping)
        {
            int input = random.Next(1, InputMax);
            int output = random.Next(1, OutputMax);
            Interlocked.Increment(ref _asked);
            JsonNode? verdict = await Try("verify", new { key = _key, model = "coin", tokens = new { input, max_output = OutputMax } });
            if (verdict is null)
            {
                continue;
            }

            if (!(bool)verdict["valid"]!)
            {
                Interlocked.Increment(ref _refused);
                await Task.Delay(20);
                continue;
            }

            var reservation = (string)verdict["reservation"]!;
            _told[reservation] = null;
            if (random.Next(10) > 0)
            {
                await Settle(reservation, input, output);
            }
        }
    }

    /// <summary>Until it is answered: a settlement may be repeated, and is answered the same.</summary>
    private async Task Settle(string reservation, int input, int output)
    {
        for (int tries = 0; tries < 100; tries++)
        {
            var body = new { reservation, input_tokens = input, output_tokens = output, status = 200, latency_ms = 5 };
            if (await Try("usage", body) is { } answer)
            {
                _told[reservation] = (string)answer["cost"]!;
                Interlocked.Increment(ref _settled);
                return;
            }

            await Task.Delay(100);
        }

        _faults.Enqueue($"{reservation} could not be settled");
    }

    /// <summary>What is held is never more than there is.</summary>
    private async Task Watch()
    {
        while (!_isStopping)
        {
            await Task.Delay(50);
            if (await Try($"organizations/{_organization}/wallet", null) is { } wallet
                && (Amount(wallet["held"]) > Amount(wallet["balance"]) || Amount(wallet["available"]) < 0))
            {
                _faults.Enqueue($"more was held than there was: {wallet.ToJsonString()}");
            }
        }
    }

    /// <summary>Null when the gate is gone at the moment, or says that it cannot answer.</summary>
    private async Task<JsonNode?> Try(string path, object? body)
    {
        try
        {
            using HttpResponseMessage answer = body is null
                ? await _http.GetAsync(new Uri($"{gate.Address}/api/v1/{path}"))
                : await _http.PostAsJsonAsync($"{gate.Address}/api/v1/{path}", body);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                await Task.Delay(100);
                return null;
            }

            string text = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode)
            {
                _faults.Enqueue($"{path} was answered {(int)answer.StatusCode}: {text}");
                return null;
            }

            return JsonNode.Parse(text);
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException or OperationCanceledException)
        {
            await Task.Delay(50);
            return null;
        }
    }

    private async Task<JsonNode> Get(string path) =>
        JsonNode.Parse(await _http.GetStringAsync(new Uri($"{gate.Address}/api/v1/{path}")))!;

    private async Task<JsonNode> Send(string path, object body)
    {
        using HttpResponseMessage answer = await _http.PostAsJsonAsync($"{gate.Address}/api/v1/{path}", body);
        string text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {text}");
    }

    /// <summary>Every entry's amount.</summary>
    private async Task<List<(string Kind, decimal Amount)>> Ledger()
    {
        var entries = new List<(string, decimal)>();
        string? cursor = "";
        while (cursor is not null)
        {
            JsonNode page = await Get(
                $"organizations/{_organization}/wallet/entries?limit=100"
                + (cursor.Length > 0 ? $"&cursor={Uri.EscapeDataString(cursor)}" : ""));
            entries.AddRange(page["data"]!.AsArray().Select(entry => ((string)entry!["kind"]!, Amount(entry["amount"]))));
            cursor = (string?)page["next_cursor"];
        }

        return entries;
    }

    /// <summary>Every row of the log as it is exported.</summary>
    private async Task<List<JsonNode>> Logged()
    {
        var rows = new List<JsonNode>();
        await using Stream stream = await _http.GetStreamAsync(new Uri($"{gate.Address}/api/v1/usage/log.ndjson"));
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync() is { } line)
        {
            rows.Add(JsonNode.Parse(line)!);
        }

        return rows;
    }

    public static decimal Amount(JsonNode? text) => decimal.Parse((string)text!, CultureInfo.InvariantCulture);
}
