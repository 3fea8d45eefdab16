namespace Tollgate.Engine.Keys;

/// <summary>
/// Why a key may not be used. The low five bits are holds: each is set and lifted on its own, and lifting one lifts no other.
/// Revoked and deleted are final. None of them set means active; expiry is a time, not a state.
/// </summary>
[Flags]
public enum KeyState : byte
{
    Active = 0,
    HeldByPerson = 1,
    HeldByBalance = 2,
    HeldByLeak = 4,
    HeldByArchive = 8,
    HeldBySuspension = 16,
    Held = HeldByPerson | HeldByBalance | HeldByLeak | HeldByArchive | HeldBySuspension,
    Revoked = 32,
    Deleted = 64,
}
