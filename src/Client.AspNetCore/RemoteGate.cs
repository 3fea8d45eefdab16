using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// Asks the gate, unless a verdict that may still be believed is at hand. While the feed is followed, however many requests wait for the
/// same question, it is asked once; without it each request asks for itself, so that none is answered by what was decided before it came.
/// </summary>
internal sealed partial class RemoteGate(
    GateConnection connection, VerdictCache cache, IOptions<TollgateOptions> given, TimeProvider time, ILogger<RemoteGate> log)
{
    private readonly TollgateOptions _options = given.Value;

    /// <summary>Questions under way, at most one each in a generation. Bounded by the number of requests being served.</summary>
    private readonly ConcurrentDictionary<(QuestionHash Hash, long Generation), Task<GateAnswer>> _asked = new();

    /// <summary>The gate's verdict, or why there is none. Throws only when <paramref name="cancel"/> does.</summary>
    public ValueTask<GateAnswer> Ask(Question question, CancellationToken cancel)
    {
        if (!_options.Caches)
        {
            return new(Send(question).WaitAsync(cancel));
        }

        var hash = question.Hash();
        return cache.Find(hash) is { } kept ? new(new GateAnswer(kept, GateFault.None)) : new(Join(question, hash).WaitAsync(cancel));
    }

    private async Task<GateAnswer> Join(Question question, QuestionHash hash)
    {
        // Read before the question is sent: what changes from here on keeps its answer out of the cache.
        var generation = cache.Generation;
        if (!cache.IsTrusted)
        {
            return await Keep(question, hash, generation).ConfigureAwait(false);
        }

        // The place is taken before the work begins: a question that was answered before it was entered would stay there for good.
        var answered = new TaskCompletionSource<GateAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = _asked.GetOrAdd((hash, generation), answered.Task);
        var isFirst = ReferenceEquals(asked, answered.Task);
        if (isFirst)
        {
            _ = Answer(question, hash, generation, answered);
        }

        // Where each request counts, an answer is of the one request it was given for.
        var answer = await asked.ConfigureAwait(false);
        return isFirst || answer.Verdict?.Cacheable != false ? answer : await Send(question).ConfigureAwait(false);
    }

    private async Task Answer(Question question, QuestionHash hash, long generation, TaskCompletionSource<GateAnswer> answered)
    {
        try
        {
            answered.SetResult(await Keep(question, hash, generation).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // handed on to everybody who waits
        catch (Exception error)
#pragma warning restore CA1031
        {
            answered.SetException(error);
        }
        finally
        {
            _asked.TryRemove((hash, generation), out _);
        }
    }

    private async Task<GateAnswer> Keep(Question question, QuestionHash hash, long generation)
    {
        var answer = await Send(question).ConfigureAwait(false);
        if (answer.Verdict is { Cacheable: not false } verdict)
        {
            cache.Keep(hash, verdict, generation);
        }

        return answer;
    }

    /// <summary>Not ended with the request that asked first: others may wait for it. It has its own bound.</summary>
    private async Task<GateAnswer> Send(Question question)
    {
        using var ends = new CancellationTokenSource(_options.Timeout, time);
        try
        {
            var verdict = await connection.Questions.Verify.CheckAsync(question.ToCheck(), ends.Token).ConfigureAwait(false);
            return new GateAnswer(verdict, GateFault.None);
        }
        catch (TollgateException refusal) when (IsOfRequest(refusal.Problem))
        {
            return new GateAnswer(null, GateFault.RequestRefused);
        }
        catch (TollgateException refusal) when (refusal.Problem is { Status: 429, Code: TollgateRefusal.LimitCode })
        {
            // Whoever sends junk keys shall not fill the application's log with them; the gate counts what it refuses.
            return new GateAnswer(null, GateFault.Limited) { RetryAfter = refusal.RetryAfter };
        }
        catch (TollgateException refusal)
        {
            LogRefused(refusal.Problem.Code, refusal.Message, refusal.Problem.RequestId);
        }
        catch (HttpRequestException error)
        {
            LogUnreachable(error.Message);
        }
        catch (OperationCanceledException)
        {
            LogUnreachable($"no answer within {_options.Timeout:c}");
        }

        return new GateAnswer(null, GateFault.Unavailable);
    }

    /// <summary>The gate found fault with the method or path that a caller of the application has sent, not with ours.</summary>
    private static bool IsOfRequest(Problem problem) =>
        problem.Status == 422 && problem.Errors.Count > 0 && problem.Errors.All(error => error.Member is "/path" or "/method");

    [LoggerMessage(Level = LogLevel.Error, Message = "The gate refused to check a key: {Code}: {Reason} (request {RequestId} of the gate)")]
    private partial void LogRefused(string code, string reason, string? requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gate could not be asked about a key: {Reason}")]
    private partial void LogUnreachable(string reason);
}

/// <summary>A verdict, or the fault that stood in its way.</summary>
internal readonly record struct GateAnswer(Verdict? Verdict, GateFault Fault)
{
    /// <summary>When asking again makes sense; null when the gate did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

internal enum GateFault
{
    None,

    /// <summary>The gate did not answer, or not with a verdict.</summary>
    Unavailable,

    /// <summary>The request itself cannot be judged, such as one whose path is not canonical.</summary>
    RequestRefused,

    /// <summary>Too many unknown keys came from where this one did: the gate looks no more up for a while.</summary>
    Limited,
}
