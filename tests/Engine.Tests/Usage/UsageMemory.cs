using System.Runtime.InteropServices;
using Tollgate.Engine.Usage;

namespace Tollgate.Engine.Tests.Usage;

/// <summary>Memory for a usage buffer, which a test can look at and spoil, and open again as another process would.</summary>
internal sealed unsafe class UsageMemory : IDisposable
{
    private readonly void* _memory;

    public UsageMemory(int capacity)
    {
        _memory = NativeMemory.AlignedAlloc((nuint)capacity * UsageEvent.Bytes, 64);
        NativeMemory.Clear(_memory, (nuint)capacity * UsageEvent.Bytes);
        Capacity = capacity;
        Buffer = new UsageBuffer(_memory, capacity, last: 0);
    }

    public int Capacity { get; }

    public UsageBuffer Buffer { get; private set; }

    public Span<byte> Bytes => new(_memory, Capacity * UsageEvent.Bytes);

    public UsageBuffer Reopen(long last) => Buffer = new UsageBuffer(_memory, Capacity, last);

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
