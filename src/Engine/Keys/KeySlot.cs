using System.Runtime.InteropServices;

namespace Tollgate.Engine.Keys;

/// <summary>
/// One secret version: a cache line, so that a check of a random key costs one miss. Written under the table's lock between two steps of
/// <see cref="Sequence"/>; read without a lock. The hash keeps 24 of 32 bytes (the probe starts from the first 8, so nothing else is
/// needed to place it): 192 bits are as far beyond guessing as 256. What a check seldom needs is in the facts' header: the row version,
/// the expiry.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct KeySlot
{
    public const int Bytes = 64;

    /// <summary>Odd while a writer is inside.</summary>
    public uint Sequence;

    /// <summary>0 marks a free slot.</summary>
    public uint KeyNo;

    public ulong Hash0;
    public ulong Hash1;
    public ulong Hash2;
    public ulong Scopes;

    /// <summary>The earlier of the key's expiry and this version's end.</summary>
    public long DeadlineMs;

    /// <summary>Where the facts lie, see <see cref="FactsArena"/>.</summary>
    public uint Facts;

    public uint ProjectIndex;
    public byte Actions;
    public byte Rights;
    public byte State;
    public byte Environment;
    public byte Type;
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
