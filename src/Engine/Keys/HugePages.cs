using System.Runtime.InteropServices;

namespace Tollgate.Engine.Keys;

/// <summary>
/// Asks the system to back a large pinned array with large pages, so that a look-up at random finds its address translated. Only a hint:
/// where it is not taken, or the system is another, everything works as without.
/// </summary>
internal static partial class HugePages
{
    private const long PageBytes = 2L << 20;
    private const int Advice = 14;

    /// <summary>For memory nobody has written to yet: a page is chosen when it is first touched.</summary>
    public static void Ask<T>(T[] pinned)
        where T : unmanaged
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        long start = Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
        long end = start + ((long)pinned.Length * Marshal.SizeOf<T>());
        long first = (start + PageBytes - 1) / PageBytes * PageBytes;
        long last = end / PageBytes * PageBytes;
        if (last > first)
        {
            _ = Advise((nint)first, (nuint)(last - first), Advice);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nuint length, int advice);
}
