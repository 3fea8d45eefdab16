using System.Collections.Concurrent;
using System.Threading.Channels;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Mail;

/// <summary>
/// Carries what is in the outbox to the mail server, or into the folder, from the start of the gate to its end. What has not been written
/// as done is sent again after a crash, with the same Message-ID: at least once.
/// </summary>
internal sealed partial class MailCourier(
    Database database, MailOutbox outbox, SmtpSender smtp, MailFolder folder, MailOptions options, MailMeter meter, TimeProvider time,
    ILogger<MailCourier> log) : BackgroundService
{
    /// <summary>Mails that are sent at the same time, each over a connection of its own.</summary>
    public const int SendsMax = 4;

    /// <summary>Rows that one sweep takes away.</summary>
    public const int SweepMax = 500;

    /// <summary>For how long it can be seen what became of a mail, though not what it said.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAgainIdle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A real mail is more work than a blank one. It begins when whoever caused it has been answered, so that their clock tells nothing.
    /// </summary>
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan WriteAgain = TimeSpan.FromSeconds(1);

    /// <summary>Those under way, by their number. Begun by <see cref="Pass"/> alone, ended by themselves.</summary>
    private readonly ConcurrentDictionary<long, Task> _sends = new();

    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
    });

    private readonly ServerRest _rest = new(time);

    /// <summary>Cancelled when the gate stops and its patience is over: what is under way is broken off.</summary>
    private readonly CancellationTokenSource _cut = new();

    private DateTimeOffset _nextSweep = DateTimeOffset.MinValue;
    private volatile bool _isStopping;

    /// <summary>Looks at once instead of in a while.</summary>
    public void Wake() => _bell.Writer.TryWrite(true);

    /// <summary>Begins to send what is due, as far as there are places and the server is not left alone.</summary>
    public async Task Pass(CancellationToken cancel)
    {
        var places = _rest.Places(SendsMax) - _sends.Count;
        if (places <= 0)
        {
            return;
        }

        var due = await database.Read(connection => MailSql.Due(connection, NowMs, SendsMax + _sends.Count), cancel);
        foreach (var mailNo in due.Where(mailNo => !_sends.ContainsKey(mailNo)).Take(places))
        {
            if (_isStopping)
            {
                return;
            }

            var begun = new TaskCompletionSource();
            _sends[mailNo] = begun.Task;
            _ = Task.Run(() => Carry(mailNo, begun), CancellationToken.None);
        }
    }

    /// <summary>Returns when none is under way.</summary>
    public async Task Idle()
    {
        while (_sends.Values.ToArray() is { Length: > 0 } works)
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
        if (options.Host is null)
        {
            LogFolder(folder.Path, MailPage.Path);
        }

        outbox.Filled += Wake;
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
        }
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>One look around; how long until the next.</summary>
    private async Task<TimeSpan> Look(CancellationToken cancel)
    {
        try
        {
            await Pass(cancel);
            await SweepWhenDue(cancel);
            var state = await database.Read(MailSql.State, cancel);
            meter.See(state);
            if (state.NextDueAtMs is not { } due)
            {
                return LookAgainIdle;
            }

            // While something is waiting it is looked for each second: the wall clock may be set.
            var wait = Math.Max(due - NowMs, (long)_rest.Left.TotalMilliseconds);
            return TimeSpan.FromMilliseconds(Math.Clamp(wait, 10, (long)LookAgain.TotalMilliseconds));
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
            await Task.Delay(Apart, ended.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
        }
    }

    /// <summary>Once an hour; what one batch leaves waits for the next look, not for the next hour.</summary>
    private async Task SweepWhenDue(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (now < _nextSweep)
        {
            return;
        }

        // Looked for first: most of the time there is nothing, and a write is not free.
        var beforeMs = (now - Retention).ToUnixTimeMilliseconds();
        if (await database.Read(connection => MailSql.HasLeftovers(connection, beforeMs), cancel))
        {
            var swept = await database.Write<int>(async scope => await MailSql.Purge(scope, beforeMs, SweepMax), cancel);
            if (!swept.IsOk || swept.Value == SweepMax)
            {
                return;
            }
        }

        _nextSweep = now + SweepEvery;
    }

    private async Task Carry(long mailNo, TaskCompletionSource begun)
    {
        try
        {
            // Read now that nobody else begins it: what was listed as due may have been sent since.
            if (await database.Read(connection => MailSql.FindDue(connection, mailNo, NowMs)) is { } mail)
            {
                var result = await Send(mail);
                Failpoint.Pass("mail-sent");
                await Write(After(mail, result));
                Failpoint.Pass("mail-written");
            }
        }
        catch (OperationCanceledException) when (_cut.IsCancellationRequested)
        {
            // It may have arrived; it counts as not sent, and is sent again.
        }
#pragma warning disable CA1031 // nobody awaits it; what is not written is due as before
        catch (Exception error)
#pragma warning restore CA1031
        {
            if (!Database.IsOutage(error))
            {
                LogFailed(error);
            }

            // It is due as before, and would be at once again.
            await Task.Delay(WriteAgain, time, _cut.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _sends.TryRemove(mailNo, out _);
            begun.SetResult();
            Wake();
        }
    }

    /// <summary>Null for one that is not to be sent.</summary>
    private async Task<SendResult?> Send(QueuedMail mail)
    {
        if (mail.Blank == 1)
        {
            return null;
        }

        if (NowMs >= mail.UntilMs)
        {
            return new SendResult(SendOutcome.Refused, mail.Error ?? "late");
        }

        if (outbox.Open(mail) is not { } letter)
        {
            return new SendResult(SendOutcome.Refused, "unreadable");
        }

        var result = options.Host is null ? await folder.Send(mail, letter) : await smtp.Send(mail, letter, _cut.Token);
        if (result.Outcome == SendOutcome.ServerFailed)
        {
            if (_rest.Failed())
            {
                LogServer(result.Error);
            }
        }
        else if (_rest.Worked())
        {
            LogServerIsBack();
        }

        return result;
    }

    private QueuedMail After(QueuedMail mail, SendResult? result)
    {
        var nowMs = NowMs;
        if (result is not var (outcome, error))
        {
            return Done(mail, QueuedMail.IsBlank, null, nowMs);
        }

        if (outcome == SendOutcome.Sent)
        {
            meter.Sent.Add();
            return Done(mail, QueuedMail.IsSent, null, nowMs) with { Attempts = mail.Attempts + 1, AttemptedAtMs = nowMs };
        }

        var attempts = mail.Attempts + 1;
        var next = outcome == SendOutcome.Refused
            ? long.MaxValue
            : MailSchedule.Next(attempts, outcome == SendOutcome.ServerFailed, nowMs);
        if (next >= mail.UntilMs)
        {
            meter.GivenUp.Add();
            LogGivenUp(mail.MailNo, mail.Template, error);
            return Done(mail, QueuedMail.IsGivenUp, error, nowMs) with { Attempts = attempts, AttemptedAtMs = nowMs };
        }

        meter.Retried.Add();
        return mail with { Attempts = attempts, DueAtMs = next, AttemptedAtMs = nowMs, Error = error };
    }

    private static QueuedMail Done(QueuedMail mail, long state, string? error, long nowMs) =>
        mail with { State = state, Letter = [], DueAtMs = null, Error = error, FinishedAtMs = nowMs };

    /// <summary>
    /// Until it is written its place stays taken: otherwise a database that reads and does not write would have the same mail sent again
    /// and again.
    /// </summary>
    private async Task Write(QueuedMail tried)
    {
        while (true)
        {
            try
            {
                var written = await database.Write<bool>(
                    async scope =>
                    {
                        await MailSql.Tried(scope, tried);
                        return true;
                    },
                    _cut.Token);
                if (written.IsOk)
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

    [LoggerMessage(Level = LogLevel.Error, Message = "Mails could not be sent; it is tried again")]
    private partial void LogFailed(Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail server does not work ({Error}); mails wait until it does")]
    private partial void LogServer(string? error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail server works again")]
    private partial void LogServerIsBack();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mail {MailNo} ({Template}) is given up: {Error}")]
    private partial void LogGivenUp(long mailNo, string template, string? error);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Mail is written to {Folder} and shown at {Path}, to this machine alone; with mail.host it is sent")]
    private partial void LogFolder(string folder, string path);
}
