using System.Collections.Concurrent;
using System.Diagnostics;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// What requests to a gate ask of its PostgreSQL database, as the driver tells it; not what the gate does beside them. SQLite's driver
/// tells nothing; the statements are the same.
/// </summary>
internal sealed class Statements : IDisposable
{
    private const string Requests = "Microsoft.AspNetCore";

    private readonly ActivityListener _listener;
    private readonly ConcurrentQueue<string> _seen = [];

    private Statements(string database)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or Requests,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (IsOfRequest(activity) && activity.GetTagItem("db.namespace") as string == database
                    && activity.GetTagItem("db.query.text") is string text)
                {
                    _seen.Enqueue(text);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public static async Task<Statements?> Of(PeoplePlace place, DatabaseKind kind) => kind == DatabaseKind.PostgreSql
        ? new Statements(await place.Ask<string>("SELECT current_database()"))
        : null;

    /// <summary>Those since the last time, in their order.</summary>
    public List<string> Take()
    {
        var taken = new List<string>();
        while (_seen.TryDequeue(out var text))
        {
            taken.Add(text);
        }

        return taken;
    }

    public void Dispose() => _listener.Dispose();

    private static bool IsOfRequest(Activity? activity) => activity is not null
        && (activity.Source.Name == Requests || IsOfRequest(activity.Parent));
}
