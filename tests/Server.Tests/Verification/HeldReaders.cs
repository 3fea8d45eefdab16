using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Verification;

/// <summary>Every connection that reads, taken and not given back until this is disposed: a database that has stopped to answer.</summary>
internal sealed class HeldReaders : IAsyncDisposable
{
    private readonly TaskCompletionSource<bool> _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _held = Task.CompletedTask;

    private HeldReaders()
    {
    }

    public static async Task<HeldReaders> Take(Database database)
    {
        var held = new HeldReaders();
        var taken = new SemaphoreSlim(0);
        held._held = Task.WhenAll(Enumerable.Range(0, database.ReadersMax).Select(_ => database.Read(_ =>
        {
            taken.Release();
            return held._letGo.Task;
        })));
        for (var i = 0; i < database.ReadersMax; i++)
        {
            Assert.True(await taken.WaitAsync(TimeSpan.FromSeconds(30)));
        }

        return held;
    }

    public async ValueTask DisposeAsync()
    {
        _letGo.TrySetResult(true);
        await _held;
    }
}
