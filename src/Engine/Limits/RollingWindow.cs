using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Limits;

/// <summary>
/// What one key has taken of one limit: a running sum over the slot that time stands in and the 30 before it. A slot is a thirtieth of the
/// window, and one that is still partly inside the window counts in full; so the sum is never less than what was taken in any span of the
/// window's length that ends now. The earlier slots lie beside it (see <see cref="LimitStripe"/>): a check that finds time in the same slot
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

    private const int NumberBits = 4;
    private const ulong NumberMask = (1 << NumberBits) - 1;

    private long _slotEndMs;
    private long _sum;

    /// <summary>Whose it is, see <see cref="OwnerOf"/>; 0 while it is nobody's.</summary>
    public ulong Owner;

    private uint _current;

    /// <summary>The next one of its bucket, or of the free ones, plus one; 0 ends.</summary>
    public int Next;

    /// <summary>All that counts; for concurrent requests those under way.</summary>
    public readonly long Sum => _sum;

    public static long SlotMsOf(long windowMs) => (windowMs + EarlierSlots - 1) / EarlierSlots;

    /// <summary>The number of a key and of a limit in one, so that one comparison finds its window.</summary>
    public static ulong OwnerOf(uint keyNo, byte limit) => ((ulong)keyNo << NumberBits) | limit;

    public static uint KeyNoOf(ulong owner) => (uint)(owner >> NumberBits);

    public static byte LimitOf(ulong owner) => (byte)(owner & NumberMask);

    /// <summary>Makes it an empty window.</summary>
    public void Open(ulong owner, long clockMs, long slotMs)
    {
        Owner = owner;
        (_sum, _current) = (0, 0);
        _slotEndMs = slotMs == 0 ? 0 : SlotEndOf(clockMs, slotMs);
    }

    /// <summary>Whether time has left its slot, so that <see cref="Turn"/> must come before anything is read or counted.</summary>
    public readonly bool IsPast(long clockMs) => clockMs >= _slotEndMs;

    /// <summary>Lets time reach the slot of <paramref name="clockMs"/>.</summary>
    public void Turn(long clockMs, long slotMs, Span<uint> earlier)
    {
        long late = clockMs - _slotEndMs;
        if (late < slotMs)
        {
            // A key in use mostly goes one slot on, and dividing takes longer than all the rest of that.
            Leave(ref earlier[IndexOf(SlotNumber(slotMs))]);
            _slotEndMs += slotMs;
            return;
        }

        long slots = (late / slotMs) + 1;
        if (slots > EarlierSlots)
        {
            earlier.Clear();
            (_sum, _current) = (0, 0);
        }
        else
        {
            for (long number = SlotNumber(slotMs); slots > 0; slots--, number++)
            {
                Leave(ref earlier[IndexOf(number)]);
            }
        }

        _slotEndMs = SlotEndOf(clockMs, slotMs);
    }

    /// <summary>Counts further in the present slot.</summary>
    public void Book(uint amount)
    {
        _current += amount;
        _sum += amount;
    }

    /// <summary>Undoes a booking before anything else has happened.</summary>
    public void GiveBack(uint amount)
    {
        _current -= amount;
        _sum -= amount;
    }

    /// <summary>Where no window is: counts requests under way, or fewer of them.</summary>
    public void BookConcurrent(int change)
    {
        _sum = Math.Max(0, _sum + change);
        _current = (uint)_sum;
    }

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
            slot = ref earlier[IndexOf(SlotNumber(slotMs) - age)];
        }

        long amount = Math.Clamp(slot + change, 0, uint.MaxValue);
        _sum += amount - slot;
        slot = (uint)amount;
    }

    /// <summary>The moment at which so much has left the sum that <paramref name="excess"/> of it is gone.</summary>
    public readonly long FreesAt(long excess, long slotMs, ReadOnlySpan<uint> earlier)
    {
        Debug.Assert(excess > 0 && excess <= _sum, "No more can leave than there is.");
        long number = SlotNumber(slotMs);
        for (int age = EarlierSlots; age > 0; age--)
        {
            excess -= earlier[IndexOf(number - age)];
            if (excess <= 0)
            {
                return LeavesAt(age, slotMs);
            }
        }

        return LeavesAt(0, slotMs);
    }

    /// <summary>Whether something was counted in the present slot.</summary>
    public readonly bool IsFresh => _current > 0;

    public readonly long SlotEndMs => _slotEndMs;

    /// <summary>The moment at which nothing is left of the sum; 0 when nothing is.</summary>
    public readonly long EmptyAt(long slotMs, ReadOnlySpan<uint> earlier)
    {
        if (IsFresh)
        {
            return LeavesAt(0, slotMs);
        }

        long number = SlotNumber(slotMs);
        for (int age = 1; age <= EarlierSlots && _sum > 0; age++)
        {
            if (earlier[IndexOf(number - age)] > 0)
            {
                return LeavesAt(age, slotMs);
            }
        }

        return 0;
    }

    // The oldest slot leaves the sum, and the present one takes its place.
    private void Leave(ref uint oldest)
    {
        _sum -= oldest;
        oldest = _current;
        _current = 0;
    }

    private static long SlotEndOf(long clockMs, long slotMs) => ((clockMs / slotMs) + 1) * slotMs;

    private readonly long LeavesAt(int age, long slotMs) => _slotEndMs + ((EarlierSlots - age) * slotMs);

    // An earlier slot stands at its number's place in the ring. The present one will take that of the oldest.
    // Before the clock's first slots there are others, down to the ring's length.
    private static int IndexOf(long number) => (int)((number + EarlierSlots) % EarlierSlots);

    private readonly long SlotNumber(long slotMs) => (_slotEndMs / slotMs) - 1;
}
