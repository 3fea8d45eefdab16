using System.Data.Common;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Gateway.Relay;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wallet;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Keys;

/// <summary>
/// The door of the room: keys are issued, found, listed, narrowed and ended here, and nowhere else. Each change commits its row, its audit
/// row and its change row in one transaction, and drops the key from the memory table before the call returns: the next check reads it
/// anew.
/// </summary>
internal sealed partial class KeyRing(
    Database database, OrganizationRegister organizations, PlanBook plans, WalletLedger wallets, ProviderModel provider, SecretMint mint,
    KeyFeed feed, KeyOperationCount operations, WebhookOutbox outbox, OpenRequests open, ModelNumbers models, ArchiveHolds archives)
{
    private readonly TermsReader _terms = new(provider);

    /// <summary>Makes a key, or takes in one whose secret was made elsewhere.</summary>
    public async Task<Outcome<IssuedKey>> Issue(WriteScope scope, string projectId, CreateKey asked)
    {
        var caller = scope.Context.Caller;
        if (!(await OpenProject(scope, caller, projectId)).TryGet(out var project, out var problem)
            || !_terms.Read(asked, caller, plans.Of(project.OrganizationPlan), scope.NowMs).TryGet(out var terms, out problem)
            || !mint.Make(asked.SecretSha256, terms.Environment, caller).TryGet(out var secret, out problem))
        {
            return problem;
        }

        if (await archives.Of(scope, project.OrganizationNo) != KeyState.Active)
        {
            return new Problem(
                ProblemCode.Conflict,
                "The keys of this organization are archived while its owner is in a team, and so would be a new one. Make it in the team.");
        }

        if (await operations.Take(scope, project.OrganizationNo) is { } tooMany)
        {
            return tooMany;
        }

        if (caller.Kind == CallerKind.Key && await OwnTerms(scope, caller) is var own && !Width.IsWithin(terms, own, provider))
        {
            return Width.Refusal(terms, own, provider);
        }

        if (Width.RefusalTo(caller, terms.Rights) is { } wider)
        {
            return wider;
        }

        if (await Stale(scope, terms.Rights, project.OrganizationId.Text) is { } stale)
        {
            return stale;
        }

        if (wallets.RefuseKey(project.OrganizationNo) is { } needsBalance)
        {
            return needsBalance;
        }

        if (await models.Give(scope, terms.Models) is { } tooManyModels)
        {
            return tooManyModels;
        }

        var key = KeyOf(project, terms, scope) with
        {
            KeyNo = await scope.NextNumber("key"),
            Holds = await wallets.IsDrained(scope, project.OrganizationNo) ? KeyState.HeldByBalance : KeyState.Active,
        };
        var version = new KeySecret { Version = 1, Mask = secret.Mask, CreatedAtMs = scope.NowMs };
        await KeySql.Insert(scope, key);
        Failpoint.Pass("key.row");
        if (!await KeySql.InsertSecret(scope, key.KeyNo, version, secret.Hash, secret.Sealed))
        {
            return Problem.Of(ProblemCode.SecretTaken);
        }

        Failpoint.Pass("secret.row");
        key = key with { Secrets = [version] };
        await Record(scope, "key.create", null, key);
        scope.AfterCommit(() => feed.Forget(secret.Sha256));
        return new IssuedKey(key, secret.Text);
    }

    /// <summary>A key whoever asks, for who settles what people reach. On a transaction where there is one.</summary>
    public static async Task<Key?> Look(DbConnection connection, DbTransaction? transaction, string id) =>
        KeyId.TryParse(id, out var keyId) ? await KeySql.Find(connection, transaction, keyId) : null;

    /// <summary>The key, when the caller may see it: its own, or with <c>keys:read</c> one of its project and environment.</summary>
    public async Task<Outcome<Key>> Find(Caller caller, string id, CancellationToken cancel) =>
        KeyId.TryParse(id, out var keyId) && await database.Read(c => KeySql.Find(c, null, keyId), cancel) is { } key
            ? Seen(caller, key, Rights.KeysRead | Rights.KeysManage)
            : NoKey;

    /// <summary>
    /// Newest first. The caller's right to list is the endpoint's to check; a key sees its own project and environment only.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="projectId">Whose keys.</param>
    /// <param name="status">In this status; null for all but the deleted.</param>
    /// <param name="before">Those with numbers below it.</param>
    /// <param name="limit">The most.</param>
    /// <param name="nowMs">What counts as expired.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="createdBy">Those that this one has made; null for all.</param>
    /// <param name="isOpen">Whether revoked ones are left out.</param>
    public async Task<Outcome<List<Key>>> List(
        Caller caller, string projectId, string? status, long before, int limit, long nowMs, CancellationToken cancel,
        string? createdBy = null, bool isOpen = false)
    {
        if (!(await organizations.FindProject(projectId, cancel)).TryGet(out var project, out var problem)
            || !Owns(caller, project, out problem))
        {
            return problem;
        }

        var filter = new KeyFilter(project.ProjectNo, caller.Environment, status, createdBy, before, limit, nowMs)
        {
            IsOpen = isOpen ? 1 : 0,
        };
        return await database.Read(c => KeySql.List(c, filter), cancel);
    }

    /// <summary>The newest key of a project that a person has made themselves and that has not ended; null for none.</summary>
    public Task<Key?> NewestOf(Project project, string personId, CancellationToken cancel) =>
        database.Read(connection => KeySql.NewestOf(connection, null, project.ProjectNo, personId), cancel);

    /// <summary>The same, within a write of that person's.</summary>
    public static Task<Key?> NewestOf(WriteScope scope, Project project) =>
        KeySql.NewestOf(scope.Connection, scope.Transaction, project.ProjectNo, scope.Context.Caller.Id);

    /// <summary>
    /// Renames or changes a key. A key as caller can only narrow, and so can people where the key has rights that their role has not;
    /// else they, and the operator, may set whatever the provider file allows.
    /// </summary>
    public async Task<Outcome<Key>> Change(WriteScope scope, string id, ChangeKey asked)
    {
        var caller = scope.Context.Caller;
        if (!(await Managed(scope, id)).TryGet(out var before, out var problem)
            || !_terms.Read(before, asked, plans.Of(before.Plan), scope.NowMs).TryGet(out var terms, out problem))
        {
            return problem;
        }

        if (caller.Kind == CallerKind.Key && !Width.IsWithin(terms, KeyTerms.Of(before), provider))
        {
            return new Problem(ProblemCode.WiderThanCaller, "A key can be narrowed, not widened. Make a new key instead.");
        }

        if (!Width.IsWithin(terms, KeyTerms.Of(before), provider) && Width.RefusalTo(caller, terms.Rights) is { } wider)
        {
            return wider;
        }

        if (await Stale(scope, terms.Rights, before.OrganizationId) is { } stale)
        {
            return stale;
        }

        if (await models.Give(scope, terms.Models) is { } tooManyModels)
        {
            return tooManyModels;
        }

        return await Save(scope, "key.change", before, before with
        {
            Name = terms.Name,
            Description = terms.Description,
            Permissions = terms.Permissions,
            Scopes = terms.Scopes,
            Rights = terms.Rights,
            AllowedAddresses = terms.AllowedAddresses,
            Limits = terms.Limits,
            Models = terms.Models,
            Metadata = terms.Metadata,
            ExpiresAtMs = terms.ExpiresAtMs,
        });
    }

    private static Problem NoKey => new(ProblemCode.NotFound, "There is no such key.");

    private static bool Owns(Caller caller, Project project, out Problem problem)
    {
        problem = new Problem(ProblemCode.NotFound, "There is no such project.");
        return caller.IsRoot || caller.ProjectNo == project.ProjectNo;
    }

    /// <summary>A foreign key is as absent as one that never was; one's own may be seen without any right.</summary>
    private static Outcome<Key> Seen(Caller caller, Key key, Rights anyOf)
    {
        if (caller.IsRoot || caller.KeyNo == key.KeyNo)
        {
            return key;
        }

        if (caller.ProjectNo != key.ProjectNo || (caller.Environment != key.Environment && !caller.IsPerson))
        {
            return NoKey;
        }

        return (caller.Rights & anyOf) != 0 ? key : AccessRow.RightMissing(anyOf);
    }

    private static async Task<Outcome<Project>> OpenProject(WriteScope scope, Caller caller, string projectId)
    {
        if (!(await OrganizationRegister.FindProject(scope, projectId)).TryGet(out var project, out var problem)
            || !Owns(caller, project, out problem))
        {
            return problem;
        }

        if (!caller.IsRoot && !caller.Rights.HasFlag(Rights.KeysManage))
        {
            return AccessRow.RightMissing(Rights.KeysManage);
        }

        return project.IsOpen ? project : new Problem(ProblemCode.Conflict, "The organization is suspended.");
    }

    /// <summary>A new key of these terms, made by the write's caller, before it has a number and a secret.</summary>
    public static Key KeyOf(Project project, KeyTerms terms, WriteScope scope) => new()
    {
        KeyNo = 0,
        Id = KeyId.New(),
        ProjectNo = project.ProjectNo,
        ProjectId = project.Id.Text,
        OrganizationId = project.OrganizationId.Text,
        OrganizationNo = project.OrganizationNo,
        Plan = project.OrganizationPlan,
        Environment = terms.Environment,
        Type = terms.Type,
        Name = terms.Name,
        Description = terms.Description,
        Permissions = terms.Permissions,
        Scopes = terms.Scopes,
        Rights = terms.Rights,
        AllowedAddresses = terms.AllowedAddresses,
        Limits = terms.Limits,
        Models = terms.Models,
        Metadata = terms.Metadata,
        ExpiresAtMs = terms.ExpiresAtMs,
        CreatedAtMs = scope.NowMs,
        CreatedBy = scope.Context.Caller.Id,
        Version = 1,
        Secrets = [],
    };

    /// <summary>By number, which keys these are and where, whatever became of them.</summary>
    public static Task<List<KeyPlace>> Places(DbConnection connection, IReadOnlyCollection<long> numbers) =>
        KeySql.PlacesOf(connection, numbers);

    /// <summary>
    /// Who has a key that makes keys has all of its project for as long as it lives, and with one of these rights in the operator's own
    /// organization something of every customer: a person who makes one, or gets its secret, proves once more who they are.
    /// </summary>
    private static async Task<Problem?> Stale(WriteScope scope, IReadOnlyList<string> rights, string organizationId)
    {
        var held = RightNames.Parse(rights);
        if (scope.Context.Caller.IsFreshAt(scope.NowMs))
        {
            return null;
        }

        return held.HasFlag(Rights.KeysManage)
            || ((held & (Rights.Verify | Rights.UsageRead | Rights.UsageWrite)) != 0
                && await OrganizationRegister.Look(scope.Connection, scope.Transaction, organizationId) is { IsOperator: true })
            ? Problem.Of(ProblemCode.ProofNeeded)
            : null;
    }

    /// <summary>What the caller itself is; with a secret that a rotation has replaced it lives no longer than that secret.</summary>
    private static async Task<KeyTerms> OwnTerms(WriteScope scope, Caller caller) =>
        KeyId.TryParse(caller.Id, out var own) && await KeySql.Find(scope.Connection, scope.Transaction, own) is { } key
            ? KeyTerms.Of(key) with { ExpiresAtMs = caller.SecretEndsAtMs ?? key.ExpiresAtMs }
            : throw new InvalidOperationException("A key that calls exists.");

    private async Task<Outcome<Key>> Save(WriteScope scope, string action, Key before, Key after, string? reason = null)
    {
        after = after with { Version = before.Version + 1 };
        await KeySql.Update(scope, after);
        Failpoint.Pass("key.row");
        await Record(scope, action, before, after, reason);
        return after;
    }

    private async Task Record(WriteScope scope, string action, Key? before, Key after, string? reason = null)
    {
        await AuditLog.Append(scope, EntryOf(action, before, after, scope.NowMs, reason));
        if (KeyEvents.TypeOf(action, before) is { } type)
        {
            await outbox.Add(scope, after.OrganizationId, type, type == WebhookEvents.KeyRotated
                ? KeyEvents.OfRotated(after, scope.NowMs)
                : KeyEvents.Of(after, scope.NowMs, reason));
        }

        await scope.Change("key", after.KeyNo, after.Version);
        scope.AfterCommit(() => feed.Drop(after.KeyNo));
    }

    /// <summary>What the audit log says of a change of a key.</summary>
    public static AuditEntry EntryOf(string action, Key? before, Key after, long nowMs, string? reason = null) => new()
    {
        Action = action,
        TargetType = "key",
        TargetId = after.Id.ToString(),
        OrganizationId = after.OrganizationId,
        ProjectId = after.ProjectId,
        Environment = after.Environment,
        Before = before is null ? null : KeyWire.Json(before, nowMs),
        After = KeyWire.Json(after, nowMs),
        Reason = reason,
    };
}
