namespace Tollgate.Gateway.Upstreams;

/// <summary>How a request failed at an upstream that was asked.</summary>
internal enum UpstreamFailure
{
    /// <summary>No connection, or it broke before the head of an answer.</summary>
    Unreachable,

    /// <summary>No head of an answer in time.</summary>
    TimedOut,

    /// <summary>What came is no HTTP.</summary>
    Garbled,

    /// <summary>401 to its key.</summary>
    Unauthorized,

    /// <summary>500, 502, 503 or 504.</summary>
    Status,

    /// <summary>The answer began and did not come to its end.</summary>
    Broken,
}

/// <summary>
/// Counts what an upstream was asked and how it failed. It belongs to the name, so that its counts go on when the name is configured anew.
/// </summary>
internal sealed class UpstreamMeter
{
    private readonly long[] _failures = new long[Enum.GetValues<UpstreamFailure>().Length];
    private long _requests;

    public long Requests => Interlocked.Read(ref _requests);

    public long Failures
    {
        get
        {
            var sum = 0L;
            for (var i = 0; i < _failures.Length; i++)
            {
                sum += Interlocked.Read(ref _failures[i]);
            }

            return sum;
        }
    }

    public long Read(UpstreamFailure failure) => Interlocked.Read(ref _failures[(int)failure]);

    public void Asked() => Interlocked.Increment(ref _requests);

    public void Failed(UpstreamFailure failure) => Interlocked.Increment(ref _failures[(int)failure]);
}
