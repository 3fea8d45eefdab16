using System.Data.Common;
using Tollgate.Server.Access;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Hosting;

/// <summary>
/// <c>/healthz</c>: the process answers. <c>/readyz</c>: it also owns its database, which answers and can make changes last.
/// </summary>
internal static class Health
{
    private const string LockIsLost = "the lock on the database is lost and is being taken again";

    public static IResult Alive { get; } = Results.Text("ok\n");

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => Alive).Public()
            .WithName("health").WithSummary("Is the process alive?").WithTags("Health");
        app.MapGet("/readyz", Ready).Public().WithName("readiness").WithSummary("Can the gate serve?").WithTags("Health");
    }

    public static async Task<IResult> Ready(Database database, HttpContext http) =>
        await Fault(database, http.RequestAborted) is { } fault ? Results.Text(fault + "\n", statusCode: 503) : Results.Text("ready\n");

    /// <summary>Why the gate is not ready, for <c>/readyz</c> and the metric alike; null when it is.</summary>
    public static async Task<string?> Fault(Database database, CancellationToken cancel = default)
    {
        try
        {
            await database.Ping(cancel);
            return !database.CanCommit ? "the database cannot make a change durable"
                // A gate whose lease has ended answers nothing, noticed or not that the lock is lost.
                : !database.OwnsLock || !database.TrustsMemory ? LockIsLost
                : null;
        }
        catch (NotOwnerException)
        {
            return LockIsLost;
        }
        catch (Exception fault) when (Database.IsOutage(fault) || fault is DbException or InvalidOperationException)
        {
            return "the database does not answer";
        }
    }
}
