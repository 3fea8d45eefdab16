using System.Runtime.CompilerServices;

namespace Tollgate.Engine.Usage;

/// <summary>
/// The checksum of an event as it is filled in. What is not set adds nothing, so an admission, which leaves half of an event empty, sums up
/// the other half from what it has at hand: to read the event back took as long as all else about it. The numbers are those of
/// <see cref="UsageBuffer"/>, which checks them whenever it reads.
/// </summary>
internal struct UsageChecksum(long sequence)
{
    private ulong _sum = unchecked((ulong)~sequence * 0x9E37_79B9_7F4A_7C15UL);

    public readonly uint Value => (uint)(_sum >> 32);

    /// <summary>A request that happens when it is admitted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddRequest(long requestNo, long atMs, long clockMs, uint keyNo, uint organizationNo)
    {
        const ulong At = 0x1656_67B1_9E37_79F9UL;
        const ulong AdmittedAt = 0x85EB_CA77_C2B2_AE63UL;
        unchecked
        {
            _sum += ((ulong)requestNo * 0xC2B2_AE3D_27D4_EB4FUL)
                + ((ulong)atMs * (At + AdmittedAt))
                + ((ulong)clockMs * 0xD6E8_FEB8_6659_FD93UL)
                + ((keyNo | ((ulong)organizationNo << 32)) * 0xA076_1D64_78BD_642FUL);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddUse(long costMicros, uint inputTokens, uint outputTokens, ushort model, ushort priceVersion)
    {
        unchecked
        {
            _sum += ((ulong)costMicros * 0x27D4_EB2F_1656_67C5UL)
                + ((inputTokens | ((ulong)outputTokens << 32)) * 0xE703_7ED1_A0B4_28DBUL)
                + ((((ulong)model << 32) | ((ulong)priceVersion << 48)) * 0x8EBC_6AF0_9C88_C6E3UL);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddKind(UsageKind kind, UsageFlags flags, ushort limits, ushort lastingLimits)
    {
        unchecked
        {
            _sum += ((((ulong)lastingLimits << 16) | ((ulong)limits << 32)) * 0x5899_65CC_7537_4CC3UL)
                + (((ulong)kind | ((ulong)flags << 16)) * 0x1D8E_4E27_C47D_124FUL);
        }
    }
}
