using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>
/// Says who makes a management call and holds the endpoint to its <see cref="AccessRow"/>, before anything else looks at the request. The
/// caller's key is taken from the one place keys are taken from and checked by the same gatekeeper as every other.
/// </summary>
internal sealed class CallerGate(Gate gate, RootKey root, ProviderModel provider)
{
    private const int RecentMax = 64;

    /// <summary>
    /// The last callers, by key number: an API server asks again and again. A place is read and replaced whole; it saves only reading the
    /// key's facts anew, never the check.
    /// </summary>
    private readonly RecentCaller?[] _recent = new RecentCaller?[RecentMax];

    /// <summary>
    /// What makes of a request without a key a person's, where it has the cookie of a session; its null says that it has none.
    /// </summary>
    public Func<HttpContext, RequestDelegate, Task?>? People { get; set; }

    /// <summary>Notes what the root key looks at, before it is shown; its null says that it may be. Set by Hosting.</summary>
    public Func<HttpContext, Task<Problem?>>? RootLooks { get; set; }

    /// <summary>The middleware; it waits only for a key that is not in memory yet, and for looks of the root key.</summary>
    public Task Invoke(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint() is not { } endpoint)
        {
            return next(http);
        }

        var row = endpoint.Metadata.GetMetadata<AccessRow>();
        // At a page nobody has a key: routing's own answer, such as a 405, is for everybody there.
        if (ReferenceEquals(row, AccessRow.Everybody) || (endpoint is not RouteEndpoint && ConsolePaths.IsAt(RequestPath.Of(http))))
        {
            return next(http);
        }

        if (http.Request.Headers.Authorization.Count == 0 && People?.Invoke(http, next) is { } person)
        {
            return person;
        }

        var identified = Identify(http);
        return identified.IsCompletedSuccessfully ? Admit(http, row, identified.Result, next) : Wait(http, row, identified, next);

        async Task Wait(HttpContext http, AccessRow? row, ValueTask<Outcome<Caller>> identified, RequestDelegate next) =>
            await Admit(http, row, await identified, next);
    }

    /// <summary>
    /// The caller, when its key is in memory and good and fulfils the endpoint's row; null says nothing about why not, and counts nothing:
    /// the long way will.
    /// </summary>
    public Caller? Known(HttpContext http, AccessRow row)
    {
        Span<byte> buffer = stackalloc byte[Credential.SecretBytesMax];
        if (Credential.Read(http.Request.Headers.Authorization, buffer, out var secret) is not null)
        {
            return null;
        }

        // A key in memory is no root key, and until the root key has been used asking for it costs more than the check.
        if (gate.TryHash(secret, out var hash)
            && gate.CheckCaller(hash, http.Connection.RemoteIpAddress) is { Code: VerdictCode.Allowed } verdict)
        {
            var caller = Recent(verdict);
            if (row.Refuse(caller) is not null)
            {
                return null;
            }

            gate.Meter.Count(CheckDoor.Caller, verdict.Code);
            return caller;
        }

        return root.Matches(secret) && gate.TrustsMemory && row.Refuse(Caller.Root) is null ? Caller.Root : null;
    }

    /// <summary>Who calls: the operator, or a key in good standing.</summary>
    public ValueTask<Outcome<Caller>> Identify(HttpContext http) => Identify(http, isCounted: true);

    private ValueTask<Outcome<Caller>> Identify(HttpContext http, bool isCounted)
    {
        Span<byte> buffer = stackalloc byte[Credential.SecretBytesMax];
        if (Credential.Read(http.Request.Headers.Authorization, buffer, out var secret) is { } fault)
        {
            return new(Problem.Of(fault));
        }

        if (root.Matches(secret))
        {
            // The root key is kept in memory too, and another process may have been started with another one.
            return new(gate.TrustsMemory ? Caller.Root : Problem.Of(ProblemCode.Unavailable));
        }

        var verdict = gate.CheckCaller(secret, http.Connection.RemoteIpAddress);
        return verdict.Code == VerdictCode.NotLoaded
            ? Settle(http, secret.ToArray(), verdict, isCounted)
            : new(CallerOf(verdict, isCounted));
    }

    /// <summary>From here on the rooms know who calls, and whoever changes something can ask once more when its turn has come.</summary>
    public void Establish(HttpContext http, Caller caller)
    {
        http.Features.Set(caller);
        http.Features.Set<CallerAgain>(Again);
    }

    private Task Admit(HttpContext http, AccessRow? row, in Outcome<Caller> identified, RequestDelegate next)
    {
        if (!identified.TryGet(out var caller, out var problem))
        {
            return new ProblemResult(problem).ExecuteAsync(http);
        }

        Establish(http, caller);
        if (row is null)
        {
            // Routing's own answers, such as a 405, carry no row, and a known caller gets to see them. An endpoint of ours without one
            // was forgotten: nobody but the operator passes.
            return http.GetEndpoint() is RouteEndpoint && !caller.IsRoot
                ? new ProblemResult(Problem.Of(ProblemCode.OperatorOnly)).ExecuteAsync(http)
                : next(http);
        }

        return row.Refuse(caller) is { } refusal ? new ProblemResult(refusal).ExecuteAsync(http)
            : caller.Kind == CallerKind.Root && HttpMethods.IsGet(http.Request.Method) && RootLooks is { } looks ? Look(http, looks, next)
            : next(http);
    }

    private static async Task Look(HttpContext http, Func<HttpContext, Task<Problem?>> looks, RequestDelegate next) =>
        await (await looks(http) is { } unnoted ? new ProblemResult(unnoted).ExecuteAsync(http) : next(http));

    /// <summary>The same request once more: it has been counted.</summary>
    private ValueTask<Outcome<Caller>> Again(HttpContext http) => Identify(http, isCounted: false);

    private async ValueTask<Outcome<Caller>> Settle(HttpContext http, byte[] secret, Verdict missing, bool isCounted)
    {
        var address = http.Connection.RemoteIpAddress;
        return CallerOf(await gate.Settle(missing, ClientNetwork.Of(address), () => gate.CheckCaller(secret, address)), isCounted);
    }

    private Outcome<Caller> CallerOf(in Verdict verdict, bool isCounted)
    {
        if (isCounted)
        {
            gate.Meter.Count(CheckDoor.Caller, verdict.Code);
        }

        return verdict.Code == VerdictCode.Allowed ? Recent(verdict) : Faults.Of(verdict);
    }

    private Caller Recent(in Verdict verdict)
    {
        var (key, project) = (verdict.Key, verdict.Project!);
        ref var place = ref _recent[key.KeyNo % RecentMax];
        if (place is { } recent && recent.IsOf(key, project))
        {
            return recent.Caller;
        }

        var caller = Describe(key, project);
        place = new RecentCaller(key.Version, project.Version, caller);
        return caller;
    }

    private Caller Describe(in KeyEntryView key, ProjectEntry project)
    {
        var facts = KeyFacts.Of(key);
        return new Caller
        {
            Kind = CallerKind.Key,
            Id = facts.Id,
            Name = facts.Name,
            Rights = key.Rights,
            KeyNo = key.KeyNo,
            ProjectNo = project.ProjectNo,
            ProjectId = project.ProjectId,
            OrganizationId = project.OrganizationId,
            OfOperator = project.OfOperator,
            Environment = provider.Keys.Environments[key.Environment].Name,
            SecretEndsAtMs = key.SecretEndsAtMs,
        };
    }

    /// <summary>A caller as one secret of one version of its key, in one state of its project, describes it.</summary>
    private sealed record RecentCaller(long Version, long ProjectVersion, Caller Caller)
    {
        public bool IsOf(in KeyEntryView key, ProjectEntry project) =>
            Caller.KeyNo == key.KeyNo && Caller.SecretEndsAtMs == key.SecretEndsAtMs && Version == key.Version
            && ProjectVersion == project.Version;
    }
}
