using System.Security.Cryptography;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers;

/// <summary>A provider file, read and checked. Immutable: a changed file takes effect with the next start.</summary>
internal sealed record ProviderModel
{
    /// <summary>The path it was read from.</summary>
    public required string File { get; init; }

    /// <summary>That file and those that it extends, as they were read.</summary>
    public IReadOnlyList<ProviderSource> Sources { get; init; } = [];

    /// <summary>The name of the file without its ending: what a data folder remembers to belong to.</summary>
    public required string Name { get; init; }

    /// <summary>The name people know.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Where the company serves its API; for documentation and snippets only.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>The environment variable its SDKs read the key from.</summary>
    public required string KeyVariable { get; init; }

    public required KeyRules Keys { get; init; }

    public required ScopeCatalogue Scopes { get; init; }

    public required RouteTable Routes { get; init; }

    /// <summary>Numbered from 1 in requirements; see <see cref="ConditionOf"/>.</summary>
    public required IReadOnlyList<Condition> Conditions { get; init; }

    /// <summary>The models on offer.</summary>
    public required IReadOnlyList<ModelOffer> Models { get; init; }

    /// <summary>What is counted; at most 16.</summary>
    public IReadOnlyList<Limit> Limits { get; init; } = [];

    /// <summary>At least one; the first is the default.</summary>
    public IReadOnlyList<Plan> Plans { get; init; } = [Plan.Free];

    /// <summary>What customers may have so many of, by their plan; not a matter of time.</summary>
    public IReadOnlyList<Quota> Quotas { get; init; } = [];

    public required QuotaRoutes QuotaRoutes { get; init; }

    /// <summary>
    /// How many keys may be made or given a new secret in which time, for each person and each organization; null for any.
    /// </summary>
    public KeyOperationLimit? KeyOperations { get; init; }

    /// <summary>Null where requests are not paid for.</summary>
    public WalletRules? Wallet { get; init; }

    /// <summary>Null where there are no teams.</summary>
    public TeamRules? Teams { get; init; } = new();

    /// <summary>How the answers tell where a key's limits stand.</summary>
    public required RateHeaders RateHeaders { get; init; }

    public required Surface Surface { get; init; }

    public required Dialect Dialect { get; init; }

    public required IReadOnlyList<ProviderExample> Examples { get; init; }

    /// <summary>The bits of stored names; a name that the file no longer declares grants nothing.</summary>
    public Grants GrantsOf(IReadOnlyList<string> permissions, IReadOnlyList<string> scopes) =>
        new(Scopes.MaskOf(scopes), Scopes.ActionsOf(permissions));

    /// <summary>The condition under which the requirement's conditional scopes suffice; null when it has none.</summary>
    public Condition? ConditionOf(Requirement requirement) => requirement.Condition == 0 ? null : Conditions[requirement.Condition - 1];
}

/// <summary>A file as it was read: its path, and the SHA-256 of its bytes in small hexadecimal digits.</summary>
internal sealed record ProviderSource(string File, string Hash)
{
    public static ProviderSource Of(string file, byte[] bytes) => new(file, Convert.ToHexStringLower(SHA256.HashData(bytes)));
}
