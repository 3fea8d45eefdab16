namespace Tollgate.Client;

/// <summary>What an organization may use.</summary>
/// <param name="Name">As in the provider file.</param>
/// <param name="IsDefault">Whether organizations that were put on no plan have this one.</param>
/// <param name="Limits">How much may be taken in each rolling window, for each key.</param>
/// <param name="Quotas">How many of a thing there may be.</param>
public sealed record Plan(string Name, bool IsDefault, IReadOnlyList<PlanLimit> Limits, IReadOnlyList<PlanQuota> Quotas);

/// <summary>How much may be taken in a window.</summary>
/// <param name="Name">As in the provider file.</param>
/// <param name="Counts">Such as <c>requests</c> or <c>tokens</c>.</param>
/// <param name="WindowSeconds">Null for what is under way at a time, which has no window.</param>
/// <param name="Amount">Null for any amount.</param>
public sealed record PlanLimit(string Name, string Counts, long? WindowSeconds = null, long? Amount = null);

/// <summary>How many of a thing there may be; <see cref="Amount"/> is null for any number.</summary>
public sealed record PlanQuota(string Name, long? Amount = null);

/// <summary>How many of a thing an organization has; <see cref="Limit"/> is null where its plan allows any number.</summary>
public sealed record Quota(string Name, long Used, long? Limit = null);

/// <summary>The provider's plans. For any good key.</summary>
public sealed class PlanCalls
{
    private readonly Connection _connection;

    internal PlanCalls(Connection connection) => _connection = connection;

    /// <summary>In the order of the provider file; the first is the default.</summary>
    public async Task<IReadOnlyList<Plan>> ListAsync(CancellationToken cancellationToken = default) =>
        (await _connection.Get("plans", TollgateJson.Default.PlanList, cancellationToken).ConfigureAwait(false)).Data;
}

internal sealed record PlanList(IReadOnlyList<Plan> Data);

internal sealed record QuotaList(IReadOnlyList<Quota> Data);

internal sealed record QuotaUse(long Used);
