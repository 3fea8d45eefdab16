using Tollgate.Server.Storage;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Whether the gate is ready, as <c>/readyz</c> has it, for metrics: asked when they are read, and never waited for longer than a second.
/// One question at a time is under way, however often metrics are read.
/// </summary>
internal sealed class Readiness(Database database)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Swapped whole; two readers at once ask twice at worst.
    private volatile Task<bool> _asked = Task.FromResult(true);

    private volatile bool _isReady = true;

    /// <summary>What the last question found; asks anew for the next time, because an export cannot wait.</summary>
    public bool LastAnswer()
    {
        var last = _isReady;
        _ = Ask();
        return last;
    }

    public async Task<bool> Ask()
    {
        var asked = _asked.IsCompleted ? _asked = Ping() : _asked;
        try
        {
            return _isReady = await asked.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            return _isReady = false;
        }
    }

    private async Task<bool> Ping() => await Health.Fault(database) is null;
}
