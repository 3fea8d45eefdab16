using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Providers;

/// <summary>How requests are paid for.</summary>
internal sealed record WalletRules
{
    /// <summary>ISO 4217, such as USD: one for all wallets.</summary>
    public required string Currency { get; init; }

    /// <summary>Keys are made only where the balance is above this; null to ask nothing.</summary>
    public Money? ToCreateAbove { get; init; }

    /// <summary>At this balance or less the organization's keys are disabled until money is put in; null never.</summary>
    public Money? DisableAt { get; init; }

    /// <summary>At this balance or less the owner is told; null never.</summary>
    public Money? LowAt { get; init; }

    /// <summary>Where customers put money in; told in refusals and mails.</summary>
    public string? TopUpUrl { get; init; }
}
