using System.Data.Common;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>
/// Compares a restored database, not yet in place, with the one that it is to replace: who could sign in again, by which password or
/// address of before. Told what to keep, it takes it away again, as an audited change of the restored database.
/// </summary>
internal sealed class PersonComparison(DbConnection inPlace, WriteScope restored, bool keep)
{
    private const int Batch = 500;
    private const string KeptReason = "kept by a restore";

    public async IAsyncEnumerable<UndoneChange> Find()
    {
        var after = 0L;
        while (await PersonSql.After(restored, after, Batch) is { Count: > 0 } page)
        {
            foreach (var back in page)
            {
                if (await InPlaceException.Reading(() => PersonSql.Find(inPlace, null, back.Id)) is not { } now)
                {
                    continue;
                }

                var undone = Undone(now, back).Concat(await Connected(now, back)).Concat(await SecondStep(now, back)).ToList();
                foreach (var change in undone)
                {
                    yield return change;
                }

                if (keep && undone.Count > 0)
                {
                    await Keep(now, back);
                }
            }

            after = page[^1].PersonNo;
        }
    }

    /// <summary>The names are those of the backup, which has them anyway; addresses are told nowhere.</summary>
    private static IEnumerable<UndoneChange> Undone(Person now, Person back)
    {
        if (now.DeletedAtMs is not null && back.DeletedAtMs is null)
        {
            yield return Of("deleted", now.DeletedAtMs, "would be back, with name and address");
            yield break;
        }

        if (now.DisabledAtMs is not null && back.DisabledAtMs is null)
        {
            yield return Of("disabled", now.DisabledAtMs, "could sign in again");
        }

        if (back.PasswordHash is not null && now.PasswordHash != back.PasswordHash)
        {
            yield return Of("password", null, "could sign in by the password of before");
        }

        if (back.EmailKey is not null && now.EmailKey != back.EmailKey)
        {
            yield return Of("address", null, "would have the address of before, and links would be sent to it");
        }

        UndoneChange Of(string what, long? atMs, string detail) => new(what, "person", back.Id, back.Name, atMs, detail);
    }

    private async Task<IEnumerable<UndoneChange>> Connected(Person now, Person back) =>
        now.DeletedAtMs is not null && back.DeletedAtMs is null ? []
        : [
            .. (await GoneSince(now, back)).Select(connection => new UndoneChange(
                "connection", "person", back.Id, back.Name, null, $"could sign in by the account at {connection.Name} of before")),
            .. (await PasskeysGone(now, back)).Select(passkey => new UndoneChange(
                "passkey", "person", back.Id, back.Name, null, "could sign in by a passkey of before")),
        ];

    private async Task<List<Passkey>> PasskeysGone(Person now, Person back)
    {
        var before = await PasskeySql.List(restored.Connection, restored.Transaction, back.PersonNo);
        var still = await InPlaceException.Reading(() => PasskeySql.List(inPlace, null, now.PersonNo));
        return [.. before.Where(one => !still.Any(other => other.Id == one.Id))];
    }

    /// <summary>By which accounts elsewhere the person signed in then, and does not any more.</summary>
    private async Task<List<Connection>> GoneSince(Person now, Person back)
    {
        var before = await ConnectionSql.List(restored.Connection, restored.Transaction, back.PersonNo);
        var still = await InPlaceException.Reading(() => ConnectionSql.List(inPlace, null, now.PersonNo));
        return [.. before.Where(one => !still.Any(other => (other.Name, other.Subject) == (one.Name, one.Subject)))];
    }

    /// <summary>
    /// A step that was set up since would be gone, one of before would be asked for, and codes that were used would be good again.
    /// </summary>
    private async Task<IEnumerable<UndoneChange>> SecondStep(Person now, Person back)
    {
        if (now.DeletedAtMs is not null && back.DeletedAtMs is null)
        {
            return [];
        }

        var (stepNow, codesNow) = await InPlaceException.Reading(() => Step(inPlace, null, now));
        var (stepBack, codesBack) = await Step(restored.Connection, restored.Transaction, back);
        var detail = stepNow is null && stepBack is null ? null
            : stepBack is null ? "could sign in without the second step"
            : stepNow is null || !stepNow.Secret.SequenceEqual(stepBack.Secret) ? "would be asked for codes of the app of before"
            : stepNow.LastStep > stepBack.LastStep || codesBack.Any(code => !codesNow.Any(other => other.SequenceEqual(code)))
                ? "could sign in by codes that were used since"
            : null;
        return detail is null ? [] : [new UndoneChange("second step", "person", back.Id, back.Name, stepNow?.CreatedAtMs, detail)];

        static async Task<(Authenticator?, IReadOnlyList<byte[]>)> Step(DbConnection from, DbTransaction? transaction, Person person) => (
            await AuthenticatorSql.Find(from, transaction, person.PersonNo),
            await AuthenticatorSql.Codes(from, transaction, person.PersonNo));
    }

    private async Task KeepSecondStep(Person now, Person back)
    {
        await SecondStepBook.Remove(restored, back);
        if (await InPlaceException.Reading(() => AuthenticatorSql.Find(inPlace, null, now.PersonNo)) is not { } step)
        {
            return;
        }

        await AuthenticatorSql.Insert(restored, step with { PersonNo = back.PersonNo });
        foreach (var code in await InPlaceException.Reading(() => AuthenticatorSql.Codes(inPlace, null, now.PersonNo)))
        {
            await AuthenticatorSql.InsertCode(restored, back.PersonNo, code);
        }
    }

    private async Task Keep(Person now, Person back)
    {
        var before = PersonAudit.Shape(back);
        if (now.DeletedAtMs is not null)
        {
            (back.Name, back.DeletedAtMs) = (now.Name, now.DeletedAtMs);
            await DeviceBook.Forget(restored, back);
        }

        foreach (var connection in await GoneSince(now, back))
        {
            await ConnectionSql.Remove(restored, back.PersonNo, connection.Name, connection.Subject);
        }

        foreach (var passkey in await PasskeysGone(now, back))
        {
            await PasskeySql.Remove(restored, back.PersonNo, passkey.CredentialId);
        }

        await KeepSecondStep(now, back);
        (back.Email, back.EmailKey, back.VerifiedAtMs) = await Address(now, back);
        (back.PasswordHash, back.Stamp) = (now.PasswordHash, now.Stamp);
        back.DisabledAtMs ??= now.DisabledAtMs;
        await PersonSql.Update(restored, back);
        await PersonAudit.Tell(restored, ActionOf(now), back, KeptReason, before, PersonAudit.Shape(back));
    }

    /// <summary>
    /// The one that the person has now; none where the backup has it with another person, who then has it back.
    /// </summary>
    private async Task<(string?, string?, long?)> Address(Person now, Person back) =>
        now.EmailKey is { } key && key != back.EmailKey
        && await PersonSql.FindByEmail(restored.Connection, restored.Transaction, key) is not null
            ? (null, null, null)
            : (now.Email, now.EmailKey, now.VerifiedAtMs);

    private static string ActionOf(Person now) =>
        now.DeletedAtMs is not null ? "person.delete" : now.DisabledAtMs is not null ? "person.disable" : "person.change";
}
