using System.Diagnostics;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Makes a span of a request: of every management call, of a check whose caller sends a sampled <c>traceparent</c>, and of the part of
/// checks that the operator wants. Nothing that a caller wrote gets into one: a route's pattern stands for the path, and tracestate is left
/// out.
/// </summary>
internal sealed class TracedRequests(double ratio)
{
    /// <summary>Strangers can ask for traces too; what the exporter can carry is about this.</summary>
    private const int PerSecondMax = 500;

    private static readonly string[] KnownMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

    private readonly TraceLot _lot = new(ratio);
    private readonly SecondBound _bound = new(PerSecondMax);

    public Task Invoke(HttpContext http, RequestDelegate next) => Begin(http) is { } span ? Trace(http, span, next) : next(http);

    private Activity? Begin(HttpContext http)
    {
        var kind = RequestMeter.ClassOf(RequestPath.Of(http));
        if (kind is RequestClass.Docs or RequestClass.Health or RequestClass.Metrics)
        {
            return null;
        }

        var parent = default(ActivityContext);
        var isSaid = http.Request.Headers.TraceParent is [{ } text] && ActivityContext.TryParse(text, null, isRemote: true, out parent);
        var isWanted = isSaid ? parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) : kind == RequestClass.Management || _lot.Draw();
        return isWanted && _bound.TryTake()
            ? Traces.Source.StartActivity(kind.ToString().ToLowerInvariant(), ActivityKind.Server, parent)
            : null;
    }

    private static async Task Trace(HttpContext http, Activity span, RequestDelegate next)
    {
        using (span)
        {
            try
            {
                await next(http);
            }
            finally
            {
                Describe(http, span);
            }
        }
    }

    private static void Describe(HttpContext http, Activity span)
    {
        var method = KnownMethods.FirstOrDefault(known => http.Request.Method == known) ?? "_OTHER";
        span.SetTag("http.request.method", method);
        span.SetTag("http.response.status_code", http.Response.StatusCode);
        span.SetTag("tollgate.request_id", http.TraceIdentifier);
        if (http.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route })
        {
            span.SetTag("http.route", route);
            span.DisplayName = $"{method} {route}";
        }

        if (http.Response.StatusCode >= 500)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
