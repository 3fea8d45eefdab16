using System.Runtime.CompilerServices;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Usage;

/// <summary>A request that was admitted and is not settled: what stands aside for it, and what is needed to price it.</summary>
public struct Reservation
{
    /// <summary>The number of the request that made it.</summary>
    public long RequestNo { readonly get; set; }

    public uint KeyNo { readonly get; set; }

    public uint OrganizationNo { readonly get; set; }

    /// <summary>Unix milliseconds of its admission.</summary>
    public long AdmittedAtMs { readonly get; set; }

    /// <summary>The clock of the limits' windows at its admission.</summary>
    public long ClockMs { readonly get; set; }

    /// <summary>The number the database gave the model; 0 for none.</summary>
    public ushort Model { readonly get; set; }

    /// <summary>The version of the price list that <see cref="Held"/> comes from; 0 where no price was asked.</summary>
    public ushort PriceVersion { readonly get; set; }

    /// <summary>What it was admitted with: its most input tokens.</summary>
    public uint InputTokens { readonly get; set; }

    /// <summary>What it was admitted with: its most output tokens.</summary>
    public uint OutputTokens { readonly get; set; }

    /// <summary>What its organization is billed at most.</summary>
    public Money Held { readonly get; set; }

    /// <summary>The limits in which it was counted, a bit each by number.</summary>
    public ushort Limits { readonly get; set; }

    /// <summary>Those of them that outlast a restart.</summary>
    public ushort LastingLimits { readonly get; set; }

    /// <summary>What it is paid from; null where the provider has no wallet.</summary>
    public Balance? Balance { readonly get; set; }

    /// <summary>How far it came, by its last mark; before that, its input and no output.</summary>
    public uint MarkedInputTokens { readonly get; set; }

    /// <inheritdoc cref="MarkedInputTokens"/>
    public uint MarkedOutputTokens { readonly get; set; }

    /// <summary>What it cost by its last mark; nothing before that, whatever its input costs.</summary>
    public Money MarkedCost { readonly get; set; }

    public bool IsMarked { readonly get; set; }

    /// <summary>
    /// When it was admitted or marked last, by the clock of windows, which no change of the wall's moves: from then on it may rest for as long
    /// as a reservation may.
    /// </summary>
    public long TouchedMs { readonly get; set; }

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
