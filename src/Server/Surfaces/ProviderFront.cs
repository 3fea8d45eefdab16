using System.Buffers;
using System.Globalization;
using System.Text;
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

        var step = provider.QuotaRoutes.Find(http.Request.Method, path);
        var call = new RouteCall(path, match, buffer.AsMemory(0, secret.Length), step is { Makes: true } ? Taking.Ask : Taking.Take);
        var verdict = Check(http, call, conditionMet: null);
        // Asked only when memory knows no good key: until the root key has been used, asking costs more than the check.
        if (verdict.Code == VerdictCode.Allowed || !root.Matches(call.Secret.Span))
        {
            verdict = verdict.Code == VerdictCode.NotLoaded ? await Settle(http, call, conditionMet: null, verdict) : verdict;
            bool? conditionMet = null;
            if (verdict.Code == VerdictCode.BodyCondition)
            {
                (verdict, conditionMet, var problem) = await DecideByBody(http, call, verdict);
                if (problem is not null)
                {
                    await Refuse(http, problem);
                    return;
                }
            }

            gate.Meter.Count(CheckDoor.Provider, verdict.Code);
            provider.RateHeaders.Write(http.Response.Headers, verdict, gate.NowMs);
            if (verdict.Code != VerdictCode.Allowed)
            {
                await Refuse(http, Refusal(verdict, match));
                return;
            }

            if (step is { } counted)
            {
                await PassCounted(http, call, verdict, conditionMet, counted);
                return;
            }
        }
        else if (!gate.TrustsMemory)
        {
            // The root key is kept in memory too, and another process may have been started with another one.
            await Refuse(http, Problem.Of(ProblemCode.Unavailable));
            return;
        }

        await echo.Answer(http, path, match);
    }

    /// <summary>
    /// The place in the quota is taken ahead of the check that takes from limits and wallet, and given back where that refuses: so what one
    /// of them refuses has taken nothing of the others. The key may have changed while the database was asked, too.
    /// </summary>
    private async Task PassCounted(HttpContext http, RouteCall call, Verdict verdict, bool? conditionMet, QuotaStep step)
    {
        var owner = verdict.Project!;
        if (step.Makes && await quotas.TryTake(owner.OrganizationNo, owner.Plan, step.Quota, http.RequestAborted) is { } full)
        {
            await Refuse(http, full);
            return;
        }

        var counted = new CountedRequest(quotas, owner.OrganizationNo, step);
        try
        {
            if (step.Makes)
            {
                verdict = await Decide(http, call with { Taking = Taking.Take }, conditionMet);
                provider.RateHeaders.Write(http.Response.Headers, verdict, gate.NowMs);
            }

            if (verdict.Code != VerdictCode.Allowed)
            {
                await counted.Ended(isSuccess: false);
                await Refuse(http, Refusal(verdict, call.Match));
                return;
            }

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

    private ValueTask<Verdict> Decide(HttpContext http, RouteCall call, bool? conditionMet)
    {
        var verdict = Check(http, call, conditionMet);
        return verdict.Code == VerdictCode.NotLoaded ? Settle(http, call, conditionMet, verdict) : new(verdict);
    }

    private ValueTask<Verdict> Settle(HttpContext http, RouteCall call, bool? conditionMet, Verdict missing) =>
        gate.Settle(missing, ClientNetwork.Of(http.Connection.RemoteIpAddress), () => Check(http, call, conditionMet));

    /// <summary>
    /// The key may pass if the body says what the route's condition asks for; so the body is read, and kept for who comes next. The key
    /// may have changed while the body came in, so everything is decided anew.
    /// </summary>
    private async Task<(Verdict Verdict, bool? ConditionMet, Problem? Problem)> DecideByBody(
        HttpContext http, RouteCall call, Verdict verdict)
    {
        var condition = provider.ConditionOf(call.Match.Requirement)!;
        return (await ConditionBody.Read(http)).TryGet(out var body, out var problem)
            && ConditionBody.Holds(condition, body).TryGet(out var isMet, out problem)
            ? (await Decide(http, call, isMet), isMet, null)
            : (verdict, null, problem);
    }

    private Verdict Check(HttpContext http, RouteCall call, bool? conditionMet)
    {
        var request = new CheckRequest
        {
            Secret = call.Secret.Span,
            Requirement = call.Match.Requirement,
            Address = http.Connection.RemoteIpAddress,
            IsConditionMet = conditionMet,
            NowMs = gate.NowMs,
            ClockMs = gate.ClockMs,
            Taking = call.Taking,
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

/// <summary>A request to a route, with the secret it brought, and whether a check of it takes what it needs.</summary>
internal readonly record struct RouteCall(string Path, RouteMatch Match, ReadOnlyMemory<byte> Secret, Taking Taking)
{
    /// <summary>The id that a segment of the path names.</summary>
    public byte[] Id(PathRange range) => Encoding.UTF8.GetBytes(Path, range.Start, range.Length);
}
