using System.Buffers;
using System.Globalization;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Quotas;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Verification;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// Every path that is not Tollgate's own: the provider's key management first, then its routes. Who may pass is the gatekeeper's to say;
/// what is refused is worded as the provider words it.
/// </summary>
internal sealed class ProviderFront(
    ProviderModel provider, Gate gate, RootKey root, KeySurface surface, QuotaKeeper quotas, Echo echo, TimeProvider time)
{
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

    private async Task Pass(HttpContext http, string path, RouteMatch match)
    {
        var buffer = new byte[Credential.SecretBytesMax];
        if (Credential.Read(http.Request.Headers.Authorization, buffer, out var secret) is { } fault)
        {
            await Refuse(http, Problem.Of(fault));
            return;
        }

        var call = new RouteCall(path, match, buffer.AsMemory(0, secret.Length));
        var step = provider.QuotaRoutes.Find(http.Request.Method, path);
        // What the body or a quota decides is asked first: only the last check takes.
        var taking = match.Requirement.Condition != 0 ? Taking.Look : TakingOf(step);
        var verdict = Check(http, call, conditionMet: null, taking);
        // Asked only when memory knows no good key: until the root key has been used, asking costs more than the check.
        if (verdict.Code == VerdictCode.Allowed || !root.Matches(call.Secret.Span))
        {
            verdict = verdict.Code == VerdictCode.NotLoaded ? await Settle(http, call, conditionMet: null, taking, verdict) : verdict;
            await Pass(http, call, verdict, taking, step);
        }
        else if (!gate.TrustsMemory)
        {
            // The root key is kept in memory too, and another process may have been started with another one.
            await Refuse(http, Problem.Of(ProblemCode.Unavailable));
        }
        else
        {
            await echo.Answer(http, path, match);
        }
    }

    private async Task Pass(HttpContext http, RouteCall call, Verdict verdict, Taking taken, QuotaStep? step)
    {
        bool? conditionMet = null;
        if (verdict.Code == VerdictCode.BodyCondition)
        {
            if (!(await ReadCondition(http, call)).TryGet(out var isMet, out var problem))
            {
                await Refuse(http, problem);
                return;
            }

            conditionMet = isMet;
        }

        // The key may have changed while its body came in, so everything is decided anew; of one that is not known there is nothing more.
        verdict = taken == Taking.Look && verdict.Key.KeyNo != 0 ? await Decide(http, call, conditionMet, TakingOf(step)) : verdict;
        if (verdict.Code == VerdictCode.Allowed && step is { Makes: true } makes)
        {
            await PassCounted(http, call, conditionMet, verdict.Project!, makes);
            return;
        }

        Tell(http, verdict);
        if (verdict.Code != VerdictCode.Allowed)
        {
            await Refuse(http, Refusal(verdict, call.Match));
        }
        else if (step is { } deletes)
        {
            await AnswerCounted(http, call, new CountedRequest(quotas, verdict.Project!.OrganizationNo, deletes));
        }
        else
        {
            await echo.Answer(http, call.Path, call.Match);
        }
    }

    /// <summary>What a quota has to allow is asked here and taken after it.</summary>
    private static Taking TakingOf(QuotaStep? step) => step is { Makes: true } ? Taking.Ask : Taking.Take;

    /// <summary>
    /// The place in the quota is taken ahead of the check that takes from limits and wallet, and given back where that refuses: so what one
    /// of them refuses has taken nothing of the others. The key may have changed while the database was asked, too.
    /// </summary>
    private async Task PassCounted(HttpContext http, RouteCall call, bool? conditionMet, ProjectEntry owner, QuotaStep step)
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
            verdict = await Decide(http, call, conditionMet, Taking.Take);
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

        await AnswerCounted(http, call, counted);
    }

    private async Task AnswerCounted(HttpContext http, RouteCall call, CountedRequest counted)
    {
        try
        {
            // Counted before the client hears of it, or its next request could meet the count of before.
            http.Response.OnStarting(() => counted.Ended(http.Response.StatusCode));
            await echo.Answer(http, call.Path, call.Match);
        }
        catch
        {
            await counted.Ended(isSuccess: false);
            throw;
        }
    }

    private void Tell(HttpContext http, in Verdict verdict)
    {
        gate.Meter.Count(CheckDoor.Provider, verdict.Code);
        provider.RateHeaders.Write(http.Response.Headers, verdict, gate.NowMs);
    }

    private ValueTask<Verdict> Decide(HttpContext http, RouteCall call, bool? conditionMet, Taking taking)
    {
        var verdict = Check(http, call, conditionMet, taking);
        return verdict.Code == VerdictCode.NotLoaded ? Settle(http, call, conditionMet, taking, verdict) : new(verdict);
    }

    private ValueTask<Verdict> Settle(HttpContext http, RouteCall call, bool? conditionMet, Taking taking, Verdict missing) =>
        gate.Settle(missing, ClientNetwork.Of(http.Connection.RemoteIpAddress), () => Check(http, call, conditionMet, taking));

    /// <summary>
    /// The key may pass if the body says what the route's condition asks for; so the body is read, and kept for who comes next.
    /// </summary>
    private async Task<Outcome<bool>> ReadCondition(HttpContext http, RouteCall call) =>
        (await ConditionBody.Read(http)).TryGet(out var body, out var problem)
            ? ConditionBody.Holds(provider.ConditionOf(call.Match.Requirement)!, body)
            : problem;

    private Verdict Check(HttpContext http, RouteCall call, bool? conditionMet, Taking taking)
    {
        var request = new CheckRequest
        {
            Secret = call.Secret.Span,
            Requirement = call.Match.Requirement,
            Address = http.Connection.RemoteIpAddress,
            IsConditionMet = conditionMet,
            NowMs = gate.NowMs,
            ClockMs = gate.ClockMs,
            Taking = taking,
            RequestNo = RequestId.NumberOf(http),
        };
        return (call.Match.Project.IsAbsent, call.Match.Organization.IsAbsent) switch
        {
            (true, true) => gate.Check(request),
            (false, true) => gate.Check(request with { ProjectId = call.Id(call.Match.Project) }),
            (true, false) => gate.Check(request with { OrganizationId = call.Id(call.Match.Organization) }),
            _ => gate.Check(request with { ProjectId = call.Id(call.Match.Project), OrganizationId = call.Id(call.Match.Organization) }),
        };
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

/// <summary>A request to a route, with the secret it brought.</summary>
internal readonly record struct RouteCall(string Path, RouteMatch Match, ReadOnlyMemory<byte> Secret)
{
    /// <summary>The id that a segment of the path names.</summary>
    public byte[] Id(PathRange range) => Encoding.UTF8.GetBytes(Path, range.Start, range.Length);
}
