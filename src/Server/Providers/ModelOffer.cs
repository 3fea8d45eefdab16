using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Providers;

/// <summary>A model on offer. Where the provider has a wallet, one without a price cannot be used.</summary>
internal sealed record ModelOffer(string Id)
{
    public ModelPrice? Price { get; init; }

    /// <summary>Output tokens held for a request that names no bound of its own; 0 where the file gives none.</summary>
    public int OutputDefault { get; init; }

    /// <summary>The most output tokens a request can have; 0 where the file gives none.</summary>
    public int OutputMax { get; init; }
}
