using System.Net;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Server.Journal;
using Tollgate.Server.Keys;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Verification;

/// <summary>
/// The gatekeeper with a memory to load: every door of the server checks through it. A check that answers
/// <see cref="VerdictCode.NotLoaded"/> is loaded once and repeated; nothing else on the path waits.
/// </summary>
internal sealed class Gate(Gatekeeper gatekeeper, KeyFeed feed, Database database, WindowClock clock, TimeProvider time)
{
    /// <summary>
    /// A key that is evicted between its load and the check again is loaded anew this often; then the table is too small.
    /// </summary>
    private const int LoadsMax = 3;

    public CheckMeter Meter { get; } = new();

    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Of the clock that never goes back, which the windows of limits run on.</summary>
    public long ClockMs => clock.NowMs;

    /// <summary>Whether anything may be answered from memory; see <see cref="Database.TrustsMemory"/>.</summary>
    public bool TrustsMemory => database.TrustsMemory;

    public Verdict Check(in CheckRequest request) =>
        database.TrustsMemory ? Believed(gatekeeper.Check(request), request) : Believed(gatekeeper.Check(Untaking(request)), request);

    /// <summary>The check in two halves: see <see cref="Gatekeeper.TryHash"/>.</summary>
    public bool TryHash(ReadOnlySpan<byte> secret, out KeyHash hash) => gatekeeper.TryHash(secret, out hash);

    /// <summary>Asks memory for the place of a key that will be checked soon.</summary>
    public void Prefetch(in KeyHash hash) => gatekeeper.Keys.Prefetch(hash);

    public Verdict Check(in CheckRequest request, in KeyHash hash) =>
        database.TrustsMemory ? Believed(gatekeeper.Check(request, hash), request)
            : Believed(gatekeeper.Check(Untaking(request), hash), request);

    /// <summary>Is this a good key at all, for a caller of our own API?</summary>
    public Verdict CheckCaller(ReadOnlySpan<byte> secret, IPAddress? address) =>
        Check(new CheckRequest { Secret = secret, Address = address, NowMs = NowMs });

    public Verdict CheckCaller(in KeyHash hash, IPAddress? address) =>
        Check(new CheckRequest { Address = address, NowMs = NowMs }, hash);

    /// <summary>
    /// Brings into memory what a <see cref="VerdictCode.NotLoaded"/> verdict lacked and checks again, until there is an answer or no more
    /// to be had: then it stays not loaded, or says that the network has asked for too many unknown keys.
    /// </summary>
    /// <param name="verdict">Any other verdict comes back as it is.</param>
    /// <param name="from">Whose unknown key it is, if it is one.</param>
    /// <param name="again">The same check.</param>
    public async ValueTask<Verdict> Settle(Verdict verdict, ClientNetwork from, Func<Verdict> again)
    {
        for (var loads = 0; loads < LoadsMax && verdict.Code == VerdictCode.NotLoaded; loads++)
        {
            var load = await feed.Load(verdict.Hash, from);
            if (!load.IsDone)
            {
                return load.RetryAfterSeconds > 0 ? verdict.NotLookedUp(load.RetryAfterSeconds) : verdict;
            }

            verdict = again();
        }

        return verdict;
    }

    /// <summary>
    /// What memory says counts while its lease runs, looked at after the decision, so that a process that was frozen in between notices.
    /// That a key is unknown counts only while the database is ours: somebody else may have made it since, and a good key is not told
    /// that it is none. A secret without the shape of a key is none whatever the database says.
    /// </summary>
    private Verdict Believed(in Verdict verdict, in CheckRequest request)
    {
        if (verdict.Code <= VerdictCode.KeyMalformed
            || (database.TrustsMemory && (verdict.Code != VerdictCode.KeyUnknown || database.OwnsLock)))
        {
            return verdict;
        }

        if (request.Taking is not (Taking.Take or Taking.Ask))
        {
            return verdict.Unproven();
        }

        // The trust ended between the taking and here. Nobody will hear of a reservation, and nothing is taken or noted twice under one
        // number: the request is not made.
        if (verdict.IsAllowed && request.Taking == Taking.Take && request.Reserves)
        {
            gatekeeper.Admission.Settle(
                request.RequestNo, new Settlement { AtMs = request.NowMs, ClockMs = request.ClockMs }, out _);
        }

        return verdict.Withdrawn();
    }

    /// <summary>What will not be believed takes nothing.</summary>
    private static CheckRequest Untaking(in CheckRequest request) =>
        request.Taking == Taking.Take ? request with { Taking = Taking.Look } : request;
}
