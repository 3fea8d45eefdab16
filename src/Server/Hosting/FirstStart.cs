using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Journal;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Usage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Hosting;

/// <summary>
/// What must be there before the first request: the data folder's one provider, the operator's root key, a first organization and project.
/// Made once, in one transaction; a second start finds it and prints no secret.
/// </summary>
internal sealed class FirstStart(
    Database database, OrganizationRegister organizations, ProviderModel provider, RootKey root, PriceBook prices, WalletMemory wallets,
    WalletThreshold threshold, Fold fold, ModelNames models, Remembrance remembrance, OperatorDoor operators,
    Crossing crossing)
{
    public const string ProviderSetting = "provider";
    public const string RootKeySetting = "root_key";

    /// <summary>The root key when it was made just now and must be shown, and the project that the printed lines use.</summary>
    public async Task<FirstStartResult> Prepare(string? chosenRootKey, CancellationToken cancel)
    {
        if (chosenRootKey is not null && !RootKey.IsAcceptable(chosenRootKey))
        {
            throw new StartException(
                $"TOLLGATE_ROOT_KEY must have {RootKey.LengthMin} to {Credential.SecretBytesMax} printable characters without spaces.");
        }

        var settings = await database.Settings(cancel);
        var owner = settings.GetValueOrDefault(ProviderSetting);
        if (owner is not null && owner != provider.Name)
        {
            throw new StartException(
                $"This data belongs to provider \"{owner}\"; it cannot be served as \"{provider.Name}\". Start with --provider {owner}, "
                + "or name another folder with --data (and another TOLLGATE_DATABASE, where one is set).");
        }

        var isFirst = owner is null;
        var kept = settings.GetValueOrDefault(RootKeySetting);
        var made = isFirst && chosenRootKey is null ? RootKey.New() : null;
        var isReplaced = false;
        string? once = null;
        if ((made ?? chosenRootKey) is { } secret)
        {
            root.Set(root.HashOf(secret));
            var hash = Convert.ToHexString(root.HashOf(secret));
            if (kept != hash)
            {
                isReplaced = !isFirst;
                once = await Write(isFirst, hash, cancel);
            }
        }
        else
        {
            root.Set(Convert.FromHexString(kept!));
        }

        // What an earlier process counted is in the database before anything new is; then memory learns of it.
        await fold.Open(cancel);
        await models.Load(provider.Models.Select(model => model.Id), cancel);
        await prices.Open(cancel);
        await wallets.Load(await remembrance.Held(cancel));
        await remembrance.RestoreReservations(cancel);
        await threshold.Follow(cancel);
        await crossing.Follow(cancel);
        return new FirstStartResult(isFirst, made, isReplaced, await organizations.FirstProject(cancel)) { OnceSecret = once };
    }

    /// <summary>After another process has owned the data: it may have been started with another root key.</summary>
    public async Task ReadRootKey() => root.Set(Convert.FromHexString((await database.Settings())[RootKeySetting]));

    /// <summary>The secret of a link for the operator, at the first start.</summary>
    private async Task<string?> Write(bool isFirst, string rootKeyHash, CancellationToken cancel)
    {
        var written = await database.Write<string>(
            async scope =>
            {
                await scope.SetSetting(RootKeySetting, rootKeyHash);
                await AuditLog.Append(scope, new AuditEntry
                {
                    Action = isFirst ? "root_key.set" : "root_key.replace", TargetType = "root_key", TargetId = Caller.Root.Id,
                });
                if (!isFirst)
                {
                    return "";
                }

                await scope.SetSetting(ProviderSetting, provider.Name);
                if (!(await organizations.Create(scope, "Operator", isOperator: true)).TryGet(out var organization, out var problem)
                    || !(await organizations.CreateProject(scope, organization.Id.Text, "First project")).TryGet(out _, out problem))
                {
                    return problem;
                }

                return await operators.MakeLink(scope, organization.Id.Text);
            },
            cancel);
        return written.Value is { Length: > 0 } secret ? secret : null;
    }
}

/// <summary>What the first lines on the screen need.</summary>
internal sealed record FirstStartResult(bool IsFirst, string? RootKey, bool RootKeyIsReplaced, Project? Project)
{
    /// <summary>Of the link that signs the first operator in; null at every later start.</summary>
    public string? OnceSecret { get; init; }
}

/// <summary>A start that cannot go on, in one sentence for the operator.</summary>
internal sealed class StartException(string message) : Exception(message);
