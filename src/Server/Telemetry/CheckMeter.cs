using System.Diagnostics;
using Tollgate.Engine.Verification;

namespace Tollgate.Server.Telemetry;

/// <summary>Where a check was asked for.</summary>
internal enum CheckDoor
{
    /// <summary>An API server, by <c>/api/v1/verify</c> or its batch.</summary>
    Verify,

    /// <summary>Somebody who wants to see the steps, by <c>/api/v1/verify/explain</c>.</summary>
    Explain,

    /// <summary>A proxy, by <c>/api/v1/authorize</c>.</summary>
    Authorize,

    /// <summary>A customer, on a path of the provider.</summary>
    Provider,

    /// <summary>The key that a management call comes with.</summary>
    Caller,
}

/// <summary>
/// How checks ended, by door and verdict. Counted where the verdict is final: a key that had to be loaded first counts once.
/// </summary>
internal sealed class CheckMeter
{
    private static readonly VerdictCode[] Codes = Enum.GetValues<VerdictCode>();
    private static readonly CheckDoor[] Doors = Enum.GetValues<CheckDoor>();
    private static readonly string[] DoorTexts = [.. Doors.Select(door => door.ToString().ToLowerInvariant())];
    private static readonly string[] Tags = [.. DoorTexts.Select(door => $"tollgate.{door}.code")];

    private readonly StripedCounts _counts = new(Doors.Length * Codes.Length);

    public void Count(CheckDoor door, VerdictCode code)
    {
        _counts.Increment(((int)door * Codes.Length) + (int)code);
        if (Traces.Source.HasListeners())
        {
            Activity.Current?.SetTag(Tags[(int)door], code.ToText());
        }
    }

    public long Read(CheckDoor door, VerdictCode code) => _counts.Read(((int)door * Codes.Length) + (int)code);

    /// <summary>Every door and code, those that never came up as well: a rate needs the zero before the first.</summary>
    public IEnumerable<MetricSample> Samples() =>
        from door in Doors
        from code in Codes
        select new MetricSample(Read(door, code), ("door", DoorTexts[(int)door]), ("code", code.ToText()));
}
