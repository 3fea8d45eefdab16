using System.Collections.Concurrent;
using Tollgate.Client.AspNetCore;

namespace Tollgate.Endpoints;

/// <summary>
/// A small API guarded by a Tollgate: it keeps endpoints of its callers' projects. Where the gate is and this application's own key come from
/// TOLLGATE_URL and TOLLGATE_KEY.
/// </summary>
public static class EndpointsApi
{
    /// <summary>Builds the application; the caller runs it.</summary>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? more = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddTollgate();
        more?.Invoke(builder);

        var app = builder.Build();
        var store = new ConcurrentDictionary<(string Project, string Name), Endpoint>();

        // Anybody may ask whether it runs.
        app.MapGet("/healthz", () => "ok");

        // What a key must hold stands beside what it lets one do.
        app.MapGet("/endpoints", (HttpContext http) => store.Where(one => one.Key.Project == Project(http)).Select(one => one.Value))
            .RequireScope("endpoints:read");
        app.MapPost("/endpoints", [RequiresScope("endpoints:write")] (HttpContext http, Endpoint endpoint) =>
        {
            store[(Project(http), endpoint.Name)] = endpoint;
            return Results.Created($"/v2/endpoints/{endpoint.Name}", endpoint);
        });

        // Here the routes of the gate's provider file decide by method and path.
        app.MapGet("/v2/endpoints/{name}", (HttpContext http, string name) =>
            store.TryGetValue((Project(http), name), out var found) ? Results.Ok(found) : Results.NotFound()).RequireTollgateRoute();
        return app;
    }

    private static string Project(HttpContext http) => http.GetTollgateKey()!.ProjectId;
}

/// <summary>An endpoint as its owner names it.</summary>
public sealed record Endpoint(string Name, string Model);
