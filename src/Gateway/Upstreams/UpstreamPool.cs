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
            var sending = new Sending(request, upstreams);
            while (sending.Next() is { } upstream)
            {
                if (sending.Attempts > 1)
                {
                    Interlocked.Increment(ref _retries);
                }

                try
                {
                    if (sending.Takes(upstream, await upstream.Ask(request, sending.Body, sending.Attempts, cancel)))
                    {
                        break;
                    }
                }
                catch (UpstreamException fault)
                {
                    sending.Fault = fault;
                }
                catch
                {
                    sending.GiveUp(upstream);
                    throw;
                }
            }

            if (sending.Answer is { } answer)
            {
                return answer;
            }

            if (sending.Fault is { } last)
            {
                throw last;
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
    private sealed class Sending(UpstreamRequest request, Upstream[] upstreams)
    {
        private int _place;
        private bool _isTrial;

        /// <summary>Those that rest, once none of the others could be asked.</summary>
        private IEnumerator<Upstream>? _resting;

        public ClientBody? Body { get; } =
            request.Stream is { } stream && request.Headers.ContentLength != 0 ? new ClientBody(stream) : null;

        /// <summary>How many were asked, or are about to be.</summary>
        public int Attempts { get; private set; }

        /// <summary>The answer of a server that failed is kept until another one gives a better one.</summary>
        public UpstreamAnswer? Answer { get; private set; }

        public UpstreamException? Fault { get; set; }

        private bool MayGoOn => Attempts < AttemptsMax && Body?.WasRead != true;

        /// <summary>
        /// The next to ask, entered: of the healthy ones, in their order, and those that should be tried. Where none is ready a resting one
        /// is asked rather than none, first the one whose rest ends first.
        /// </summary>
        public Upstream? Next()
        {
            while (MayGoOn && _place < upstreams.Length)
            {
                var upstream = upstreams[_place++];
                if (upstream.Serves(request) && IsReady(upstream) && TryEnter(upstream))
                {
                    return upstream;
                }
            }

            if (_resting is null)
            {
                if (Attempts > 0)
                {
                    return null;
                }

                _resting = upstreams.Where(one => one.Serves(request) && !one.Standing.IsHealthy)
                    .OrderBy(one => one.Standing.RestEnd).GetEnumerator();
                _isTrial = false;
            }

            while (MayGoOn && _resting.MoveNext())
            {
                if (TryEnter(_resting.Current))
                {
                    return _resting.Current;
                }
            }

            return null;
        }

        /// <summary>Keeps an answer; true where it is the one to give.</summary>
        public bool Takes(Upstream upstream, UpstreamAnswer answer)
        {
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

        /// <summary>The caller asks nobody any more.</summary>
        public void GiveUp(Upstream upstream)
        {
            EndTrial(upstream);
            Answer?.Dispose();
        }

        /// <summary>A body that cannot be sent again is no good for a trial.</summary>
        private bool IsReady(Upstream upstream)
        {
            _isTrial = !upstream.Standing.IsHealthy;
            return !_isTrial || (Body is null && upstream.Standing.TryTrial());
        }

        private bool TryEnter(Upstream upstream)
        {
            if (upstream.TryEnter())
            {
                Attempts++;
                return true;
            }

            EndTrial(upstream);
            return false;
        }

        private void EndTrial(Upstream upstream)
        {
            if (_isTrial)
            {
                upstream.Standing.GaveUp();
            }
        }
    }
}
