using System.Reflection;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Gateway.Relay;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Journal;
using Tollgate.Server.Keys;
using Tollgate.Server.Mail;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Upstreams;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Hosting;

/// <summary>
/// What a gate tells about itself. The rooms count where things happen; here each count gets its name and its help. The page
/// <c>docs/operating/telemetry.md</c> lists the same, which a test holds.
/// </summary>
internal sealed class GateMetrics(
    Gate gate,
    Gatekeeper gatekeeper,
    KeyTableOptions bounds,
    KeyFeed keys,
    Database database,
    Admission admission,
    Spool spool,
    Fold fold,
    ReservationSweep sweep,
    RequestMeter requests,
    UpstreamPool upstreams,
    UpstreamFeed upstreamFeed,
    OpenRequests open,
    BillClock bills,
    MailMeter mails,
    Readiness readiness,
    KeyRedaction redaction,
    CollectorLink collector,
    ProviderModel provider,
    GateOptions options,
    TimeProvider time)
{
    private readonly long _startedMs = time.GetUtcNow().ToUnixTimeMilliseconds();

    // Written at a scrape only.
    private long _unknownHits;

    public static string Version { get; } = typeof(GateMetrics).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public MetricSet All() =>
        new([.. Gateway(), .. Memory(), .. Stored(), .. Metered(), .. Relayed(), .. Mailed(), .. Itself(), .. ProcessMetrics.Families()]);

    private IEnumerable<MetricFamily> Gateway() =>
    [
        MetricFamily.Counter(
            "tollgate_checks_total", "Checks of keys, by where they were asked for and how they ended.",
            gate.Meter.Samples, "door", "code"),
        MetricFamily.Counter(
            "tollgate_http_requests_total", "HTTP requests answered, by what their path belongs to and by status.",
            requests.Samples, "class", "status"),
        MetricFamily.Counter(
            "tollgate_key_loads_total", "Reads of a key from the database, by how they ended.", keys.Meter.Samples, "outcome"),
        MetricFamily.Duration("tollgate_key_load_duration_seconds", "How long such a read took.", keys.Meter.Durations),
        MetricFamily.Counter(
            "tollgate_unknown_key_hits_total", "Checks of unknown keys answered from memory, without a read of their own.", UnknownHits),
    ];

    private IEnumerable<MetricFamily> Memory() =>
    [
        MetricFamily.Gauge("tollgate_keys_in_memory", "Secrets in the key table.", () => gatekeeper.Keys.Count),
        MetricFamily.Gauge("tollgate_keys_in_memory_max", "Secrets it holds before it lets unused ones go.", () => bounds.KeysMax),
        MetricFamily.Gauge(
            "tollgate_key_facts_bytes", "What is kept beside the table for the keys in it.", () => gatekeeper.Keys.FactsBytes),
        MetricFamily.Gauge("tollgate_key_facts_bytes_max", "The most that may take.", () => bounds.FactsBytesMax),
        MetricFamily.Counter(
            "tollgate_key_evictions_total", "Keys that left the table for want of room.", () => gatekeeper.Keys.Evicted),
        MetricFamily.Gauge("tollgate_projects_in_memory", "Projects in memory.", () => gatekeeper.Projects.Count),
        MetricFamily.Gauge(
            "tollgate_projects_in_memory_max", "The most there can be before all are let go.", () => ProjectTable.ProjectsMaxDefault),
    ];

    private IEnumerable<MetricFamily> Stored() =>
    [
        MetricFamily.Counter(
            "tollgate_database_writes_total", "Transactions that write, by how they ended.", database.Meter.Samples, "outcome"),
        MetricFamily.Gauge(
            "tollgate_database_write_queue_length", "Changes that wait for their turn to write.", () => database.WriteQueueLength),
        MetricFamily.Gauge(
            "tollgate_database_write_queue_length_max", "From here on changes are turned away.", () => database.WriteQueueMax),
        MetricFamily.Duration(
            "tollgate_database_write_duration_seconds", "How long a transaction that writes took, from its turn on.",
            database.Meter.Durations),
        MetricFamily.Duration(
            "tollgate_database_commit_duration_seconds", "How long its commit took.", database.Meter.Commits),
    ];

    private IEnumerable<MetricFamily> Metered() =>
    [
        MetricFamily.Gauge(
            "tollgate_usage_events_waiting", "Events of requests that are in the spool and not yet in the database.", () => fold.Waiting),
        MetricFamily.Gauge(
            "tollgate_usage_events_waiting_max", "So many the spool holds; requests that cannot be noted are turned away.",
            () => spool.Buffer.Capacity),
        MetricFamily.Counter(
            "tollgate_usage_events_folded_total", "Events that were taken from the spool into the database.", () => fold.Total),
        MetricFamily.Counter(
            "tollgate_usage_folds_total", "Transactions that took events in, among all writes.", () => fold.Writes),
        MetricFamily.Counter(
            "tollgate_usage_seals_total", "Transactions that made events safe before they were taken in.", () => fold.Sealings),
        MetricFamily.Counter(
            "tollgate_usage_fold_failures_total", "Attempts at that which failed; the events are tried again.", () => fold.Failures),
        MetricFamily.Counter(
            "tollgate_refusals_unlogged_total", "Refusals that were not noted, because half of the spool was taken.",
            () => admission.Unlogged),
        MetricFamily.Gauge(
            "tollgate_reservations_open", "Requests that were admitted and are yet to be settled.", () => admission.Reservations.Count),
        MetricFamily.Gauge(
            "tollgate_reservations_open_max", "The most there can be.", () => ReservationTable.ReservationsMaxDefault),
        MetricFamily.Counter(
            "tollgate_reservations_orphaned_total", "Requests that nobody settled in time, settled by the gate.", () => sweep.Settled),
        MetricFamily.Gauge("tollgate_limits_active", "Limits of keys that count something.", () => admission.Limits.Count),
        MetricFamily.Gauge("tollgate_limits_active_max", "The most there can be.", () => options.ActiveLimitsMax),
    ];

    private IEnumerable<MetricFamily> Relayed() =>
    [
        MetricFamily.Gauge("tollgate_relay_requests_open", "Requests on their way to an upstream or back.", () => open.Count),
        Gauge(
            "tollgate_upstream_healthy", "1 while an upstream is asked, 0 while it rests or is down.", state => state.IsHealthy ? 1 : 0),
        Gauge("tollgate_upstream_requests_open", "Requests under way there.", state => state.InFlight),
        Gauge("tollgate_upstream_requests_open_max", "As many as it may have.", state => state.InFlightMax),
        MetricFamily.Counter(
            "tollgate_upstream_requests_total", "Requests sent there.",
            () => upstreams.States.Select(state => new MetricSample(state.Requests, ("upstream", state.Name))), "upstream"),
        MetricFamily.Counter(
            "tollgate_upstream_failures_total", "Of those, the ones that failed, by how.", UpstreamFailures, "upstream", "cause"),
        MetricFamily.Counter(
            "tollgate_upstream_retries_total", "Times another upstream was asked because one had failed.", () => upstreams.Retries),
        MetricFamily.Counter(
            "tollgate_upstream_reloads_total", "Times the upstreams were read anew, by how that ended.",
            () => [Sample("outcome", "taken", upstreamFeed.Taken), Sample("outcome", "refused", upstreamFeed.Refused)], "outcome"),
        MetricFamily.Counter(
            "tollgate_relay_bills_total", "Requests that ended, by where their tokens came from.",
            () =>
            [
                Sample("tokens", "told", bills.Meter.Told), Sample("tokens", "estimated", bills.Meter.Estimated),
                Sample("tokens", "none", bills.Meter.None),
            ],
            "tokens"),
    ];

    private MetricFamily Gauge(string name, string help, Func<UpstreamState, double> read) => new(name, MetricKind.Gauge, help)
    {
        Labels = ["upstream"],
        Read = () => upstreams.States.Select(state => new MetricSample(read(state), ("upstream", state.Name))),
    };

    private IEnumerable<MetricSample> UpstreamFailures() => upstreams.Upstreams.SelectMany(upstream =>
        Enum.GetValues<UpstreamFailure>().Select(failure => new MetricSample(
            upstream.Meter.Read(failure), ("upstream", upstream.Config.Name), ("cause", NameOf(failure)))));

    private static string NameOf(UpstreamFailure failure) => failure switch
    {
        UpstreamFailure.Unreachable => "unreachable",
        UpstreamFailure.TimedOut => "timed_out",
        UpstreamFailure.Garbled => "garbled",
        UpstreamFailure.Unauthorized => "unauthorized",
        UpstreamFailure.Status => "status",
        _ => "broken",
    };

    private static MetricSample Sample(string label, string value, double count) => new(count, (label, value));

    private IEnumerable<MetricFamily> Mailed() =>
    [
        MetricFamily.Counter("tollgate_mails_total", "Mails, by what became of an attempt to send them.", mails.Samples, "outcome"),
        MetricFamily.Gauge("tollgate_mails_waiting", "Mails that are to be sent.", () => mails.Waiting),
        MetricFamily.Gauge("tollgate_mails_waiting_max", "The most there can be.", () => MailOutbox.WaitingMax),
        MetricFamily.Gauge(
            "tollgate_mails_oldest_seconds", "How long the oldest of them has waited.",
            () => mails.OldestSeconds(time.GetUtcNow().ToUnixTimeMilliseconds())),
    ];

    private IEnumerable<MetricFamily> Itself() =>
    [
        MetricFamily.Gauge("tollgate_ready", "1 when the gate is ready, as at /readyz, else 0.", () => readiness.LastAnswer() ? 1 : 0),
        MetricFamily.Counter(
            "tollgate_log_redactions_total", "Keys taken out of the log before it was written.", () => redaction.Count),
        MetricFamily.Counter(
            "tollgate_otlp_exports_total", "Exports to the OpenTelemetry collector, by how they ended.", collector.Samples, "outcome"),
        MetricFamily.Gauge("tollgate_uptime_seconds", "Time since the gate was started.", UptimeSeconds),
        new MetricFamily("tollgate_build_info", MetricKind.Gauge, "Always 1; what runs is in the labels.")
        {
            Labels = ["version", "provider", "database"],
            Read = () => [new MetricSample(
                1, ("version", Version), ("provider", provider.Name), ("database", database.Kind.ToString().ToLowerInvariant()))],
        },
    ];

    private double UptimeSeconds() => (time.GetUtcNow().ToUnixTimeMilliseconds() - _startedMs) / 1_000.0;

    /// <summary>
    /// Every check that ended so, less those that had to read. A read that has ended before its check was counted would make the
    /// difference fall for a moment, and a counter may not fall.
    /// </summary>
    private double UnknownHits()
    {
        var reads = keys.Meter.Unknown;
        var hits = Enum.GetValues<CheckDoor>().Sum(door => gate.Meter.Read(door, VerdictCode.KeyUnknown)) - reads;
        var before = Volatile.Read(ref _unknownHits);
        while (hits > before)
        {
            var seen = Interlocked.CompareExchange(ref _unknownHits, hits, before);
            if (seen == before)
            {
                return hits;
            }

            before = seen;
        }

        return before;
    }
}
