using System.Data.Common;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>The life cycle's half of the door: what stops a key, wakes it, or gives it another secret.</summary>
internal sealed partial class KeyRing
{
    /// <summary>How many keys a closure holds in memory at a time.</summary>
    private const int RevokeBatch = 500;

    public Task<Outcome<Key>> Disable(WriteScope scope, string id) => Hold(scope, id, "key.disable", KeyOperations.Disable, held: true);

    /// <summary>Lifts the hold a person placed, and no other; of a key with rights that a person's role has not, not for them.</summary>
    public Task<Outcome<Key>> Enable(WriteScope scope, string id) => Hold(scope, id, "key.enable", KeyOperations.Enable, held: false);

    /// <summary>
    /// Ends the key for good. Again on a revoked key changes nothing, but for what is under way with one that was compromised.
    /// </summary>
    public async Task<Outcome<Key>> Revoke(WriteScope scope, string id, string? reason = null)
    {
        if (reason is not null && !RevokeReasons.All.Contains(reason))
        {
            return Problem.Invalid("/reason", $"must be among {string.Join(", ", RevokeReasons.All)}.");
        }

        if (!(await Mine(scope, id, KeyOperations.Revoke)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        scope.AfterCommit(() => feed.Drop(before.KeyNo));
        if (reason == RevokeReasons.Compromised)
        {
            // After the key has left memory, so that nothing begins behind the cut.
            scope.AfterCommit(() => open.CutKey((uint)before.KeyNo));
        }

        return before.IsFinal ? before : await Save(scope, "key.revoke", before, before with { RevokedAtMs = scope.NowMs }, reason);
    }

    /// <summary>Ends the key for good and takes it out of the lists; its entry and usage stay readable.</summary>
    public async Task<Outcome<Key>> Delete(WriteScope scope, string id)
    {
        if (!(await Mine(scope, id, KeyOperations.Delete)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        scope.AfterCommit(() => feed.Drop(before.KeyNo));
        return before.DeletedAtMs is not null
            ? before
            : await Save(scope, "key.delete", before, before with { DeletedAtMs = scope.NowMs });
    }

    public Task<Outcome<IssuedKey>> Regenerate(WriteScope scope, string id) =>
        Renew(scope, id, KeyOperations.Regenerate, new RotateKey(0, Force: true, ExpiresAt: null));

    public Task<Outcome<IssuedKey>> Rotate(WriteScope scope, string id, RotateKey how) => Renew(scope, id, KeyOperations.Rotate, how);

    /// <summary>Shows the current secret again, where the provider file keeps secrets revealable. Each time is audited.</summary>
    public async Task<Outcome<IssuedKey>> Reveal(WriteScope scope, string id)
    {
        if (!provider.Keys.Revealable)
        {
            return Problem.Of(ProblemCode.NotRevealable);
        }

        if (!(await Mine(scope, id, KeyOperations.None)).TryGet(out var key, out var problem)
            || !(await SecretAllowed(scope, key)).TryGet(out key, out problem))
        {
            return problem;
        }

        if (key.IsFinal)
        {
            return Problem.Of(ProblemCode.KeyFinal);
        }

        if (await KeySql.SealedSecret(scope, key.KeyNo) is not { } kept || mint.Open(kept) is not { } secret)
        {
            return Problem.Of(ProblemCode.NotRevealable);
        }

        await AuditLog.Append(scope, new AuditEntry
        {
            Action = "key.reveal",
            TargetType = "key",
            TargetId = key.Id.ToString(),
            OrganizationId = key.OrganizationId,
            ProjectId = key.ProjectId,
            Environment = key.Environment,
        });
        return new IssuedKey(key, secret);
    }

    /// <summary>Revokes every key of a project that is being closed, each with its own audit row; answers how many there were.</summary>
    public async Task<int> RevokeAllOf(WriteScope scope, long projectNo, string reason)
    {
        var count = 0;
        while (await KeySql.RevokeAllOf(scope, projectNo, RevokeBatch) is { Count: > 0 } batch)
        {
            Failpoint.Pass("key.row");
            foreach (var before in batch)
            {
                var after = before with { RevokedAtMs = scope.NowMs, Version = before.Version + 1 };
                await Record(scope, "key.revoke", before, after, reason);
            }

            count += batch.Count;
        }

        return count;
    }

    /// <summary>How many keys of a project are not final: those that closing it would revoke.</summary>
    public static Task<long> CountLiveOf(DbConnection connection, long projectNo) => KeySql.CountLiveOf(connection, projectNo);

    /// <summary>
    /// How many live keys of an organization somebody has made, by himself or by a key that he has made: those that
    /// <see cref="DeleteAllMadeBy"/> would delete.
    /// </summary>
    public static Task<long> CountMadeBy(DbConnection connection, long organizationNo, string maker) =>
        KeySql.CountMadeBy(connection, organizationNo, maker);

    /// <summary>
    /// Deletes every live key of an organization that somebody has made, by himself or by a key that he has made, whose secrets were shown
    /// to him; each with its own audit row. Answers how many there were.
    /// </summary>
    public async Task<int> DeleteAllMadeBy(WriteScope scope, long organizationNo, string maker, string reason)
    {
        var made = await KeySql.MadeBy(scope, organizationNo, maker);
        for (var i = 0; i < made.Count; i += RevokeBatch)
        {
            var batch = made.GetRange(i, Math.Min(RevokeBatch, made.Count - i));
            foreach (var before in await KeySql.DeleteAll(scope, batch))
            {
                Failpoint.Pass("key.row");
                var after = before with { DeletedAtMs = scope.NowMs, Version = before.Version + 1 };
                await Record(scope, "key.delete", before, after, reason);
            }
        }

        return made.Count;
    }

    private async Task<Outcome<IssuedKey>> Renew(WriteScope scope, string id, KeyOperations operation, RotateKey how)
    {
        if (!(await Mine(scope, id, operation)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        // What is wrong with the call itself counts nothing; that the key is not in a state to be renewed does.
        var renewable = Renewable(before, how, scope.NowMs);
        if (renewable.Problem is { } fault && fault.Code == ProblemCode.ValidationFailed)
        {
            return fault;
        }

        if (await operations.Take(scope, before.OrganizationNo) is { } tooMany)
        {
            return tooMany;
        }

        if (!renewable.TryGet(out var after, out problem)
            || !(await SecretAllowed(scope, after)).TryGet(out after, out problem)
            || !mint.Make(null, before.Environment, scope.Context.Caller).TryGet(out var secret, out problem))
        {
            return problem;
        }

        // The old secret lives to the end of the grace and never past the key itself; one that has expired does not come back.
        var grace = before.IsExpired(scope.NowMs) ? TimeSpan.Zero
            : how.GraceSeconds is { } seconds ? TimeSpan.FromSeconds(seconds)
            : provider.Keys.GraceDefault;
        var endsAtMs = Math.Min(scope.NowMs + (long)grace.TotalMilliseconds, after.ExpiresAtMs ?? long.MaxValue);
        if (how.Force == true)
        {
            await KeySql.EndSecrets(scope, before.KeyNo, scope.NowMs, exceptVersion: before.Secrets[0].Version);
        }

        await KeySql.EndSecrets(scope, before.KeyNo, endsAtMs, exceptVersion: 0);
        Failpoint.Pass("secret.end");
        var version = new KeySecret { Version = before.Secrets[0].Version + 1, Mask = secret.Mask, CreatedAtMs = scope.NowMs };
        if (!await KeySql.InsertSecret(scope, before.KeyNo, version, secret.Hash, secret.Sealed))
        {
            return Problem.Of(ProblemCode.SecretTaken);
        }

        Failpoint.Pass("secret.row");
        after = await KeySql.Find(scope.Connection, scope.Transaction, before.Id) is { } fresh
            ? after with { Secrets = fresh.Secrets }
            : throw new InvalidOperationException("A key that is being rotated exists.");
        var action = operation == KeyOperations.Regenerate ? "key.regenerate" : "key.rotate";
        if (!(await Save(scope, action, before, after)).TryGet(out after, out problem))
        {
            return problem;
        }

        return new IssuedKey(after, secret.Text);
    }

    /// <summary>The key as it will be after a rotation, or why it cannot be rotated.</summary>
    private Outcome<Key> Renewable(Key key, RotateKey how, long nowMs)
    {
        if (key.IsFinal)
        {
            return Problem.Of(ProblemCode.KeyFinal);
        }

        var graceMax = (long)provider.Keys.GraceMax.TotalSeconds;
        if (how.GraceSeconds is { } grace && (grace < 0 || grace > graceMax))
        {
            return Problem.Invalid("/grace_seconds", $"must be between 0 and {graceMax}.");
        }

        if (key.Secrets.Count(secret => secret.IsLive(nowMs)) > 1 && how.Force != true)
        {
            return new Problem(
                ProblemCode.RotationRunning,
                "The old secret of the last rotation is still in its grace. Wait for its end, or send \"force\": true to end it now.");
        }

        if (how.ExpiresAt is null)
        {
            return key.IsExpired(nowMs)
                ? new Problem(ProblemCode.Conflict, "The key has expired. Send a new expires_at together with the rotation.")
                : key;
        }

        if (!key.IsExpired(nowMs))
        {
            return Problem.Invalid("/expires_at", "is taken only for a key that has expired.");
        }

        return _terms.ReadExpiry(how.ExpiresAt, nowMs).TryGet(out var expiry, out var problem)
            ? key with { ExpiresAtMs = expiry }
            : problem;
    }

    private async Task<Outcome<Key>> Hold(WriteScope scope, string id, string action, KeyOperations operation, bool held)
    {
        if (!(await Managed(scope, id, operation)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        if (!held && Width.RefusalTo(scope.Context.Caller, before.Rights) is { } wider)
        {
            return wider;
        }

        scope.AfterCommit(() => feed.Drop(before.KeyNo));
        var holds = held ? before.Holds | KeyState.HeldByPerson : before.Holds & ~KeyState.HeldByPerson;
        return holds == before.Holds ? before : await Save(scope, action, before, before with { Holds = holds });
    }

    /// <summary>A key that the caller manages, still alive, with the operation on offer.</summary>
    private async Task<Outcome<Key>> Managed(WriteScope scope, string id, KeyOperations operation = KeyOperations.None)
    {
        if (!(await Mine(scope, id, operation)).TryGet(out var key, out var problem))
        {
            return problem;
        }

        var caller = scope.Context.Caller;
        if (!caller.IsRoot && !caller.Rights.HasFlag(Rights.KeysManage))
        {
            return AccessRow.RightMissing(Rights.KeysManage);
        }

        return key.IsFinal ? Problem.Of(ProblemCode.KeyFinal) : key;
    }

    /// <summary>A key that the caller may act on, itself included, with the operation on offer.</summary>
    private async Task<Outcome<Key>> Mine(WriteScope scope, string id, KeyOperations operation)
    {
        var caller = scope.Context.Caller;
        if (!KeyId.TryParse(id, out var keyId) || await KeySql.Find(scope.Connection, scope.Transaction, keyId) is not { } key)
        {
            return NoKey;
        }

        if (!Seen(caller, key, Rights.KeysManage).TryGet(out key, out var problem))
        {
            return problem;
        }

        return Offered(caller, operation) ? key : Problem.Of(ProblemCode.OperationNotOffered);
    }

    /// <summary>The provider file's list governs customers; the operator may always disable, enable and revoke.</summary>
    private bool Offered(Caller caller, KeyOperations operation) =>
        operation == KeyOperations.None
        || provider.Keys.Operations.HasFlag(operation)
        || (caller.IsRoot && (operation & (KeyOperations.Disable | KeyOperations.Enable | KeyOperations.Revoke)) != 0);

    /// <summary>
    /// A key never receives the secret of a key wider than itself; itself it may always renew. Nor does a person, whoever made the key.
    /// </summary>
    private async Task<Outcome<Key>> SecretAllowed(WriteScope scope, Key key)
    {
        var caller = scope.Context.Caller;
        if (caller.SecretEndsAtMs is not null)
        {
            return new Problem(
                ProblemCode.WiderThanCaller,
                "A secret that a rotation has replaced may be used until its grace ends, but gets no other secret. Use the new one.");
        }

        if (Width.RefusalTo(caller, key.Rights) is { } wider)
        {
            return wider;
        }

        if (await Stale(scope, key.Rights, key.OrganizationId) is { } stale)
        {
            return stale;
        }

        if (caller.Kind != CallerKind.Key || caller.KeyNo == key.KeyNo)
        {
            return key;
        }

        var (terms, own) = (KeyTerms.Of(key), await OwnTerms(scope, caller));
        return Width.IsWithin(terms, own, provider) ? key : Width.Refusal(terms, own, provider);
    }
}
