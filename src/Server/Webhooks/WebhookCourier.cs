using System.Collections.Concurrent;
using System.Threading.Channels;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// Carries what is in the outbox to its receivers, from the start of the gate to its end. Each webhook has one run at a time, so its
/// events arrive in order while all is well, and a slow receiver holds up nobody else; those that failed last share half of the places.
/// What has not been written as done is sent again after a crash: at least once.
/// </summary>
internal sealed partial class WebhookCourier(
    Database database, WebhookSender sender, WebhookOutbox outbox, WebhookSweep sweep, Sealer sealer, TimeProvider time,
    ILogger<WebhookCourier> log) : BackgroundService
{
    /// <summary>Webhooks that are sent to at the same time.</summary>
    public const int RunsMax = 32;

    /// <summary>Of these, such as failed last.</summary>
    public const int FailingRunsMax = RunsMax / 2;

    /// <summary>Events that one run sends, if it is quick.</summary>
    public const int PerRunMax = 20;

    private static readonly TimeSpan RunTimeMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAgainIdle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WriteAgain = TimeSpan.FromSeconds(1);

    /// <summary>The runs under way, by the webhook's number. Begun by <see cref="Pass"/> alone, ended by themselves.</summary>
    private readonly ConcurrentDictionary<long, Run> _runs = new();

    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
    });

    /// <summary>Cancelled when the gate stops and its patience is over: what is under way is broken off.</summary>
    private readonly CancellationTokenSource _cut = new();

    private volatile bool _isStopping;

    /// <summary>Looks at once instead of in a while.</summary>
    public void Wake() => _bell.Writer.TryWrite(true);

    /// <summary>Begins a run for every webhook that is due and has none, as far as there are places.</summary>
    public async Task Pass(CancellationToken cancel)
    {
        var nowMs = NowMs;
        var due = await database.Read(
            async connection => (
                Well: await WebhookSql.Due(connection, nowMs, failing: false, RunsMax + _runs.Count),
                Failing: await WebhookSql.Due(connection, nowMs, failing: true, RunsMax + _runs.Count)),
            cancel);
        Begin(due.Well, RunsMax - _runs.Count);
        Begin(due.Failing, Math.Min(RunsMax - _runs.Count, FailingRunsMax - _runs.Values.Count(run => run.IsFailing)));
    }

    /// <summary>Returns when no run is under way.</summary>
    public async Task Idle()
    {
        while (_runs.Values.Select(run => run.Work).ToArray() is { Length: > 0 } works)
        {
            await Task.WhenAll(works);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        await base.StopAsync(cancellationToken);
        try
        {
            await Idle().WaitAsync(StopPatience, cancellationToken);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            await _cut.CancelAsync();
            await Idle();
        }
    }

    public override void Dispose()
    {
        _cut.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        outbox.Filled += Wake;
        outbox.Changed += Stale;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await Listen(await Look(stoppingToken), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            outbox.Filled -= Wake;
            outbox.Changed -= Stale;
        }
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>One look around; how long until the next.</summary>
    private async Task<TimeSpan> Look(CancellationToken cancel)
    {
        try
        {
            await Pass(cancel);
            await sweep.RunWhenDue(cancel);
            // While something is pending it is looked for each second: the wall clock may be set.
            return await database.Read(WebhookSql.NextDue, cancel) is { } due
                ? TimeSpan.FromMilliseconds(Math.Clamp(due - NowMs, 10, (long)LookAgain.TotalMilliseconds))
                : LookAgainIdle;
        }
#pragma warning disable CA1031 // whatever it is, the next look may go better, and nobody else would take it
        catch (Exception error) when (error is not OperationCanceledException || !cancel.IsCancellationRequested)
#pragma warning restore CA1031
        {
            if (!Database.IsOutage(error))
            {
                LogFailed(error);
            }

            return LookAgain;
        }
    }

    private async Task Listen(TimeSpan wait, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(wait, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            await _bell.Reader.ReadAsync(ended.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
        }
    }

    /// <summary>Somebody changed or deleted it: nothing more is sent by what was read before.</summary>
    private void Stale(long webhookNo)
    {
        if (_runs.TryGetValue(webhookNo, out var run))
        {
            run.IsStale = true;
        }
    }

    private void Begin(IEnumerable<Webhook> due, int places)
    {
        foreach (var webhook in due.Where(webhook => !_runs.ContainsKey(webhook.WebhookNo)).Take(Math.Max(0, places)))
        {
            if (_isStopping)
            {
                return;
            }

            var run = new Run { IsFailing = webhook.Failures > 0 };
            _runs[webhook.WebhookNo] = run;
            run.Work = Task.Run(() => Carry(webhook.WebhookNo, run));
        }
    }

    private async Task Carry(long webhookNo, Run run)
    {
        try
        {
            // Read once more now that changes are told to this run: one that was acknowledged before is obeyed.
            var (webhook, deliveries) = await database.Read(async connection => (
                await WebhookSql.FindEnabled(connection, webhookNo),
                await DeliverySql.Due(connection, webhookNo, NowMs, PerRunMax)));
            if (webhook is null)
            {
                return;
            }

            var tried = await Send(webhook, deliveries, run);
            if (tried.Count > 0 || deliveries.Count == 0)
            {
                await Write(webhook, tried);
            }
        }
#pragma warning disable CA1031 // nobody awaits a run; what it has not written is due as before
        catch (Exception error)
#pragma warning restore CA1031
        {
            if (error is not OperationCanceledException && !Database.IsOutage(error))
            {
                LogFailed(error);
            }

            // It is due as before, and would be at once again.
            await Task.Delay(WriteAgain, time, _cut.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _runs.TryRemove(webhookNo, out _);
            Wake();
        }
    }

    private async Task<List<WebhookDelivery>> Send(Webhook webhook, IReadOnlyList<WebhookDelivery> deliveries, Run run)
    {
        var tried = new List<WebhookDelivery>(deliveries.Count);
        var began = time.GetTimestamp();
        foreach (var delivery in deliveries)
        {
            if (_isStopping || run.IsStale || time.GetElapsedTime(began) > RunTimeMax)
            {
                break;
            }

            Attempt attempt;
            try
            {
                var secrets = WebhookSecret.LiveOf(sealer, webhook, NowMs);
                attempt = await sender.Send(webhook.Url, delivery, secrets, _cut.Token);
            }
            catch (OperationCanceledException) when (_cut.IsCancellationRequested)
            {
                // It may have arrived; it counts as not sent, and is sent again.
                break;
            }

            Failpoint.Pass("webhook-sent");
            tried.Add(After(delivery, attempt));
            if (!attempt.IsDelivered)
            {
                break;
            }
        }

        return tried;
    }

    private WebhookDelivery After(WebhookDelivery delivery, Attempt attempt)
    {
        var (nowMs, attempts) = (NowMs, delivery.Attempts + 1);
        var next = attempt.IsDelivered || attempt.IsGone ? null : RetrySchedule.Next(attempts, nowMs);
        return delivery with
        {
            State = attempt.IsDelivered ? WebhookDelivery.IsDelivered
                : next is null ? WebhookDelivery.IsFailed
                : WebhookDelivery.IsPending,
            Attempts = attempts,
            DueAtMs = next,
            AttemptedAtMs = nowMs,
            ResponseStatus = attempt.Status,
            Error = attempt.Error,
            DurationMs = attempt.DurationMs,
            FinishedAtMs = next is null ? nowMs : null,
        };
    }

    /// <summary>
    /// Until it is written, the webhook's run goes on: otherwise a database that reads and does not write would have the same events sent
    /// again and again.
    /// </summary>
    private async Task Write(Webhook webhook, IReadOnlyList<WebhookDelivery> tried)
    {
        while (true)
        {
            try
            {
                if ((await database.Write<bool>(scope => CourierBook.Enter(scope, webhook, tried), _cut.Token)).IsOk)
                {
                    return;
                }
            }
            catch (Exception error) when (Database.IsOutage(error))
            {
            }

            if (_isStopping)
            {
                return;
            }

            await Task.Delay(WriteAgain, time, _cut.Token);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Webhooks could not be sent; it is tried again")]
    private partial void LogFailed(Exception error);

    /// <summary>One webhook being sent to.</summary>
    private sealed class Run
    {
        private volatile bool _isStale;

        public bool IsFailing { get; init; }

        public Task Work { get; set; } = Task.CompletedTask;

        public bool IsStale
        {
            get => _isStale;
            set => _isStale = value;
        }
    }
}
