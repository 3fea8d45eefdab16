using System.Net;

namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// The servers behind the gate: finds those that serve a request, and asks the best of them; where that fails before the head of an answer
/// has come, the next. What is configured is swapped whole; requests under way go on with what they began with.
/// </summary>
internal sealed class UpstreamPool
{
    /// <summary>How many upstreams are asked for one request.</summary>
    public const int AttemptsMax = 3;

    /// <summary>What the built-in model is called among upstreams.</summary>
    public const string BuiltIn = "echo";

    private readonly TimeProvider _time;
    private readonly Upstream _builtIn;
    private readonly Lock _replacing = new();
    private readonly UpstreamNews _news;
    private volatile Upstream[] _upstreams;
    private long _retries;

    /// <param name="builtIn">Asked where no upstream is configured.</param>
    /// <param name="time">The clock of time-outs and rests.</param>
    public UpstreamPool(HttpMessageHandler builtIn, TimeProvider time)
    {
        _time = time;
        _news = new UpstreamNews(
            (name, isHealthy) => StandingChanged?.Invoke(name, isHealthy),
            (request, cause) => RequestFailed?.Invoke(request, cause));
        var config = new UpstreamConfig { Name = BuiltIn, Url = new Uri("http://localhost/"), ConcurrencyMax = int.MaxValue };
        _builtIn = new Upstream(config, time, new UpstreamMeter(), builtIn);
        _upstreams = [_builtIn];
    }

    /// <summary>Told the name of an upstream that became healthy (true) or is no longer (false).</summary>
    public event Action<string, bool>? StandingChanged;

    /// <summary>Told the id of a request that failed at an upstream, and how; the next one may have answered it.</summary>
    public event Action<string?, string>? RequestFailed;

    /// <summary>How often another upstream was asked because one had failed.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    public IReadOnlyList<UpstreamState> States => [.. _upstreams.Select(upstream => upstream.State)];

    /// <summary>What is asked now, for the background check.</summary>
    public IReadOnlyList<Upstream> Upstreams => _upstreams;

    /// <summary>
    /// Swaps what is configured. Upstreams that stay as they were keep their connections and their health; names keep their counts.
    /// </summary>
    public void Replace(IReadOnlyList<UpstreamConfig> upstreams)
    {
        lock (_replacing)
        {
            var before = _upstreams;
            _upstreams = upstreams.Count == 0 ? [_builtIn] :
            [
                .. upstreams.Select(config => before.FirstOrDefault(one => one != _builtIn && one.Config == config)
                    ?? new Upstream(config, _time, MeterOf(config.Name, before), news: _news)),
            ];
            foreach (var gone in before.Except(_upstreams).Where(one => one != _builtIn))
            {
                gone.Retire();
            }
        }
    }

    private static UpstreamMeter MeterOf(string name, Upstream[] before) =>
        before.FirstOrDefault(one => one.Config.Name == name)?.Meter ?? new UpstreamMeter();

    /// <exception cref="UpstreamException">None answered.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<UpstreamAnswer> Send(UpstreamRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        while (true)
        {
            var upstreams = _upstreams;
            var sending = new Sending(this, request, cancel);
            if (await sending.ToReady(upstreams) || await sending.ToResting(upstreams))
            {
                return sending.Answer!;
            }

            if (sending.Fault is { } fault)
            {
                throw fault;
            }

            if (!upstreams.Any(one => one.Serves(request)))
            {
                throw new UpstreamException(UpstreamFault.NoneServes, $"No upstream serves {request.Path} and the model {request.Model}.");
            }

            // Those that were swapped out meanwhile take nothing more.
            if (upstreams == _upstreams)
            {
                throw new UpstreamException(UpstreamFault.Busy, "All upstreams have as many requests under way as they may have.");
            }
        }
    }

    /// <summary>One request on its way through the upstreams, up to the answer that its caller gets.</summary>
    private sealed class Sending(UpstreamPool pool, UpstreamRequest request, CancellationToken cancel)
    {
        private readonly ClientBody? _body =
            request.Stream is { } stream && request.Headers.ContentLength != 0 ? new ClientBody(stream) : null;

        private int _attempts;

        /// <summary>The answer of a server that failed is kept until another one gives a better one.</summary>
        public UpstreamAnswer? Answer { get; private set; }

        public UpstreamException? Fault { get; private set; }

        private bool MayGoOn => _attempts < AttemptsMax && _body?.WasRead != true;

        /// <summary>To the healthy ones, in their order, and to those that should be tried. True where there is an answer.</summary>
        public async ValueTask<bool> ToReady(Upstream[] upstreams)
        {
            foreach (var upstream in upstreams)
            {
                // A body that cannot be sent again is no good for a trial.
                if (!MayGoOn || !upstream.Serves(request))
                {
                    continue;
                }

                var isTrial = !upstream.Standing.IsHealthy;
                if ((!isTrial || (_body is null && upstream.Standing.TryTrial())) && await Ask(upstream, isTrial))
                {
                    return true;
                }
            }

            return Answer is not null;
        }

        /// <summary>Where none is ready a resting one is asked rather than none, first the one whose rest ends first.</summary>
        public async ValueTask<bool> ToResting(Upstream[] upstreams)
        {
            if (_attempts > 0)
            {
                return false;
            }

            foreach (var upstream in upstreams.Where(one => one.Serves(request) && !one.Standing.IsHealthy)
                .OrderBy(one => one.Standing.RestEnd))
            {
                if (MayGoOn && await Ask(upstream, isTrial: false))
                {
                    return true;
                }
            }

            return Answer is not null;
        }

        /// <summary>True where its answer is the one to give.</summary>
        private async ValueTask<bool> Ask(Upstream upstream, bool isTrial)
        {
            if (!upstream.TryEnter())
            {
                GiveUp(upstream, isTrial);
                return false;
            }

            if (_attempts > 0)
            {
                Interlocked.Increment(ref pool._retries);
            }

            UpstreamAnswer answer;
            try
            {
                answer = await upstream.Ask(request, _body, ++_attempts, cancel);
            }
            catch (UpstreamException fault)
            {
                Fault = fault;
                return false;
            }
            catch
            {
                GiveUp(upstream, isTrial);
                Answer?.Dispose();
                throw;
            }

            var status = answer.Message.StatusCode;
            if (status == HttpStatusCode.Unauthorized)
            {
                answer.Dispose();
                Fault = new UpstreamException(UpstreamFault.Unauthorized, $"{upstream.Config.Name}: answered 401 to its key.");
                return false;
            }

            Answer?.Dispose();
            Answer = answer;
            return status is not (HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway
                or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout);
        }

        private static void GiveUp(Upstream upstream, bool isTrial)
        {
            if (isTrial)
            {
                upstream.Standing.GaveUp();
            }
        }
    }
}
