using Tollgate.Engine.Verification;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Console.Operator;

/// <summary>
/// The meter of checks as it stood every ten seconds of the last half hour, so that a page can say how many there are now. It only reads.
/// </summary>
internal sealed class CheckPulse : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    public const int MinutesShown = 30;

    private const long MinuteMs = 60_000;

    /// <summary>A reading more than the spans between them.</summary>
    private const int ReadingsMax = (MinutesShown * 6) + 1;

    private static readonly VerdictCode[] Codes = Enum.GetValues<VerdictCode>();

    /// <summary>Who only looks at the steps of a decision asks for none.</summary>
    private static readonly CheckDoor[] Doors = [.. Enum.GetValues<CheckDoor>().Where(door => door != CheckDoor.Explain)];

    private readonly Gate _gate;
    private readonly TimeProvider _time;

    /// <summary>Guards the queue.</summary>
    private readonly Lock _lock = new();
    private readonly Queue<CheckReading> _readings = new(ReadingsMax);

    public CheckPulse(Gate gate, TimeProvider time)
    {
        (_gate, _time) = (gate, time);
        StartedMs = Read().AtMs;
        Note();
    }

    /// <summary>When the gate was started, and with it the provider file was read.</summary>
    public long StartedMs { get; }

    /// <summary>All checks since the start, by how they ended; those that never came up left out.</summary>
    public IReadOnlyList<(VerdictCode Code, long Count)> ByCode() =>
        [.. Codes.Select(code => (code, CountOf(code))).Where(one => one.Item2 > 0)];

    /// <summary>Keeps how the meter stands now.</summary>
    public void Note()
    {
        lock (_lock)
        {
            if (_readings.Count == ReadingsMax)
            {
                _readings.Dequeue();
            }

            _readings.Enqueue(Read());
        }
    }

    /// <summary>Checks a second over the last minute, or since the start where that was later; null before the first second.</summary>
    public double? PerSecond()
    {
        var now = Read();
        CheckReading then;
        lock (_lock)
        {
            then = _readings.FirstOrDefault(reading => reading.AtMs >= now.AtMs - MinuteMs) ?? now;
        }

        return now.AtMs - then.AtMs < 1_000 ? null : (now.All - then.All) * 1_000.0 / (now.AtMs - then.AtMs);
    }

    /// <summary>What passed and what was refused in each of the last minutes, the last one unfinished.</summary>
    public IReadOnlyList<(long AtMs, long Passed, long Refused)> Minutes()
    {
        var now = Read();
        var first = (now.AtMs / MinuteMs) - MinutesShown + 1;
        var minutes = Enumerable.Range(0, MinutesShown).Select(i => ((first + i) * MinuteMs, Passed: 0L, Refused: 0L)).ToArray();
        CheckReading[] readings;
        lock (_lock)
        {
            readings = [.. _readings, now];
        }

        foreach (var (before, after) in readings.Zip(readings.Skip(1)))
        {
            var i = (after.AtMs / MinuteMs) - first;
            if (i is >= 0 and < MinutesShown)
            {
                minutes[i].Passed += after.Passed - before.Passed;
                minutes[i].Refused += after.Refused - before.Refused;
            }
        }

        return minutes;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Note();
        }
    }

    private CheckReading Read()
    {
        var passed = CountOf(VerdictCode.Allowed);
        return new CheckReading(
            _time.GetUtcNow().ToUnixTimeMilliseconds(), passed, Codes.Where(code => code != VerdictCode.Allowed).Sum(CountOf));
    }

    private long CountOf(VerdictCode code) => Doors.Sum(door => _gate.Meter.Read(door, code));
}

/// <summary>How many checks there had been at a moment.</summary>
internal sealed record CheckReading(long AtMs, long Passed, long Refused)
{
    public long All => Passed + Refused;
}
