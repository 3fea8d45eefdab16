using System.Diagnostics;
using System.Text;
using Tollgate.Engine.Verification;
using Tollgate.Server.Providers;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Console.Operator;

/// <summary>
/// How long a check takes on this machine now. Timing each request's check would cost more than the check, so the page makes a few of its
/// own: of a key that nobody has, from its shape to its place in memory. They take from nothing, are in no meter and read no database.
/// </summary>
internal readonly record struct CheckSpeed(TimeSpan Half, TimeSpan Most)
{
    public const int Checks = 2_000;

    private const int ChecksBefore = 200;

    public static CheckSpeed Measure(Gate gate, ProviderModel provider)
    {
        var secret = Encoding.ASCII.GetBytes(provider.Keys.Format.Mint(0));
        var ticks = new long[Checks];
        for (var i = -ChecksBefore; i < Checks; i++)
        {
            var began = Stopwatch.GetTimestamp();
            gate.Check(new CheckRequest { Secret = secret, NowMs = gate.NowMs });
            ticks[Math.Max(i, 0)] = Stopwatch.GetTimestamp() - began;
        }

        Array.Sort(ticks);
        return new CheckSpeed(Stopwatch.GetElapsedTime(0, ticks[Checks / 2]), Stopwatch.GetElapsedTime(0, ticks[Checks * 99 / 100]));
    }
}
