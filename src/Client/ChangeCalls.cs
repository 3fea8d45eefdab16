namespace Tollgate.Client;

/// <summary>The change feed, for whoever keeps verdicts: which keys, projects and organizations changed.</summary>
public sealed class ChangeCalls
{
    /// <summary>The longest that one call may wait, in seconds.</summary>
    public const int WaitSecondsMax = 30;

    private readonly Connection _connection;

    internal ChangeCalls(Connection connection) => _connection = connection;

    /// <summary>
    /// Answers at once when something changed since <paramref name="from"/>, else when something does or the wait is over. The wait counts
    /// towards <see cref="TollgateClientOptions.Timeout"/>.
    /// </summary>
    /// <param name="from">The page before; null asks where the feed stands, and is answered at once.</param>
    /// <param name="waitSeconds">0 to <see cref="WaitSecondsMax"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<ChangePage> PollAsync(ChangePage? from = null, int waitSeconds = 20, CancellationToken cancellationToken = default)
    {
        var query = Address.Query(("after", from?.NextAfter.ToString()), ("epoch", from?.Epoch), ("wait", waitSeconds.ToString()));
        return _connection.Get("changes" + query, TollgateJson.Default.ChangePage, cancellationToken);
    }
}

/// <summary>Changes in the order in which they were committed, and where the next call begins.</summary>
public sealed record ChangePage
{
    public IReadOnlyList<Change> Data { get; init => field = value ?? []; } = [];

    /// <summary>The number up to which this page tells everything.</summary>
    public required long NextAfter { get; init; }

    /// <summary>Changes that were there when the call came are still to be told: ask again.</summary>
    public bool HasMore { get; init; }

    /// <summary>Which start of the gate this is.</summary>
    public required string Epoch { get; init; }

    /// <summary>Changes may be missing before this page: whoever keeps verdicts drops them all.</summary>
    public bool Reset { get; init; }
}

/// <summary>That something changed, never what.</summary>
public sealed record Change
{
    /// <summary>Grows by one per change; those of others that one may not see leave gaps.</summary>
    public required long Seq { get; init; }

    /// <summary><c>key</c>, <c>project</c> or <c>organization</c>.</summary>
    public required string Kind { get; init; }

    public required string Id { get; init; }

    /// <summary>Grows with every change of the same thing.</summary>
    public required long Version { get; init; }

    public required DateTimeOffset At { get; init; }
}
