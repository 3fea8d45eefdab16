using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Verification;

public sealed class GatekeeperRaceTests
{
    /// <summary>K8: none of 200 checks that starts after the revoke has returned passes, and those before it do.</summary>
    [Fact]
    public async Task No_check_that_starts_after_a_revoke_has_returned_passes()
    {
        const int Checks = 200;
        int before = 0;
        for (int round = 0; round < 40; round++)
        {
            var gate = new Gate();
            var isRevoked = new StrongBox();
            int wrong = 0;
            using var start = new Barrier(3);
            Task[] checkers = [.. Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    int after = 0;
                    while (after < Checks / 2)
                    {
                        bool started = isRevoked.Value;
                        bool allowed = gate.Check().IsAllowed;
                        after += started ? 1 : 0;
                        Interlocked.Add(ref wrong, started && allowed ? 1 : 0);
                        Interlocked.Add(ref before, !started && allowed ? 1 : 0);
                    }
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default))];
            start.SignalAndWait(TestContext.Current.CancellationToken);

            // Each round's revoke comes among checks that pass, however late the threads were started.
            int seen = Volatile.Read(ref before);
            SpinWait.SpinUntil(() => Volatile.Read(ref before) > seen);
            gate.Change(entry => entry with { State = KeyState.Revoked });
            isRevoked.Value = true;
            await Task.WhenAll(checkers);
            Assert.Equal(0, wrong);
        }
    }

    private sealed class StrongBox
    {
        private volatile bool _value;

        public bool Value
        {
            get => _value;
            set => _value = value;
        }
    }
}
