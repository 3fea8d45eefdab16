using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.Frame;

/// <summary>Stands before all pages of one part of the console.</summary>
internal static class PartGate
{
    /// <summary>Shows what stands in the way, where something does.</summary>
    /// <param name="part">Its pages.</param>
    /// <param name="refusal">Null for who may be there.</param>
    /// <param name="back">Where the page leads back to; null for the place itself.</param>
    public static RouteGroupBuilder RefusedBy(
        this RouteGroupBuilder part, Func<HttpContext, Problem?> refusal, Func<ConsolePlace, string>? back = null) =>
        part.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            return refusal(http) is { } problem
                ? http.RequestServices.GetRequiredService<FrameMaker>().Problem(http, problem, back?.Invoke(ConsolePlace.Of(http)))
                : await next(context);
        });
}
