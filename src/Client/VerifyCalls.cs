namespace Tollgate.Client;

/// <summary>The check, for API servers.</summary>
public sealed class VerifyCalls
{
    /// <summary>The most checks one batch may hold.</summary>
    public const int BatchMax = 1_000;

    private readonly Connection _connection;

    internal VerifyCalls(Connection connection) => _connection = connection;

    /// <summary>Checks a key. A refused key is an answer, not an exception.</summary>
    public Task<Verdict> CheckAsync(Check check, CancellationToken cancellationToken = default) =>
        _connection.Ask("verify", check, TollgateJson.Default.Check, TollgateJson.Default.Verdict, cancellationToken);

    /// <summary>Checks up to <see cref="BatchMax"/> keys; the verdicts come in the order of the checks.</summary>
    public async Task<IReadOnlyList<Verdict>> CheckAsync(IReadOnlyList<Check> checks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(checks);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(checks.Count, BatchMax);
        var page = await _connection.Ask(
            "verify/batch", new CheckBatch(checks), TollgateJson.Default.CheckBatch, TollgateJson.Default.VerdictPage, cancellationToken)
            .ConfigureAwait(false);
        return page.Data;
    }

    /// <summary>Tells the decision step by step, for the owner of the key, without taking anything.</summary>
    public Task<Explanation> ExplainAsync(Check check, CancellationToken cancellationToken = default) =>
        _connection.Ask("verify/explain", check, TollgateJson.Default.Check, TollgateJson.Default.Explanation, cancellationToken);
}
