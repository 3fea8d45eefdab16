using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Tollgate.Engine.Keys;

/// <summary>
/// Asks the processor to bring a place in memory near while other work goes on: among ten million keys most of a look-up is waiting for
/// memory. Where the processor has no such instruction, nothing happens.
/// </summary>
internal static unsafe class CacheLines
{
    private const int LineBytes = 64;

    /// <summary>The line of a place and the next one, which a slot or a record that begins near a line's end reaches into.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ask<T>(ref readonly T place)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            // The address is only hinted at, so it does not matter if the collector moves what lies there.
            byte* address = (byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in place));
            Sse.Prefetch0(address);
            Sse.Prefetch0(address + LineBytes);
        }
    }
}
