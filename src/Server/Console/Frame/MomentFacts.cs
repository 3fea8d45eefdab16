namespace Tollgate.Server.Console.Frame;

/// <summary>A moment as people read it: how far from now, and exactly.</summary>
public sealed record MomentFacts(string Ago, string Exact, string Iso)
{
    internal static MomentFacts? Of(long? ms, long nowMs) =>
        ms is { } there ? new MomentFacts(Shown.Ago(there, nowMs), Shown.Exact(there), Shown.Iso(there)) : null;
}
