using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

/// <summary>A thread that waits for sockets is no thread of the pool; a slow statement must not keep it from them.</summary>
public sealed class DatabaseThreadTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_goes_to_the_database_leaves_the_thread_that_waits_for_sockets(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        Assert.True(await FromItsOwnThread(() => store.Database.Read(_ => Task.FromResult(Thread.CurrentThread.IsThreadPoolThread))));
        var written = await FromItsOwnThread(() => store.Database.Write(
            _ => Task.FromResult<Outcome<bool>>(Thread.CurrentThread.IsThreadPoolThread)));
        Assert.True(written.Value);
    }

    private static Task<T> FromItsOwnThread<T>(Func<Task<T>> call)
    {
        var begun = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => begun.SetResult(call())) { IsBackground = true }.Start();
        return begun.Task.Unwrap();
    }
}
