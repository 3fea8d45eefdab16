using System.Globalization;
using System.Security.Cryptography;
using Tollgate.Engine.Verification;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Journal;
using Tollgate.Server.Keys;
using Tollgate.Server.Mail;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Upstreams;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Console.Operator;

/// <summary>Whether the gate is well, in words, from the meters that the metrics are told from.</summary>
internal sealed class GateReport(
    Gate gate, CheckPulse pulse, UpstreamPool upstreams, UpstreamFeed feed, UpstreamFaults faults, Database database, KeyFeed keys,
    Fold fold, Spool spool, MailMeter mails, ProviderModel provider, OrganizationRegister register, PlanBook plans, GateProbe probe,
    TimeProvider time)
{
    /// <summary>A page about a gate in trouble does not wait for what is in trouble.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>A provider file is at most a mebibyte; a file that has grown beyond is another one, unread.</summary>
    private const int FileBytesMax = 1 << 20;

    public async Task<GateFacts> Make(CancellationToken cancel)
    {
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var fault = await Fault(cancel);
        var counts = await register.CountByPlan(cancel);
        var checks = pulse.ByCode();
        return new GateFacts
        {
            Status = fault is null ? new KeyStatus("ready", null, "good") : new KeyStatus("not ready", fault, "bad"),
            Figures = Figures(checks, nowMs),
            Checks = checks.Count == 0 ? null : Chart(),
            Causes = Causes(checks),
            Upstreams = [.. upstreams.States.Select(state => Line(state, nowMs))],
            Storage = StorageFacts(fault),
            Provider = ProviderFacts(nowMs),
            Warnings =
            [
                .. provider.Sources.Where(source => !IsAsRead(source)).Select(source =>
                    $"The file {Path.GetFileName(source.File)} is not as it was loaded. "
                    + "What it says now takes effect with the next start."),
                .. PlanPage.Gone(plans, counts),
                .. feed.Refused > 0
                    ? [$"The upstreams were read anew {Shown.Number(feed.Refused)} times and found wrong; the log says how."]
                    : Array.Empty<string>(),
                .. fold.Failures > 0
                    ? [$"Usage could not be booked {Shown.Number(fold.Failures)} times since the start, and was tried again."]
                    : Array.Empty<string>(),
            ],
        };
    }

    private async Task<string?> Fault(CancellationToken cancel)
    {
        try
        {
            return probe.Fault is { } ask ? await ask(cancel).WaitAsync(Patience, time, cancel) : null;
        }
        catch (TimeoutException)
        {
            return "the database does not answer";
        }
    }

    private IReadOnlyList<UsageFigure> Figures(IReadOnlyList<(VerdictCode Code, long Count)> checks, long nowMs)
    {
        var all = checks.Sum(one => one.Count);
        var refused = checks.Where(one => one.Code != VerdictCode.Allowed).Sum(one => one.Count);
        var speed = CheckSpeed.Measure(gate, provider);
        return
        [
            new UsageFigure("Checks a second", pulse.PerSecond() is { } rate ? Rate(rate) : "0", "over the last minute"),
            new UsageFigure("Checks", Shown.Number(all), $"since the start {Shown.Ago(pulse.StartedMs, nowMs)}"),
            new UsageFigure("Refused", Shown.Number(refused), Share(refused, all)),
            new UsageFigure(
                "A check takes", Length(speed.Half), $"p99 {Length(speed.Most)}, of {Shown.Number(CheckSpeed.Checks)} made just now"),
        ];
    }

    private ChartFacts Chart()
    {
        var minutes = pulse.Minutes();
        return new ChartFacts(
            $"Checks by minute (UTC), the last {CheckPulse.MinutesShown} minutes",
            [
                .. minutes.Select((minute, i) => new ChartBar(
                    DateTimeOffset.FromUnixTimeMilliseconds(minute.AtMs).ToString("HH:mm", CultureInfo.InvariantCulture), minute.Passed,
                    minute.Refused, $"{Shown.Number(minute.Passed)} passed, {Shown.Number(minute.Refused)} refused")
                {
                    IsOpen = i == minutes.Count - 1,
                }),
            ]);
    }

    private static IReadOnlyList<CauseLine> Causes(IReadOnlyList<(VerdictCode Code, long Count)> checks)
    {
        var refused = checks.Where(one => one.Code != VerdictCode.Allowed).OrderByDescending(one => one.Count).ToList();
        var all = refused.Sum(one => one.Count);
        return
        [
            .. refused.Select(one => new CauseLine(
                one.Code.ToText(), Faults.ReasonOf(one.Code), Shown.Number(one.Count), Share(one.Count, all),
                $"/docs/errors/{Faults.CodeOf(one.Code).Code}")),
        ];
    }

    private UpstreamLine Line(UpstreamState state, long nowMs)
    {
        var last = faults.Of(state.Name);
        var most = state.InFlightMax == int.MaxValue ? "" : $" of {Shown.Number(state.InFlightMax)}";
        return new UpstreamLine(
            state.Name == UpstreamPool.BuiltIn ? "built-in model" : state.Name,
            state.IsHealthy ? new KeyStatus("serving", null, "good") : new KeyStatus("resting", "it failed, or is down", "held"),
            Shown.Number(state.InFlight) + most, Shown.Number(state.Requests), Shown.Number(state.Failures), last?.Cause)
        {
            FaultAt = MomentFacts.Of(last?.AtMs, nowMs),
        };
    }

    private IReadOnlyList<OperatorFact> StorageFacts(string? fault) =>
    [
        new("Database", $"{(database.Kind == DatabaseKind.Sqlite ? "SQLite" : "PostgreSQL")}, {fault ?? "answers and makes changes last"}"),
        new("Commits", Times(database.Meter.Commits)),
        new("Reads of keys", Times(keys.Meter.Durations)),
        new(
            "Changes that wait",
            $"{Shown.Number(database.WriteQueueLength)} of {Shown.Number(database.WriteQueueMax)} for their turn to be written"),
        new(
            "Usage that waits",
            $"{Shown.Number(fold.Waiting)} of {Shown.Number(spool.Buffer.Capacity)} events, safe in the spool and yet to be booked"),
        new("Change feed", $"told up to number {Shown.Number(database.Changes.Seq)}"),
        new("Mails that wait", $"{Shown.Number(mails.Waiting)} of {Shown.Number(MailOutbox.WaitingMax)}"),
        new("Version", probe.Version) { IsCode = true },
    ];

    private IReadOnlyList<OperatorFact> ProviderFacts(long nowMs) =>
    [
        new("Company", provider.DisplayName),
        new("File", provider.Name) { IsCode = true },
        new("Loaded", "at the start") { Moment = MomentFacts.Of(pulse.StartedMs, nowMs) },
        .. provider.Sources.Select(source => new OperatorFact($"SHA-256 of {Path.GetFileName(source.File)}", source.Hash)
        {
            IsCode = true,
        }),
        new("Environments", Names(provider.Keys.Environments.Select(one => one.Name))),
        new("Types of keys", Names(provider.Keys.Types.Select(one => one.Name))),
        new("Scopes", Count(provider.Scopes.Scopes.Count, "scope")),
        new("Routes", Count(provider.Routes.Routes.Count, "route")),
        new("Models", provider.Models.Count == 0 ? "none named" : Names(provider.Models.Select(one => one.Id))),
        new("Limits", provider.Limits.Count == 0 ? "none" : Names(provider.Limits.Select(one => one.Name))),
        new("Plans", Names(provider.Plans.Select(one => one.Name))) { Href = $"{OperatorPages.Root}/plans" },
        new("Quotas", provider.Quotas.Count == 0 ? "none" : Names(provider.Quotas.Select(one => one.Name))),
        new("Wallet", provider.Wallet is { } wallet ? $"in {wallet.Currency}" : "none: requests are not paid for"),
        new("Teams", provider.Teams is null ? "none" : "yes"),
    ];

    /// <summary>Whether the file is still what was loaded. Where it cannot be read it is not.</summary>
    private static bool IsAsRead(ProviderSource source)
    {
        try
        {
            var file = new FileInfo(source.File);
            return file.Exists && file.Length <= FileBytesMax
                && Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(source.File))) == source.Hash;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names);

    private static string Count(int count, string what) => $"{Shown.Number(count)} {what}{(count == 1 ? "" : "s")}";

    private static string Share(long part, long all) => all == 0 ? "none yet"
        : (100.0 * part / all).ToString(part * 100 < all ? "0.##" : "0.#", CultureInfo.InvariantCulture) + " %";

    private static string Rate(double rate) => rate < 10 && rate > 0
        ? rate.ToString("0.##", CultureInfo.InvariantCulture)
        : Shown.Number((long)Math.Round(rate));

    private static string Length(TimeSpan span) => span.TotalMilliseconds < 1
        ? span.TotalMicroseconds.ToString("0.#", CultureInfo.InvariantCulture) + " µs"
        : span.TotalMilliseconds.ToString("0.#", CultureInfo.InvariantCulture) + " ms";

    /// <summary>Out of buckets, so as an upper bound.</summary>
    private static string Times(DurationHistogram histogram)
    {
        var sample = histogram.Read();
        var all = sample.Cumulative[^1];
        return all == 0 ? "none yet"
            : $"half of them in {Below(sample, all, 0.5)}, 99 of 100 in {Below(sample, all, 0.99)}; {Shown.Number(all)} since the start";
    }

    private static string Below(HistogramSample sample, long all, double share)
    {
        for (var i = 0; i < DurationHistogram.BoundsSeconds.Count; i++)
        {
            if (sample.Cumulative[i] >= all * share)
            {
                return Length(TimeSpan.FromSeconds(DurationHistogram.BoundsSeconds[i])) + " or less";
            }
        }

        return $"more than {DurationHistogram.BoundsSeconds[^1].ToString("0", CultureInfo.InvariantCulture)} s";
    }
}
