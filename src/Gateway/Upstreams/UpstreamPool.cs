namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// The servers behind the gate: finds those that serve a request, and asks the best of them; where that fails before the head of an answer
/// has come, the next. What is configured is swapped whole; requests under way go on with what they began with.
/// </summary>
internal sealed class UpstreamPool
{
    /// <summary>Swaps what is configured. Upstreams that stay as they were keep their connections and their health.</summary>
    public void Replace(IReadOnlyList<UpstreamConfig> upstreams) => throw new NotImplementedException();

    /// <exception cref="UpstreamException">None answered.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<UpstreamAnswer> Send(UpstreamRequest request, CancellationToken cancel) => throw new NotImplementedException();
}
