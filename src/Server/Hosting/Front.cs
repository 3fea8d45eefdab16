using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Journal;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Surfaces;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Verification;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Hosting;

/// <summary>
/// The first thing every request meets: it gets its id, its path is held to one canonical form, a key in its URL is refused, and what is
/// thrown behind it becomes an answer, and when it has been answered it is counted. Nothing here waits when nothing behind it does.
/// </summary>
internal sealed partial class Front(
    ProviderFront provider, AuthorizeDoor authorize, UrlKeys urlKeys, PageMaker pages, SessionCookie session, RequestNumbers numbers,
    RequestMeter meter, ILogger<Front> log)
{
    public Task Invoke(HttpContext http, RequestDelegate next)
    {
        Task rest;
        try
        {
            rest = Begin(http, next);
            rest = rest.IsCompletedSuccessfully ? Fill(http) : rest;
        }
        catch (Exception fault)
        {
            rest = Task.FromException(fault);
        }

        if (!rest.IsCompletedSuccessfully)
        {
            return Finish(http, rest);
        }

        meter.Count(RequestPath.Of(http), http.Response.StatusCode);
        return Task.CompletedTask;
    }

    private Task Begin(HttpContext http, RequestDelegate next)
    {
        var id = RequestId.Of(numbers.Next());
        http.TraceIdentifier = id;
        http.Response.Headers["X-Request-Id"] = id;
        var path = RequestPath.Of(http);
        var isAuthorize = AuthorizeDoor.IsAt(path);
        var isOurs = !isAuthorize && (IsOurs(path) || IsConsole(http, path));
        if (!isOurs && !isAuthorize)
        {
            provider.SpeakDialect(http);
            FreeBody(http);
        }
        else if (!path.StartsWith("/api/", StringComparison.Ordinal) && ConsolePaths.IsAt(path))
        {
            http.Features.Set<ProblemWording>(pages.Tell);
        }

        if (Refusal(http, path, isOurs) is { } problem)
        {
            if (isAuthorize)
            {
                authorize.SpeakDialect(http);
            }

            return new ProblemResult(problem).ExecuteAsync(http);
        }

        // Routing reads a path decoded and in any case; what is not ours as it was sent never gets there.
        return isAuthorize ? authorize.Handle(http, path) : isOurs ? next(http) : provider.Handle(http);
    }

    /// <summary>The root is the provider's; who has signed in comes by it to the console.</summary>
    private bool IsConsole(HttpContext http, string path) =>
        path == "/" && HttpMethods.IsGet(http.Request.Method) && session.Read(http) is { Length: > 0 };

    /// <summary>The paths that are Tollgate's own and speak Tollgate's problems; all others speak the provider's dialect.</summary>
    public static bool IsOurs(string path) =>
        path.StartsWith("/api/", StringComparison.Ordinal)
        || path.StartsWith("/docs/", StringComparison.Ordinal)
        || path.StartsWith("/mail/", StringComparison.Ordinal)
        || path is "/api" or "/mail" or "/docs" or "/docs.md" or "/llms.txt" or "/healthz" or "/readyz" or "/metrics"
            or "/openapi.json" or "/openapi.yaml"
        || ConsolePaths.IsAt(path);

    /// <summary>What only passes is held nowhere and has no bound; who holds a body bounds it.</summary>
    private static void FreeBody(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
        {
            bound.MaxRequestBodySize = null;
        }
    }

    private async Task Finish(HttpContext http, Task rest)
    {
        try
        {
            try
            {
                await rest;
                await Fill(http);
            }
            catch (Exception fault) when (Explain(http, fault) is { } problem)
            {
                await Tell(http, problem);
            }
        }
        catch
        {
            meter.CountAborted(RequestPath.Of(http));
            throw;
        }

        meter.Count(RequestPath.Of(http), http.Response.StatusCode);
    }

    /// <param name="http">The request.</param>
    /// <param name="path">Its path as it was sent.</param>
    /// <param name="isOurs">Our own paths name no models, so nothing in them needs an encoded slash.</param>
    private Problem? Refusal(HttpContext http, string path, bool isOurs)
    {
        // The hot call's path as it is, without a query: nothing in it to look at.
        if (path == VerifyEndpoints.Path && !http.Request.QueryString.HasValue)
        {
            return null;
        }

        if (!PathForm.IsCanonical(path, encodedSlashes: !isOurs, out _))
        {
            return Problem.Of(ProblemCode.PathRefused);
        }

        return urlKeys.Found(http, path) ? UrlKeys.Refusal : null;
    }

    /// <summary>Routing refuses by a bare status; a caller gets a problem all the same.</summary>
    private static Task Fill(HttpContext http)
    {
        var response = http.Response;
        if (response.StatusCode < 400 || response.HasStarted || response.ContentType is not null)
        {
            return Task.CompletedTask;
        }

        return Tell(http, Problem.Of(response.StatusCode switch
        {
            StatusCodes.Status404NotFound => ProblemCode.NotFound,
            StatusCodes.Status405MethodNotAllowed => ProblemCode.MethodNotAllowed,
            StatusCodes.Status415UnsupportedMediaType => ProblemCode.UnsupportedMediaType,
            _ => ProblemCode.InvalidRequest,
        }));
    }

    public static Task NoSuchPath(HttpContext http) =>
        new ProblemResult(new Problem(ProblemCode.NotFound, "There is nothing at this path.")).ExecuteAsync(http);

    /// <summary>What an exception is called outside; null when nobody is left to be told.</summary>
    private Problem? Explain(HttpContext http, Exception fault)
    {
        switch (fault)
        {
            case OperationCanceledException when http.RequestAborted.IsCancellationRequested:
            case ConnectionResetException:
                return null;
            case BadHttpRequestException { StatusCode: 413 }:
                return Problem.Of(ProblemCode.BodyTooLarge);
            case BadHttpRequestException bad:
                return new Problem(ProblemCode.InvalidRequest, bad.Message);
            default:
                if (Database.IsOutage(fault))
                {
                    // That the lock is lost has been logged once; each request that meets it says no more.
                    if (fault is not NotOwnerException)
                    {
                        LogDatabase(fault, http.TraceIdentifier);
                    }

                    return Problem.Of(ProblemCode.Unavailable);
                }

                LogFault(fault, http.TraceIdentifier);
                return Problem.Of(ProblemCode.Internal);
        }
    }

    private static Task Tell(HttpContext http, Problem problem)
    {
        if (!http.Response.HasStarted)
        {
            return new ProblemResult(problem).ExecuteAsync(http);
        }

        // Half an answer is out: a clean end would look like success.
        http.Abort();
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} failed")]
    private partial void LogFault(Exception fault, string requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request {RequestId} could not reach the database")]
    private partial void LogDatabase(Exception fault, string requestId);
}
