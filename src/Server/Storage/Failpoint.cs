using System.Globalization;
using System.Runtime.InteropServices;

namespace Tollgate.Server.Storage;

/// <summary>
/// Where the tests let this process die as by <c>kill -9</c>: at the point that TOLLGATE_FAILPOINT names, or, written <c>name:N</c>, when
/// it is passed for the N-th time. Without the variable a point costs one comparison with null.
/// A name with a dot, noun.what, is a place in a change, and the tests kill at each of them; one with a dash is a place in the work of an
/// operator's verb, verb-what, and says what has been done by then: <c>restore-ready</c> that nothing is in place yet,
/// <c>restore-swapped</c> that it is.
/// </summary>
internal static class Failpoint
{
    private const int SigKill = 9;

    private static readonly (string? Name, int Time) Armed = Read(Environment.GetEnvironmentVariable("TOLLGATE_FAILPOINT"));

    private static int _passed;

    public static void Pass(string name)
    {
        if (Armed.Name is not null && Armed.Name == name && Interlocked.Increment(ref _passed) == Armed.Time)
        {
            // Nothing is flushed, closed or run on the way out.
            _ = Kill(Environment.ProcessId, SigKill);
        }
    }

    private static (string? Name, int Time) Read(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return (null, 0);
        }

        return text.Split(':') is [var name, var time] ? (name, int.Parse(time, CultureInfo.InvariantCulture)) : (text, 1);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
