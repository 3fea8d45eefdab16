using System.Collections.Concurrent;

namespace Tollgate.Gateway.Relay;

/// <summary>Why the gate ends a request that is under way.</summary>
internal enum CutReason
{
    None,

    /// <summary>Its key is not to be used any longer, not even by what has begun.</summary>
    Key,

    /// <summary>The gate stops, and has waited for long enough.</summary>
    Stop,
}

/// <summary>The requests that are under way, so that those of a key, or all, can be cut, and their bills be noted.</summary>
internal sealed class OpenRequests
{
    private readonly ConcurrentDictionary<OpenRequest, bool> _open = new();
    private int _count;
    private int _isStopping;

    public int Count => Volatile.Read(ref _count);

    /// <summary>From here until it is disposed a request is under way.</summary>
    public OpenRequest Enter(Bill? bill, CancellationToken aborted)
    {
        var request = new OpenRequest(this, bill, aborted);
        Interlocked.Increment(ref _count);
        _open[request] = true;
        if (Volatile.Read(ref _isStopping) != 0)
        {
            request.Cut(CutReason.Stop);
        }

        return request;
    }

    internal void Leave(OpenRequest request)
    {
        if (_open.TryRemove(request, out _))
        {
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Cuts what a key has under way; tells how many that were.</summary>
    public int CutKey(uint keyNo) => Cut(request => request.Bill?.Terms.KeyNo == keyNo, CutReason.Key);

    /// <summary>Cuts everything, and what enters from now on; tells how many that were.</summary>
    public int CutAll()
    {
        Volatile.Write(ref _isStopping, 1);
        return Cut(static _ => true, CutReason.Stop);
    }

    /// <summary>Notes how far each has come.</summary>
    /// <param name="renewMs">After so long without a note one is written even where nothing has changed.</param>
    public void Mark(long renewMs)
    {
        foreach (var (request, _) in _open)
        {
            request.Bill?.Mark(renewMs);
        }
    }

    private int Cut(Func<OpenRequest, bool> which, CutReason reason)
    {
        var count = 0;
        foreach (var (request, _) in _open)
        {
            if (which(request))
            {
                request.Cut(reason);
                count++;
            }
        }

        return count;
    }
}

/// <summary>One of them.</summary>
internal sealed class OpenRequest : IDisposable
{
    private readonly OpenRequests _all;
    private readonly CancellationTokenSource _ended;
    private int _reason;

    internal OpenRequest(OpenRequests all, Bill? bill, CancellationToken aborted)
    {
        (_all, Bill) = (all, bill);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    }

    public Bill? Bill { get; }

    /// <summary>Cancelled when its client is gone, or it is cut.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why the gate ended it; none where its client left.</summary>
    public CutReason Reason => (CutReason)Volatile.Read(ref _reason);

    public void Dispose()
    {
        _all.Leave(this);
        _ended.Dispose();
    }

    internal void Cut(CutReason reason)
    {
        Interlocked.CompareExchange(ref _reason, (int)reason, (int)CutReason.None);
        try
        {
            _ended.Cancel();
        }
        catch (Exception fault) when (fault is ObjectDisposedException or AggregateException)
        {
            // It has just ended by itself, or something that heard of it failed: the others are cut all the same.
        }
    }
}
