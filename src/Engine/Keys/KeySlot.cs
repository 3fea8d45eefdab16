using System.Runtime.InteropServices;

namespace Tollgate.Engine.Keys;

/// <summary>
/// One secret version in 48 bytes: all that a check of a random key reads of it lies in one or two neighbouring cache lines. Written under
/// the table's lock between two steps of <see cref="Sequence"/>; read without a lock. The hash keeps 16 of 32 bytes (the probe starts from
/// the first 8, so nothing else is needed to place it): 128 bits are what a secret itself has to hide. What many keys share is in the
/// <see cref="KeyProfile"/>; what a check seldom needs is in the facts' header: the row version, the expiry.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct KeySlot
{
    public const int Bytes = 48;

    /// <summary>Odd while a writer is inside.</summary>
    public uint Sequence;

    /// <summary>0 marks a free slot.</summary>
    public uint KeyNo;

    public ulong Hash0;
    public ulong Hash1;

    /// <summary>The earlier of the key's expiry and this version's end.</summary>
    public long DeadlineMs;

    /// <summary>Where the facts lie, see <see cref="FactsArena"/>.</summary>
    public uint Facts;

    public uint ProjectIndex;

    /// <summary>The number of its <see cref="KeyProfile"/>.</summary>
    public uint Profile;

    public byte State;
    public KeySlotFlags Flags;

    /// <summary>Set by readers, cleared by the eviction's hand, by both without order: it only hints which keys are in use.</summary>
    public byte Used;
}

[Flags]
internal enum KeySlotFlags : byte
{
    None = 0,

    /// <summary>The deadline is the version's end, which comes before the key's expiry.</summary>
    EndsBeforeExpiry = 1,

    HasAddresses = 2,
}
