namespace Tollgate.Gateway.Relay;

/// <summary>Counts bills by where their tokens came from.</summary>
internal sealed class BillMeter
{
    private long _told;
    private long _estimated;
    private long _none;

    /// <summary>By what the upstream told.</summary>
    public long Told => Interlocked.Read(ref _told);

    /// <summary>By what had passed, because it told nothing, or the request did not come to its end.</summary>
    public long Estimated => Interlocked.Read(ref _estimated);

    /// <summary>Of requests without tokens.</summary>
    public long None => Interlocked.Read(ref _none);

    public void Count(bool isEstimated, bool isNothing)
    {
        if (isNothing)
        {
            Interlocked.Increment(ref _none);
        }
        else if (isEstimated)
        {
            Interlocked.Increment(ref _estimated);
        }
        else
        {
            Interlocked.Increment(ref _told);
        }
    }
}
