using Tollgate.Server.Access;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Hosting;

/// <summary>
/// <c>/healthz</c>: the process answers. <c>/readyz</c>: it also owns its database, which answers and can make changes last.
/// </summary>
internal static class Health
{
    public static IResult Alive { get; } = Results.Text("ok\n");

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => Alive).Public()
            .WithName("health").WithSummary("Is the process alive?").WithTags("Health");
        app.MapGet("/readyz", Ready).Public().WithName("readiness").WithSummary("Can the gate serve?").WithTags("Health");
    }

    public static async Task<IResult> Ready(Database database, HttpContext http)
    {
        try
        {
            await database.Ping(http.RequestAborted);
            return database.CanCommit
                ? Results.Text("ready\n")
                : Results.Text("the database cannot make a change durable\n", statusCode: 503);
        }
        catch (NotOwnerException)
        {
            return Results.Text("the lock on the database is lost and is being taken again\n", statusCode: 503);
        }
        catch (Exception fault) when (Database.IsOutage(fault))
        {
            return Results.Text("the database does not answer\n", statusCode: 503);
        }
    }
}
