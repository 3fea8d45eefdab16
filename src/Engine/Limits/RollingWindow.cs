using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Limits;

/// <summary>
/// What one key has taken of one limit: a running sum over the slot that time stands in and the 30 before it. A slot is a thirtieth of the
/// window, and one that is still partly inside the window counts in full; so the sum is never less than what was taken in any span of the
/// window's length that ends now. The earlier slots lie beside it (see <see cref="LimitChunk"/>): a check that finds time in the same slot
/// as the last one reads these 32 bytes and no more.
/// </summary>
/// <remarks>
/// The slot with number n leaves the sum when the slot n + 31 begins. Between anything in the one and anything in the other there is more
/// than the window.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct RollingWindow
{
    public const int Bytes = 32;

    /// <summary>Earlier slots that still count.</summary>
    public const int EarlierSlots = 30;

    /// <summary>All that one active limit of a key takes.</summary>
    public const int StateBytes = Bytes + (EarlierSlots * sizeof(uint));

    private long _slotEndMs;
    private long _sum;
    private uint _current;

    /// <summary>Whose it is; 0 while it is nobody's.</summary>
    public uint KeyNo;

    /// <summary>The next one of its bucket, or of the free ones, plus one; 0 ends.</summary>
    public int Next;

    public byte Limit;

    // Where the oldest of the earlier slots stands; the next slot takes its place.
    private byte _oldest;

    /// <summary>All that counts; for concurrent requests those under way.</summary>
    public readonly long Sum => _sum;

    public static long SlotMsOf(long windowMs) => (windowMs + EarlierSlots - 1) / EarlierSlots;

    /// <summary>Makes it the empty window of a key.</summary>
    public void Open(uint keyNo, byte limit, long clockMs, long slotMs)
    {
        (KeyNo, Limit) = (keyNo, limit);
        (_sum, _current, _oldest) = (0, 0, 0);
        _slotEndMs = slotMs == 0 ? 0 : SlotEndOf(clockMs, slotMs);
    }

    /// <summary>Whether time has left its slot, so that <see cref="Turn"/> must come before anything is read or counted.</summary>
    public readonly bool IsPast(long clockMs) => clockMs >= _slotEndMs;

    /// <summary>Lets time reach the slot of <paramref name="clockMs"/>.</summary>
    public void Turn(long clockMs, long slotMs, Span<uint> earlier)
    {
        long slots = ((clockMs - _slotEndMs) / slotMs) + 1;
        _slotEndMs += slots * slotMs;
        if (slots > EarlierSlots)
        {
            earlier.Clear();
            (_sum, _current) = (0, 0);
            return;
        }

        for (; slots > 0; slots--)
        {
            _sum -= earlier[_oldest];
            earlier[_oldest] = _current;
            _current = 0;
            _oldest = (byte)(_oldest + 1 == EarlierSlots ? 0 : _oldest + 1);
        }
    }

    /// <summary>Counts further in the present slot.</summary>
    public void Book(uint amount)
    {
        _current += amount;
        _sum += amount;
    }

    /// <summary>Counts a request under way, or one less.</summary>
    public void BookConcurrent(int change) => _sum = Math.Max(0, _sum + change);

    /// <summary>
    /// Changes what was counted at an earlier moment, if that still counts. A slot never falls below nothing, nor rises above what it
    /// can hold.
    /// </summary>
    public void Adjust(long bookedClockMs, long change, long slotMs, Span<uint> earlier)
    {
        long age = Math.Max(0, (_slotEndMs - SlotEndOf(bookedClockMs, slotMs)) / slotMs);
        if (age > EarlierSlots)
        {
            return;
        }

        ref uint slot = ref _current;
        if (age > 0)
        {
            slot = ref earlier[IndexOf((int)age)];
        }

        long amount = Math.Clamp(slot + change, 0, uint.MaxValue);
        _sum += amount - slot;
        slot = (uint)amount;
    }

    /// <summary>The moment at which so much has left the sum that <paramref name="excess"/> of it is gone.</summary>
    public readonly long FreesAt(long excess, long slotMs, ReadOnlySpan<uint> earlier)
    {
        Debug.Assert(excess > 0 && excess <= _sum, "No more can leave than there is.");
        for (int age = EarlierSlots; age > 0; age--)
        {
            excess -= earlier[IndexOf(age)];
            if (excess <= 0)
            {
                return LeavesAt(age, slotMs);
            }
        }

        return LeavesAt(0, slotMs);
    }

    /// <summary>Whether something was counted in the present slot, so that the sum is empty at <see cref="LastLeavesAt"/>.</summary>
    public readonly bool IsFresh => _current > 0;

    /// <summary>The moment at which the present slot leaves the sum.</summary>
    public readonly long LastLeavesAt(long slotMs) => LeavesAt(0, slotMs);

    /// <summary>The moment at which nothing is left of the sum, where nothing was counted in the present slot.</summary>
    public readonly long EmptyAt(long slotMs, ReadOnlySpan<uint> earlier)
    {
        for (int age = 1; age <= EarlierSlots && _sum > 0; age++)
        {
            if (earlier[IndexOf(age)] > 0)
            {
                return LeavesAt(age, slotMs);
            }
        }

        return 0;
    }

    private static long SlotEndOf(long clockMs, long slotMs) => ((clockMs / slotMs) + 1) * slotMs;

    private readonly long LeavesAt(int age, long slotMs) => _slotEndMs + ((EarlierSlots - age) * slotMs);

    private readonly int IndexOf(int age) => _oldest >= age ? _oldest - age : _oldest - age + EarlierSlots;
}
