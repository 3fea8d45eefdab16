using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>
/// The threshold at which keys are held is the provider file's, and a booking looks only at whether it was crossed. So at a start by which
/// it has moved, every organization is looked at once.
/// </summary>
internal sealed class WalletThreshold(
    Database database, OrganizationRegister organizations, WalletLedger ledger, ProviderModel provider)
{
    private const string Setting = "wallet_disable_at";
    private const string None = "none";
    private const int Batch = 100;

    /// <summary>At start, ahead of the first request. Cut short, it begins again with the next start and ends in the same state.</summary>
    public async Task Follow(CancellationToken cancel)
    {
        var now = provider.Wallet?.DisableAt?.ToString() ?? None;
        if (((await database.Settings(cancel)).GetValueOrDefault(Setting) ?? None) == now)
        {
            return;
        }

        for (var before = long.MaxValue; await organizations.List(before, Batch, cancel) is { Count: > 0 } page;)
        {
            foreach (var organization in page)
            {
                _ = (await database.Write<bool>(
                    async scope =>
                    {
                        await ledger.Weigh(scope, organization.OrganizationNo);
                        return true;
                    },
                    cancel)).Value;
            }

            before = page[^1].OrganizationNo;
        }

        _ = (await database.Write<bool>(
            async scope =>
            {
                await scope.SetSetting(Setting, now);
                return true;
            },
            cancel)).Value;
    }
}
