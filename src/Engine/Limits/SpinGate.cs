using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Limits;

/// <summary>
/// A lock for sections of some ten nanoseconds: it is held over arithmetic and atomics, never over I/O or another wait. Who
/// finds it taken spins, and lets others run when that takes long, for its holder may have lost its core.
/// The runtime lays it behind the other fields of its object, so its size keeps the next object's fields off its cache line.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct SpinGate
{
    [FieldOffset(0)]
    private int _taken;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (Interlocked.CompareExchange(ref _taken, 1, 0) != 0)
        {
            EnterSlowly();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Volatile.Write(ref _taken, 0);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterSlowly()
    {
        var spin = default(SpinWait);
        do
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
        while (Volatile.Read(ref _taken) != 0 || Interlocked.CompareExchange(ref _taken, 1, 0) != 0);
    }
}
