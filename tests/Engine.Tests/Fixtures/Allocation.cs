namespace Tollgate.Engine.Tests.Fixtures;

/// <summary>What this thread allocates.</summary>
internal static class Allocation
{
    private const int Rounds = 10;

    /// <summary>
    /// The least of ten rounds: a collection that another test causes meanwhile counts the rest of this thread's allocation buffer as
    /// used, up to eight kilobytes. What a round itself allocates shows in every one.
    /// </summary>
    public static long LeastOf(Action round)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
