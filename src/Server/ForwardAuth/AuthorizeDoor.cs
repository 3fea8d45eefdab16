using System.Globalization;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Quotas;
using Tollgate.Server.Surfaces;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Verification;
using Tollgate.Server.Wire;

namespace Tollgate.Server.ForwardAuth;

/// <summary>
/// The door for proxies: may the request you hold go on to the server behind you? Any method, anybody: the customer's key, forwarded as
/// it came, authorizes itself, and hears what it would hear on the provider's own paths. Comes ahead of routing, which costs more than
/// the check.
/// </summary>
internal sealed class AuthorizeDoor
{
    public const string Path = "/api/v1/authorize";
    public const string StatusHeader = "X-Tollgate-Status";
    public const string CodeHeader = "X-Tollgate-Code";
    public const string ReasonHeader = "X-Tollgate-Reason";
    public const string RequiredHeader = "X-Tollgate-Required-Permission";

    /// <summary>No id of ours is half as long.</summary>
    private const int IdCharsMax = 64;

    private readonly ProviderModel _provider;
    private readonly Gate _gate;
    private readonly RootKey _root;
    private readonly UrlKeys _urlKeys;
    private readonly QuotaKeeper _quotas;
    private readonly ProviderFront _front;
    private readonly FactHeaders _facts;

    /// <summary>Made once: a delegate made per request would be all that a check allocates beside its headers.</summary>
    private readonly ProblemWording _wording;

    public AuthorizeDoor(
        ProviderModel provider, Gate gate, RootKey root, UrlKeys urlKeys, QuotaKeeper quotas, ProviderFront front)
    {
        (_provider, _gate, _root, _urlKeys, _quotas, _front) = (provider, gate, root, urlKeys, quotas, front);
        (_facts, _wording) = (new FactHeaders(provider), Word);
    }

    /// <summary>Whether this is the door's path, or the door's path with the customer's own behind it.</summary>
    public static bool IsAt(string path) =>
        path.StartsWith(Path, StringComparison.Ordinal) && (path.Length == Path.Length || path[Path.Length] == '/');

    /// <summary>From here on, problems of this request are told as the proxy can hand them on.</summary>
    public void SpeakDialect(HttpContext http) => http.Features.Set(_wording);

    public Task Handle(HttpContext http, string path)
    {
        var rest = path.AsSpan(Path.Length);
        if (!TryStyle(http, path, out var style))
        {
            return Word(http, new Problem(
                ProblemCode.InvalidRequest,
                "This call takes no query but style=nginx or style=refusal: the proxy must not add the customer's own."));
        }

        if (!OriginalRequest.Read(http, rest).TryGet(out var asked, out var problem))
        {
            return Word(http, problem);
        }

        // Hashed before the path is looked at: memory brings the key's place meanwhile.
        Span<byte> buffer = stackalloc byte[Credential.SecretBytesMax];
        var fault = Credential.Read(http.Request.Headers.Authorization, buffer, out var secret);
        var isKey = _gate.TryHash(secret, out var hash);
        var match = _provider.Routes.Match(asked.Method, asked.Path);
        problem = Refusal(http, asked, match) ?? (fault is null ? null : Problem.Of(fault));
        if (problem is not null)
        {
            return Word(http, problem);
        }

        // Its wording asked for once more, a request is not made once more.
        var call = new ProxiedCall(style, asked, match, style == AuthorizeStyle.Refusal ? Taking.Look : Taking.Take);
        if (_provider.QuotaRoutes.Find(asked.Method, asked.Path) is { Makes: true } step && isKey)
        {
            return AnswerMaking(http, call, secret.ToArray(), hash, step);
        }

        var verdict = Check(http, call, secret, isKey, hash);
        return verdict.Code == VerdictCode.NotLoaded
            ? Load(http, call, secret.ToArray(), verdict)
            : Answer(http, call, secret, verdict);
    }

    /// <summary>With the customer's path behind the door's own, the query is the customer's too.</summary>
    private static bool TryStyle(HttpContext http, string path, out AuthorizeStyle style)
    {
        style = AuthorizeStyle.Plain;
        return path.Length > Path.Length || AuthorizeStyles.TryRead(http.Request.QueryString.Value, out style);
    }

    /// <summary>What needs no key to be refused, in the order of the provider's own paths.</summary>
    private Problem? Refusal(HttpContext http, in OriginalRequest asked, in RouteMatch match)
    {
        if (!PathForm.IsCanonical(asked.Path, encodedSlashes: true, out _) || asked.Target.Contains(' ', StringComparison.Ordinal))
        {
            return Problem.Of(ProblemCode.PathRefused);
        }

        if (_urlKeys.Found(http, asked.Path, asked.Query))
        {
            return UrlKeys.Refusal;
        }

        // Its own places the gate answers itself; behind the proxy nobody is meant to.
        var found = _provider.Surface.Match(asked.Method, asked.Path, out var place, out _);
        if (place is not null)
        {
            return new Problem(ProblemCode.RouteUnknown, "The gate answers this path itself: the proxy has to send it there.");
        }

        return match.Kind == RouteMatchKind.Found ? null
            : _front.NoRoute(http, found == RouteMatchKind.MethodNotAllowed ? found : match.Kind, asked.Path.ToString());
    }

    private Verdict Check(HttpContext http, in ProxiedCall call, ReadOnlySpan<byte> secret, bool isKey, in KeyHash hash)
    {
        var request = new CheckRequest
        {
            Secret = secret,
            Requirement = call.Match.Requirement,
            Address = http.Connection.RemoteIpAddress,
            NowMs = _gate.NowMs,
            ClockMs = _gate.ClockMs,
            RequestNo = RequestId.NumberOf(http),
            Taking = call.Taking,
            // What the body would name is not seen, so it may be any model.
            NamesModel = MayHaveBody(call.Asked.Method),
        };
        Span<byte> project = stackalloc byte[IdCharsMax * 3];
        Span<byte> organization = stackalloc byte[IdCharsMax * 3];
        var match = call.Match;
        var path = call.Asked.Path;
        return (match.Project.IsAbsent, match.Organization.IsAbsent) switch
        {
            _ when !isKey => _gate.Check(request),
            (true, true) => _gate.Check(request, hash),
            (false, true) => _gate.Check(request with { ProjectId = Id(match.Project.Of(path), project) }, hash),
            (true, false) => _gate.Check(request with { OrganizationId = Id(match.Organization.Of(path), organization) }, hash),
            _ => _gate.Check(
                request with
                {
                    ProjectId = Id(match.Project.Of(path), project),
                    OrganizationId = Id(match.Organization.Of(path), organization),
                },
                hash),
        };
    }

    private static bool MayHaveBody(string method) => !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method)
        && !HttpMethods.IsOptions(method) && !HttpMethods.IsDelete(method);

    /// <summary>In UTF-8; what is too long for an id is nobody's.</summary>
    private static ReadOnlySpan<byte> Id(ReadOnlySpan<char> segment, Span<byte> buffer) =>
        segment.Length > IdCharsMax ? "?"u8 : buffer[..Encoding.UTF8.GetBytes(segment, buffer)];

    private async Task Load(HttpContext http, ProxiedCall call, byte[] secret, Verdict verdict)
    {
        // A database that does not answer throws, and that is told at the front.
        SpeakDialect(http);
        var hash = verdict.Hash;
        var settled = await _gate.Settle(
            verdict, ClientNetwork.Of(http.Connection.RemoteIpAddress), () => Check(http, call, secret, isKey: true, hash));
        await Answer(http, call, secret, settled);
    }

    /// <summary>
    /// A request that makes what a quota counts. Nobody will say here whether it succeeded, so its place is looked at and not taken: it is
    /// counted by who makes it. Looked at ahead of the check that takes, so that what the quota refuses has taken nothing.
    /// </summary>
    private async Task AnswerMaking(HttpContext http, ProxiedCall call, byte[] secret, KeyHash hash, QuotaStep step)
    {
        SpeakDialect(http);
        var from = ClientNetwork.Of(http.Connection.RemoteIpAddress);
        var asking = call with { Taking = call.Taking == Taking.Take ? Taking.Ask : call.Taking };
        var verdict = await _gate.Settle(
            Check(http, asking, secret, isKey: true, hash), from, () => Check(http, asking, secret, isKey: true, hash));
        if (verdict.Code == VerdictCode.Allowed)
        {
            var owner = verdict.Project!;
            if (await _quotas.Look(owner.OrganizationNo, owner.Plan, step.Quota, http.RequestAborted) is { } full)
            {
                _facts.Write(http.Response.Headers, verdict);
                await Word(http, full);
                return;
            }

            verdict = await _gate.Settle(
                Check(http, call, secret, isKey: true, hash), from, () => Check(http, call, secret, isKey: true, hash));
        }

        await Answer(http, call, secret, verdict);
    }

    private Task Answer(HttpContext http, in ProxiedCall call, ReadOnlySpan<byte> secret, in Verdict verdict)
    {
        _provider.RateHeaders.Write(http.Response.Headers, verdict, _gate.NowMs);
        if (verdict.Code == VerdictCode.Allowed)
        {
            _gate.Meter.Count(CheckDoor.Authorize, verdict.Code);
            return Allow(http, call.Style, verdict);
        }

        // Asked last, so that a customer's key is hashed once; and for every key that reads as no good, so that all take as long.
        // The root key is kept in memory too, and counts no longer than all else there.
        if (Faults.CodeOf(verdict.Code) == ProblemCode.InvalidKey && _root.Matches(secret))
        {
            return _gate.TrustsMemory ? Allow(http, call.Style, default) : Word(http, Problem.Of(ProblemCode.Unavailable));
        }

        _gate.Meter.Count(CheckDoor.Authorize, verdict.Code);
        var problem = _provider.RateHeaders.Tell(Faults.Of(verdict), verdict);
        if (Faults.TellsPermission(verdict.Code))
        {
            // The key has proved itself: the proxy's log may name it.
            _facts.Write(http.Response.Headers, verdict);
            problem = problem with { RequiredPermission = _provider.Scopes.Describe(call.Match.Requirement) };
        }

        return Word(http, problem);
    }

    /// <param name="http">The proxy's question.</param>
    /// <param name="style">How it is answered.</param>
    /// <param name="verdict">Without a key for the root key.</param>
    private Task Allow(HttpContext http, AuthorizeStyle style, in Verdict verdict)
    {
        if (style == AuthorizeStyle.Refusal)
        {
            return Word(http, new Problem(ProblemCode.Unavailable, "The key may make this request now. Send the request again."));
        }

        var response = http.Response;
        if (verdict.Project is null)
        {
            _facts.WriteRoot(response.Headers);
        }
        else
        {
            _facts.Write(response.Headers, verdict);
        }

        // 200, not 204: one of the proxies takes nothing else for a yes.
        response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private Task Word(HttpContext http, Problem problem)
    {
        var response = http.Response;
        response.Headers[CodeHeader] = problem.Code.Code;
        response.Headers[ReasonHeader] = problem.Code.Title;
        if (problem.RequiredPermission is { } permission)
        {
            response.Headers[RequiredHeader] = permission;
        }

        if (problem.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return TryStyle(http, RequestPath.Of(http), out var style) && style == AuthorizeStyle.Nginx
            ? Nginx(response, problem.Code)
            : _front.Word(http, problem);
    }

    /// <summary>Without a body, which nginx would throw away.</summary>
    private Task Nginx(HttpResponse response, ProblemCode code)
    {
        var (headers, status) = (response.Headers, _provider.Dialect.StatusOf(code));
        _provider.Dialect.WriteHeaders(headers, code);
        headers[StatusHeader] = status.ToString(CultureInfo.InvariantCulture);
        headers.CacheControl = "no-store";
        response.ContentLength = 0;
        response.StatusCode = StatusCodes.Status403Forbidden;
        if (status == StatusCodes.Status401Unauthorized)
        {
            response.StatusCode = status;
            headers.WWWAuthenticate = "Bearer";
        }

        return response.StartAsync();
    }
}

/// <summary>A customer's request, where it goes, how the proxy wants to hear of it, and whether a check takes what it needs.</summary>
internal readonly record struct ProxiedCall(AuthorizeStyle Style, OriginalRequest Asked, RouteMatch Match, Taking Taking);
