using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Verification;

/// <summary>What a request will use at most, in the terms of the check. The default uses nothing that is known.</summary>
internal readonly record struct PricedUse
{
    /// <summary>The number the database gave the model; 0 for none.</summary>
    public ushort Model { get; init; }

    public ushort PriceVersion { get; init; }

    public int InputTokens { get; init; }

    public int OutputTokens { get; init; }

    /// <summary>Null where no price is known.</summary>
    public Money? Hold { get; init; }
}
