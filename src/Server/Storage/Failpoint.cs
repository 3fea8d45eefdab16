using System.Globalization;
using System.Runtime.InteropServices;

namespace Tollgate.Server.Storage;

/// <summary>
/// Places at which a test ends this very process, as a power cut would: the one that <c>TOLLGATE_FAILPOINT</c> names, the N-th time with
/// <c>:N</c> behind it. Without the variable a pass is the test of a field that never changes.
/// </summary>
internal static class Failpoint
{
    public const string Variable = "TOLLGATE_FAILPOINT";

    private const int Kill = 9;

    private static readonly string? Armed = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } set ? set : null;
    private static readonly string? Name = Armed?.Split(':')[0];
    private static int _left = Armed?.Split(':') is [_, var times] ? int.Parse(times, CultureInfo.InvariantCulture) : 1;

    public static void Pass(string name)
    {
        if (Armed is not null && name == Name && Interlocked.Decrement(ref _left) == 0)
        {
            // Nothing is flushed, closed or told. The signal ends every thread before the call returns.
            _ = SendSignal(Environment.ProcessId, Kill);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);
}
