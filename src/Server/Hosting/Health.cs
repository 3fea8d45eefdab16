using Tollgate.Server.Access;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Hosting;

/// <summary><c>/healthz</c>: the process answers. <c>/readyz</c>: it can also reach its database.</summary>
internal static class Health
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => Results.Text("ok\n")).Public()
            .WithName("health").WithSummary("Is the process alive?").WithTags("Health");
        app.MapGet("/readyz", Ready).Public().WithName("readiness").WithSummary("Can the gate serve?").WithTags("Health");
    }

    private static async Task<IResult> Ready(Database database, ILogger<Database> log, HttpContext http)
    {
        try
        {
            await database.Ping(http.RequestAborted);
            return Results.Text("ready\n");
        }
        catch (System.Data.Common.DbException)
        {
            return Results.Text("the database does not answer\n", statusCode: 503);
        }
    }
}
