using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Wallet;

/// <summary>Wallets on the management API. Money comes in by the operator alone; an organization's own keys may look.</summary>
internal static class WalletEndpoints
{
    public static void MapWallets(this IEndpointRouteBuilder api)
    {
        var wallets = api.MapGroup("/organizations/{id}/wallet").WithTags("Wallets");
        wallets.MapPost("/entries", Enter).WithName("createWalletEntry").WithSummary("Put money into a wallet, or correct it")
            .Takes(typeof(CreateWalletEntry)).Gives(typeof(WalletEntryAnswer), 201).Gives(typeof(WalletEntryAnswer)).OperatorOnly()
            .For(Act.Rule).Idempotent();
        wallets.MapGet("", Show).WithName("getWallet").WithSummary("Read a wallet").Gives(typeof(WalletAnswer)).Needs(Rights.UsageRead)
            .For(Act.ReadAccount);
        wallets.MapGet("/entries", List).WithName("listWalletEntries").WithSummary("List the entries of a wallet, newest first")
            .Gives(typeof(WalletEntryList)).Needs(Rights.UsageRead).For(Act.ReadAccount);
    }

    private static async Task<IResult> Enter(
        HttpContext http, string id, WalletLedger ledger, MutationRunner mutations)
    {
        if (!(await RequestBody.Read(http, WalletWire.Default.CreateWalletEntry)).TryGet(out var body, out var problem)
            || !EntryTerms.Read(body.Value).TryGet(out var terms, out problem))
        {
            return new ProblemResult(problem);
        }

        if (terms.Amount < Money.Zero)
        {
            // Requests that have just ended hold nothing any more: then nor do they in the database.
            await (ledger.TakeIn?.Invoke() ?? Task.CompletedTask);
        }

        return await mutations.Run(http, body.Raw, async scope =>
            (await OrganizationRegister.Find(scope, id)).TryGet(out var organization, out var fault)
            && (await ledger.Enter(scope, organization, terms)).TryGet(out var entered, out fault)
                ? MutationAnswer.Of(
                    entered.IsNew ? 201 : 200, WalletEntryAnswer.Of(entered.Entry), WalletWire.Default.WalletEntryAnswer)
                : fault);
    }

    private static async Task<IResult> Show(
        HttpContext http, string id, OrganizationRegister register, WalletLedger ledger, ProviderModel provider) =>
        (await Seen(http, id, register, provider)).TryGet(out var organization, out var problem)
            ? Answers.Json(
                WalletAnswer.Of(ledger.FiguresOf(organization.OrganizationNo), provider.Wallet!.Currency),
                WalletWire.Default.WalletAnswer)
            : new ProblemResult(problem);

    private static async Task<IResult> List(
        HttpContext http, string id, OrganizationRegister register, WalletLedger ledger, ProviderModel provider, Pages pages, int? limit,
        string? cursor)
    {
        if (!(await Seen(http, id, register, provider)).TryGet(out var organization, out var problem)
            || !pages.Read(http, $"wallet entries {organization.Id}", limit, cursor).TryGet(out var page, out problem))
        {
            return new ProblemResult(problem);
        }

        var rows = await ledger.List(organization.OrganizationNo, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, entry => entry.EntryNo);
        return Answers.Json(
            new WalletEntryList([.. data.Select(WalletEntryAnswer.Of)], next), WalletWire.Default.WalletEntryList);
    }

    /// <summary>A key sees its own organization's wallet; any other is as absent as one that never was.</summary>
    private static async Task<Outcome<Organization>> Seen(
        HttpContext http, string id, OrganizationRegister register, ProviderModel provider)
    {
        var caller = Caller.Of(http);
        if (!caller.IsRoot && caller.OrganizationId != id)
        {
            return OrganizationRegister.NoOrganization;
        }

        return !(await register.Find(id, http.RequestAborted)).TryGet(out var organization, out var problem) ? problem
            : provider.Wallet is null ? WalletLedger.NoWallet
            : organization;
    }
}
