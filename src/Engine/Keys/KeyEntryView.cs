using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Keys;

/// <summary>
/// A key as one check saw it: a copy of its slot, and the memory its facts lie in. That memory is written once, so the view stays whole
/// whatever happens to the table afterwards. The default is no key (<see cref="KeyNo"/> 0).
/// </summary>
public readonly struct KeyEntryView
{
    private readonly KeySlot _slot;
    private readonly KeyProfile? _profile;
    private readonly byte[]? _chunk;
    private readonly int _record;

    internal KeyEntryView(in KeySlot slot, KeyProfile profile, byte[] chunk, int record)
    {
        _slot = slot;
        _profile = profile;
        _chunk = chunk;
        _record = record;
    }

    public uint KeyNo => _slot.KeyNo;

    /// <summary>What it has in common with other keys.</summary>
    public KeyProfile Profile => _profile ?? KeyProfile.None;

    public Grants Grants => Profile.Grants;

    public Rights Rights => Profile.Rights;

    public KeyState State => (KeyState)_slot.State;

    public KeyState Holds => State & KeyState.Held;

    public byte Environment => Profile.Environment;

    public byte Type => Profile.Type;

    public uint ProjectIndex => _slot.ProjectIndex;

    /// <summary>Unix milliseconds; <see cref="long.MaxValue"/> for never, and for no key.</summary>
    public long ExpiresAtMs => _chunk is null ? long.MaxValue : FactsArena.ExpiresAtMsOf(_chunk, _record);

    /// <summary>When this secret stops ahead of its key, because a rotation has replaced it; null for a current one.</summary>
    public long? SecretEndsAtMs => EndsBeforeExpiry ? _slot.DeadlineMs : null;

    /// <summary>The row version this view was made from.</summary>
    public long Version => _chunk is null ? 0 : FactsArena.VersionOf(_chunk, _record);

    /// <summary>The facts given with the entry. Memory, so that an asynchronous caller may keep it.</summary>
    public ReadOnlyMemory<byte> Facts => _chunk is null ? default : FactsArena.FactsOf(_chunk, _record);

    internal long DeadlineMs => _slot.DeadlineMs;

    internal bool EndsBeforeExpiry => (_slot.Flags & KeySlotFlags.EndsBeforeExpiry) != 0;

    internal bool HasAddresses => (_slot.Flags & KeySlotFlags.HasAddresses) != 0;

    internal ReadOnlySpan<byte> Addresses => _chunk is null ? default : FactsArena.AddressesOf(_chunk, _record);
}
