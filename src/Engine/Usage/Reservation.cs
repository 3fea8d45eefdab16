using System.Runtime.CompilerServices;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Usage;

/// <summary>A request that was admitted and is not settled: what stands aside for it, and what is needed to price it.</summary>
public struct Reservation
{
    /// <summary>The number of the request that made it.</summary>
    public long RequestNo { get; init; }

    public uint KeyNo { get; init; }

    public uint OrganizationNo { get; init; }

    /// <summary>Unix milliseconds of its admission.</summary>
    public long AdmittedAtMs { get; init; }

    /// <summary>The clock of the limits' windows at its admission.</summary>
    public long ClockMs { get; init; }

    /// <summary>The number the database gave the model; 0 for none.</summary>
    public ushort Model { get; init; }

    /// <summary>The version of the price list that <see cref="Held"/> comes from; 0 where no price was asked.</summary>
    public ushort PriceVersion { get; init; }

    /// <summary>What it was admitted with: its most input tokens.</summary>
    public uint InputTokens { get; init; }

    /// <summary>What it was admitted with: its most output tokens.</summary>
    public uint OutputTokens { get; init; }

    /// <summary>What its organization is billed at most.</summary>
    public Money Held { get; init; }

    /// <summary>The limits in which it was counted, a bit each by number.</summary>
    public ushort Limits { get; init; }

    /// <summary>Those of them that outlast a restart.</summary>
    public ushort LastingLimits { get; init; }

    /// <summary>What it is paid from; null where the provider has no wallet.</summary>
    public Balance? Balance { get; init; }

    /// <summary>How far it came, by its last mark; before that, its input and no output.</summary>
    public uint MarkedInputTokens { get; set; }

    /// <inheritdoc cref="MarkedInputTokens"/>
    public uint MarkedOutputTokens { get; set; }

    /// <summary>What it cost by its last mark; nothing before that, whatever its input costs.</summary>
    public Money MarkedCost { get; set; }

    public bool IsMarked { get; set; }

    /// <summary>Unix milliseconds of its admission or its last mark: from then on it may rest for as long as a reservation may.</summary>
    public long TouchedAtMs { get; set; }

    /// <summary>What is booked for it in its key's limits.</summary>
    internal BookedAmounts Booked;

    /// <summary>The next one of its bucket, or of the free ones, plus one; 0 ends.</summary>
    internal int Next;
}

/// <summary>How much was booked in which limit.</summary>
internal struct BookedAmounts
{
    private Amounts _amounts;
    private Numbers _numbers;
    private byte _count;

    public readonly int Count => _count;

    public readonly (byte Limit, uint Amount) this[int index] => (_numbers[index], _amounts[index]);

    public void Add(byte limit, uint amount)
    {
        _numbers[_count] = limit;
        _amounts[_count] = amount;
        _count++;
    }

    [InlineArray(LimitStates.Max)]
    private struct Amounts
    {
        private uint _first;
    }

    [InlineArray(LimitStates.Max)]
    private struct Numbers
    {
        private byte _first;
    }
}
