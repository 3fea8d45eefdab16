using System.Buffers;
using System.Globalization;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Gateway.Metering;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Quotas;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Usage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// Every path that is not Tollgate's own: the provider's key management first, then its routes. Who may pass is the gatekeeper's to say;
/// what is refused is worded as the provider words it.
/// </summary>
internal sealed class ProviderFront(
    ProviderModel provider, Gate gate, RootKey root, KeySurface surface, QuotaKeeper quotas, CallPricer pricer, ModelNames models,
    ModelList list, RelayDoor relay, RelayOptions options, BodyBudget budget, TimeProvider time)
{
    private static readonly Problem Uncounted = new(
        ProblemCode.RouteUnknown, "Requests are paid for here, and what a model does for this call cannot be counted yet.");

    /// <summary>From here on, problems of this request are told in the provider's dialect.</summary>
    public void SpeakDialect(HttpContext http) => http.Features.Set<ProblemWording>(Word);

    public Task Handle(HttpContext http)
    {
        var path = RequestPath.Of(http);
        var found = provider.Surface.Match(http.Request.Method, path, out var place, out var id);
        if (place is not null)
        {
            return surface.Handle(http, place, id);
        }

        var match = provider.Routes.Match(http.Request.Method, path);
        return match.Kind == RouteMatchKind.Found ? Pass(http, path, match)
            : Refuse(http, NoRoute(http, found == RouteMatchKind.MethodNotAllowed ? found : match.Kind, path));
    }

    /// <summary>What is told of a path that no route takes with its method; a 405 names in a header those it is taken with.</summary>
    public Problem NoRoute(HttpContext http, RouteMatchKind kind, string path)
    {
        if (kind != RouteMatchKind.MethodNotAllowed)
        {
            return Problem.Of(HasEncodedSlash(path) ? ProblemCode.PathRefused : ProblemCode.RouteUnknown);
        }

        http.Response.Headers.Allow = string.Join(", ", MethodNames.All.Where(method =>
            provider.Surface.Match(method, path, out _, out _) == RouteMatchKind.Found
            || provider.Routes.Match(method, path).Kind == RouteMatchKind.Found));
        return Problem.Of(ProblemCode.MethodNotAllowed);
    }

    /// <summary>Taken inside a model's id only; anywhere else no route matches it.</summary>
    private static bool HasEncodedSlash(string path) => path.Contains("%2F", StringComparison.OrdinalIgnoreCase);

    /// <summary>Nothing here waits where memory knows the key and the body has come: most requests make no state to wait with.</summary>
    private Task Pass(HttpContext http, string path, RouteMatch match)
    {
        var authorization = http.Request.Headers.Authorization;
        var buffer = new byte[Math.Min(Credential.SecretBytesMax, authorization.ToString().Length)];
        if (Credential.Read(authorization, buffer, out var secret) is { } fault)
        {
            return Refuse(http, Problem.Of(fault));
        }

        var call = new RouteCall(
            path, match, buffer.AsMemory(0, secret.Length), ModelPaths.KindOf(http.Request.Method, path), RelayDoor.HasBody(http));
        if (provider.Wallet is not null && ModelPaths.IsUncounted(http.Request.Method, path))
        {
            return Refuse(http, Uncounted);
        }

        var step = provider.QuotaRoutes.Find(http.Request.Method, path);
        // What the body or a quota decides is asked first: only the last check takes.
        var taking = call.MayNeedBody ? Taking.Look : TakingOf(step);
        var verdict = Check(http, call, new KnownBody { NamesModel = call.HasBody }, taking);
        // Asked only when memory knows no good key: until the root key has been used, asking costs more than the check.
        if (verdict.Code == VerdictCode.Allowed || !root.Matches(call.Secret.Span))
        {
            return verdict.Code == VerdictCode.NotLoaded
                ? PassUnknown(http, call, verdict, taking, step)
                : Pass(http, call, verdict, taking, step);
        }

        // The root key is kept in memory too, and another process may have been started with another one.
        return gate.TrustsMemory ? relay.Pass(http, path) : Refuse(http, Problem.Of(ProblemCode.Unavailable));
    }

    private async Task PassUnknown(HttpContext http, RouteCall call, Verdict missing, Taking taking, QuotaStep? step)
    {
        var verdict = await Settle(http, call, new KnownBody { NamesModel = call.HasBody }, taking, missing);
        await Pass(http, call, verdict, taking, step);
    }

    private Task Pass(HttpContext http, in RouteCall call, in Verdict verdict, Taking taken, QuotaStep? step)
    {
        if (!NeedsBody(http, call, verdict))
        {
            return Pass(http, call, new KnownBody { NamesModel = call.HasBody }, verdict, taken, step);
        }

        var reading = Understand(http, call, verdict.Code);
        return reading.IsCompletedSuccessfully
            ? Pass(http, call, reading.Result, verdict, taken, step)
            : Await(http, call, reading, verdict, taken, step);

        async Task Await(
            HttpContext http, RouteCall call, ValueTask<Outcome<KnownBody>> reading, Verdict verdict, Taking taken, QuotaStep? step) =>
            await Pass(http, call, await reading, verdict, taken, step);
    }

    private Task Pass(
        HttpContext http, in RouteCall call, Outcome<KnownBody> understood, in Verdict seen, Taking taken, QuotaStep? step)
    {
        if (!understood.TryGet(out var body, out var problem))
        {
            return Refuse(http, problem);
        }

        // The key may have changed while its body came in, so everything is decided anew; of one that is not known there is nothing more.
        if (taken != Taking.Look || seen.Key.KeyNo == 0)
        {
            return Pass(http, call, body, seen, step);
        }

        var verdict = Check(http, call, body, TakingOf(step), seen.Hash);
        return verdict.Code == VerdictCode.NotLoaded
            ? Await(http, call, body, verdict, step)
            : Pass(http, call, body, verdict, step);

        async Task Await(HttpContext http, RouteCall call, KnownBody body, Verdict missing, QuotaStep? step) =>
            await Pass(http, call, body, await Settle(http, call, body, TakingOf(step), missing), step);
    }

    private Task Pass(HttpContext http, in RouteCall call, in KnownBody body, in Verdict verdict, QuotaStep? step)
    {
        if (verdict.Code == VerdictCode.Allowed && step is { Makes: true } makes)
        {
            return PassCounted(http, call, body, verdict.Project!, makes);
        }

        Tell(http, verdict);
        return verdict.Code != VerdictCode.Allowed ? Refuse(http, Refusal(verdict, call.Match))
            : step is { } deletes ? RelayCounted(
                http, call, body, verdict, new CountedRequest(quotas, verdict.Project!.OrganizationNo, deletes))
            : list.Pass(http, call, body, verdict, gate.NowMs);
    }

    /// <summary>What a quota has to allow is asked here and taken after it.</summary>
    private static Taking TakingOf(QuotaStep? step) => step is { Makes: true } ? Taking.Ask : Taking.Take;

    /// <summary>
    /// The place in the quota is taken ahead of the check that takes from limits and wallet, and given back where that refuses: so what one
    /// of them refuses has taken nothing of the others. The key may have changed while the database was asked, too.
    /// </summary>
    private async Task PassCounted(HttpContext http, RouteCall call, KnownBody body, ProjectEntry owner, QuotaStep step)
    {
        if (await quotas.TryTake(owner.OrganizationNo, owner.Plan, step.Quota, http.RequestAborted) is { } full)
        {
            await Refuse(http, full);
            return;
        }

        var counted = new CountedRequest(quotas, owner.OrganizationNo, step);
        Verdict verdict;
        try
        {
            verdict = await Decide(http, call, body, Taking.Take);
        }
        catch
        {
            await counted.Ended(isSuccess: false);
            throw;
        }

        Tell(http, verdict);
        if (verdict.Code != VerdictCode.Allowed)
        {
            await counted.Ended(isSuccess: false);
            await Refuse(http, Refusal(verdict, call.Match));
            return;
        }

        await RelayCounted(http, call, body, verdict, counted);
    }

    private async Task RelayCounted(HttpContext http, RouteCall call, KnownBody body, Verdict verdict, CountedRequest counted)
    {
        try
        {
            // Counted before the client hears of it, or its next request could meet the count of before.
            http.Response.OnStarting(() => counted.Ended(http.Response.StatusCode));
            await relay.Pass(http, call, body, verdict, gate.NowMs);
            if (!http.Response.HasStarted)
            {
                // It was broken off before its answer: nobody knows whether anything was made.
                await counted.Ended(isSuccess: false);
            }
        }
        catch
        {
            await counted.Ended(isSuccess: false);
            throw;
        }
    }

    /// <summary>
    /// Whether what is in the body decides: of every call to a model; else for a key that a condition, or a list of models, lets pass only
    /// so. What cannot be read as JSON names no model that anybody could see.
    /// </summary>
    private static bool NeedsBody(HttpContext http, RouteCall call, in Verdict seen) => seen.Code switch
    {
        VerdictCode.Allowed => call.Kind is not null,
        VerdictCode.BodyCondition => true,
        VerdictCode.ModelRefused => call.Kind is not null || http.Request.HasJsonContentType(),
        _ => false,
    };

    /// <summary>The body as far as it decides: the condition of the route, the model, and what a call to it may use.</summary>
    private async ValueTask<Outcome<KnownBody>> Understand(HttpContext http, RouteCall call, VerdictCode seen)
    {
        if (!(await CallBody.Read(http, options.BodyBytesMax, budget)).TryGet(out var bytes, out var full))
        {
            return full;
        }

        var body = new KnownBody { Bytes = bytes };
        if (seen == VerdictCode.BodyCondition || call.Kind is null)
        {
            if (!CallBody.Look(provider.ConditionOf(call.Match.Requirement), bytes).TryGet(out var looked, out var unread))
            {
                return unread;
            }

            body = body with
            {
                IsConditionMet = looked.IsConditionMet,
                NamesModel = looked.NamesModel,
                Model = looked.Model is { } name && models.TryFind(name, out var number) ? number : ModelNames.None,
            };
        }

        if (call.Kind is not { } kind)
        {
            return body;
        }

        if (!ModelCall.TryRead(kind, bytes, out var model, out var fault))
        {
            // Whom the condition keeps out learns of that, and not what else is wrong.
            return body.IsConditionMet == false ? body with { NamesModel = true } : ProblemOf(fault);
        }

        return (await pricer.Price(model)).TryGet(out var terms, out var problem)
            ? body with { Call = model, Terms = terms, NamesModel = true, Model = terms.Use.Model }
            : problem;
    }

    private static Problem ProblemOf(in CallFault fault) => fault.Kind == CallFaultKind.NotJson
        ? new Problem(ProblemCode.InvalidJson, fault.Text)
        : Problem.Invalid(fault.Pointer, fault.Text);

    private void Tell(HttpContext http, in Verdict verdict)
    {
        gate.Meter.Count(CheckDoor.Provider, verdict.Code);
        provider.RateHeaders.Write(http.Response.Headers, verdict, gate.NowMs);
    }

    private ValueTask<Verdict> Decide(HttpContext http, RouteCall call, KnownBody body, Taking taking)
    {
        var verdict = Check(http, call, body, taking);
        return verdict.Code == VerdictCode.NotLoaded ? Settle(http, call, body, taking, verdict) : new(verdict);
    }

    private ValueTask<Verdict> Settle(HttpContext http, RouteCall call, KnownBody body, Taking taking, Verdict missing) =>
        gate.Settle(missing, ClientNetwork.Of(http.Connection.RemoteIpAddress), () => Check(http, call, body, taking));

    /// <param name="http">The request.</param>
    /// <param name="call">What it asks for.</param>
    /// <param name="body">What is known of its body.</param>
    /// <param name="taking">Whether it takes.</param>
    /// <param name="hash">Of its secret, where that was made before.</param>
    private Verdict Check(HttpContext http, RouteCall call, in KnownBody body, Taking taking, KeyHash? hash = null)
    {
        var use = body.Terms.Use;
        var request = new CheckRequest
        {
            Secret = call.Secret.Span,
            Requirement = call.Match.Requirement,
            Address = http.Connection.RemoteIpAddress,
            IsConditionMet = body.IsConditionMet,
            NowMs = gate.NowMs,
            ClockMs = gate.ClockMs,
            Taking = taking,
            RequestNo = RequestId.NumberOf(http),
            // Every request is settled when it has ended: with its tokens, its status, and how long it took.
            Reserves = taking == Taking.Take,
            Model = body.Model,
            NamesModel = body.NamesModel,
            PriceVersion = use.PriceVersion,
            InputTokens = use.InputTokens,
            OutputTokens = use.OutputTokens,
            Hold = use.Hold,
        };
        return (call.Match.Project.IsAbsent, call.Match.Organization.IsAbsent) switch
        {
            (true, true) => Ask(request),
            (false, true) => Ask(request with { ProjectId = call.Id(call.Match.Project) }),
            (true, false) => Ask(request with { OrganizationId = call.Id(call.Match.Organization) }),
            _ => Ask(request with { ProjectId = call.Id(call.Match.Project), OrganizationId = call.Id(call.Match.Organization) }),
        };

        Verdict Ask(in CheckRequest asked) => hash is { } known ? gate.Check(asked, known) : gate.Check(asked);
    }

    private Problem Refusal(in Verdict verdict, RouteMatch match) => provider.RateHeaders.Tell(Faults.Of(verdict), verdict) with
    {
        RequiredPermission = Faults.TellsPermission(verdict.Code) ? provider.Scopes.Describe(match.Requirement) : null,
    };

    private static Task Refuse(HttpContext http, Problem problem) => new ProblemResult(problem).ExecuteAsync(http);

    /// <summary>Tells a problem in the provider's dialect.</summary>
    public async Task Word(HttpContext http, Problem problem)
    {
        var body = new ArrayBufferWriter<byte>(256);
        var status = provider.Dialect.Write(body, problem, http.TraceIdentifier, time.GetUtcNow());
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.WrittenCount;
        response.Headers.CacheControl = "no-store";
        provider.Dialect.WriteHeaders(response.Headers, problem.Code);
        if (status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (problem.ForbidsRetry)
        {
            response.Headers[ProblemResult.ShouldRetryHeader] = "false";
        }

        if (problem.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await response.Body.WriteAsync(body.WrittenMemory, http.RequestAborted);
    }
}

/// <summary>A request to a route, with the secret it brought, and the call to a model that its path names.</summary>
internal readonly record struct RouteCall(
    string Path, RouteMatch Match, ReadOnlyMemory<byte> Secret, ModelCallKind? Kind, bool HasBody)
{
    /// <summary>Whether what may pass can depend on the body: for some keys, or for all.</summary>
    public bool MayNeedBody => Kind is not null || HasBody || Match.Requirement.Condition != 0;

    /// <summary>The id that a segment of the path names.</summary>
    public byte[] Id(PathRange range) => Encoding.UTF8.GetBytes(Path, range.Start, range.Length);
}
