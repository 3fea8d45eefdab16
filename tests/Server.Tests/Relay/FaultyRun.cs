using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Journal;
using Tollgate.Server.Tests.Faults;
using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A gate of a paid provider before a server that fails, what its client sees, and what must be so afterwards.</summary>
internal sealed class FaultyRun : IAsyncDisposable
{
    public const string Streamed = ",\"stream\":true";

    /// <summary>What the gate waits for, by a clock that is moved on.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    private readonly RawOrigin? _origin;

    private FaultyRun(RawOrigin? origin, GatewayRun gateway) => (_origin, Gateway) = (origin, gateway);

    public GatewayRun Gateway { get; }

    public UpstreamPool Pool => Gateway.Gate.Services.GetRequiredService<UpstreamPool>();

    /// <param name="origin">Asked first; null for one that nobody listens for.</param>
    /// <param name="isAlone">Whether no other is asked after it; else the gateway's own, which is good.</param>
    /// <param name="with">Changes what is configured of it.</param>
    public static async Task<FaultyRun> Start(
        RawOrigin? origin, bool isAlone = true, Func<UpstreamConfig, UpstreamConfig>? with = null)
    {
        var config = (origin?.Config("faulty") ?? Asking.Nobody("faulty")) with { FirstByte = Soon, Idle = Soon };
        config = with?.Invoke(config) ?? config;
        return new FaultyRun(origin, await GatewayRun.Start(with: options =>
            options with { Upstreams = isAlone ? [config] : [config, .. options.Upstreams] }));
    }

    /// <summary>What a client sees of a chat: the status, the code of an error, and whether it was broken off.</summary>
    public Task<string> Chat(string more = "", Action? onBytes = null) => Moving(Told(Gateway.Begin(more), onBytes));

    /// <summary>The same of an answer that is on its way.</summary>
    public static async Task<string> Told(Task<HttpResponseMessage> asked, Action? onBytes = null)
    {
        var told = new StringBuilder();
        try
        {
            using var answer = await asked;
            told.Append((int)answer.StatusCode);
            var text = new StringBuilder();
            try
            {
                await using var body = await answer.Content.ReadAsStreamAsync();
                var buffer = new byte[65_536];
                while (await body.ReadAsync(buffer) is var read and > 0)
                {
                    if (text.Length == 0)
                    {
                        onBytes?.Invoke();
                    }

                    text.Append(Encoding.Latin1.GetString(buffer, 0, read));
                }
            }
            finally
            {
                told.Append(CodeOf(text.ToString()));
            }
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            told.Append(" broken");
        }

        return told.ToString().Trim();
    }

    /// <summary>Moves the clock on until something has ended.</summary>
    public async Task<T> Moving<T>(Task<T> task)
    {
        await GatewayRun.Until(() =>
        {
            Gateway.Gate.Clock.Advance(Soon / 2);
            return task.IsCompleted;
        });
        return await task;
    }

    /// <summary>
    /// The newest line of the log, once all is over: nothing is held, nothing under way, no connection kept, and all books agree that there
    /// are no more lines.
    /// </summary>
    public async Task<JsonElement> Ended(int others = 0)
    {
        var line = (await Gateway.Log(others + 1))[0];
        await GatewayRun.Until(() => Gateway.OpenRequests == 0 && Pool.States.All(state => state.InFlight == 0));
        await GatewayRun.Until(() => _origin is null or { Open: 0 });
        await Gateway.Gate.Services.GetRequiredService<Fold>().WaitAll();
        var books = await PaidBooks.Of(Gateway.Gate.Database);
        books.Agree("in the end");
        Assert.Equal((others + 1L, 0L, 0L, 0), (books.Lines, books.Held, books.Open, Gateway.OpenReservations));
        Assert.Equal((0m, 1_000 - (books.Spent / 1_000_000m)), (await Gateway.Held(), await Gateway.Balance()));
        return line;
    }

    /// <summary>As <see cref="Ended"/>, and it cost nothing.</summary>
    public async Task EndedForNothing(int status)
    {
        Assert.Equal($"coin 0 0 {status} False", RelayTests.Told(await Ended()));
        Assert.Equal(1_000, await Gateway.Balance());
    }

    /// <summary>As <see cref="Ended"/>, and what had passed was billed as an estimate.</summary>
    public async Task EndedEstimated(int status)
    {
        var line = await Ended();
        var (input, output) = (line.GetProperty("input_tokens").GetInt32(), line.GetProperty("output_tokens").GetInt32());
        Assert.Equal($"coin {input} {output} {status} True", RelayTests.Told(line));
        Assert.True(input > 0 && output > 0, $"{line}");
        var cost = RelayedProvider.Read(line.GetProperty("cost").GetString()!);
        Assert.Equal(1_000 - cost, await Gateway.Balance());
        // What goes beyond the answer's bound was not held, and is not billed.
        var least = RelayedProvider.Cost(input, Math.Min(output, RelayedProvider.OutputDefault));
        Assert.InRange(cost, least, RelayedProvider.Cost(input, output));
    }

    public ValueTask DisposeAsync() => Gateway.DisposeAsync();

    /// <summary>The code of the error that an answer, or the last event of a stream, tells.</summary>
    private static string CodeOf(string text)
    {
        const string Member = "\"code\":\"";
        var at = text.LastIndexOf(Member, StringComparison.Ordinal);
        return at < 0 ? "" : " " + text[(at + Member.Length)..text.IndexOf('"', at + Member.Length)];
    }
}
