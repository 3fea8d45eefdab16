using System.Data.Common;
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

                var undone = Undone(now, back).ToList();
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

    private async Task Keep(Person now, Person back)
    {
        var before = PersonAudit.Shape(back);
        if (now.DeletedAtMs is not null)
        {
            (back.Name, back.DeletedAtMs) = (now.Name, now.DeletedAtMs);
            await DeviceBook.Forget(restored, back);
        }

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
