using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Providers;

/// <summary>How requests are paid for.</summary>
internal sealed record WalletRules
{
    public const int StepTokensDefault = 256;
    public const int StepTokensMax = 100_000;

    /// <summary>ISO 4217, such as USD: one for all wallets.</summary>
    public required string Currency { get; init; }

    /// <summary>Keys are made only where the balance is above this; null to ask nothing.</summary>
    public Money? ToCreateAbove { get; init; }

    /// <summary>At this balance or less the organization's keys are disabled until money is put in; null never.</summary>
    public Money? DisableAt { get; init; }

    /// <summary>At this balance or less the owner is told; null never.</summary>
    public Money? LowAt { get; init; }

    /// <summary>How much of what a request may cost is held before it begins.</summary>
    public WalletMode Mode { get; init; }

    /// <summary>Output tokens that are paid ahead at a time where holds are extended.</summary>
    public int StepTokens { get; init; } = StepTokensDefault;

    /// <summary>Where customers put money in; told in refusals and mails.</summary>
    public string? TopUpUrl { get; init; }
}

/// <summary>How much of what a request may cost is held before it begins. The default is all of it.</summary>
internal enum WalletMode
{
    /// <summary>All that it can cost.</summary>
    Strict,

    /// <summary>Its input and some output; more is held as the answer grows, and it ends where no more can be.</summary>
    Extend,
}
