namespace Tollgate.Server.Surfaces;

/// <summary>
/// What the bodies that are held hold together, from <see cref="CountedFrom"/> bytes on: smaller ones are bounded by how many connections
/// there can be, and most are smaller.
/// </summary>
internal sealed class BodyBudget(long bytesMax)
{
    public const long BytesMaxUsual = 512L << 20;

    public const long CountedFrom = 65_536;

    private long _held;

    public long Held => Volatile.Read(ref _held);

    /// <summary>Lets a body grow; false, and nothing is taken, where all of them would hold too much.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= bytesMax)
        {
            return true;
        }

        Give(bytes);
        return false;
    }

    public void Give(long bytes) => Interlocked.Add(ref _held, -bytes);
}

/// <summary>One body's part of it, given back when its request has ended.</summary>
internal sealed class HeldBody(BodyBudget budget) : IDisposable
{
    private long _bytes;

    /// <summary>Whether there is room for a body that has grown to so many bytes.</summary>
    public bool TryGrow(long bytes)
    {
        if (!budget.TryTake(bytes - _bytes))
        {
            return false;
        }

        _bytes = bytes;
        return true;
    }

    public void Dispose() => budget.Give(Interlocked.Exchange(ref _bytes, 0));
}
