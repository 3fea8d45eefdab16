using System.Data.Common;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// Compares a restored database, not yet in place, with the one that it is to replace: which keys could do more by the restored one than
/// they can now. Told what to keep, it takes it away again, as an audited change of the restored database.
/// </summary>
internal sealed class KeyComparison(DbConnection inPlace, WriteScope restored, bool keep)
{
    /// <summary>Keys in memory at a time, from each side.</summary>
    private const int Batch = 500;

    private const string KeptReason = "kept by a restore";

    /// <summary>Keys of the restored database that the one in place does not know.</summary>
    public long OnlyRestored { get; private set; }

    /// <summary>Keys of the database in place that the restored one does not know: they were made later and will be refused.</summary>
    public long OnlyInPlace { get; private set; }

    public async IAsyncEnumerable<UndoneChange> Find()
    {
        var after = 0L;
        while (await KeyComparisonSql.After(restored, after, Batch) is { Count: > 0 } page)
        {
            var last = page[^1].Key.KeyNo;
            var known = (await Known(after, last)).ToDictionary(key => key.Key.KeyNo);
            foreach (var back in page)
            {
                // A number may have been given anew in another history of the same data: the id tells.
                if (!known.Remove(back.Key.KeyNo, out var now) || now.Key.Id != back.Key.Id)
                {
                    OnlyRestored++;
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

            (OnlyInPlace, after) = (OnlyInPlace + known.Count, last);
        }

        OnlyInPlace += await InPlaceException.Reading(() => KeyComparisonSql.CountAfter(inPlace, after));
    }

    private Task<List<ComparedKey>> Known(long after, long last) =>
        InPlaceException.Reading(() => KeyComparisonSql.Between(inPlace, after, last));

    private IEnumerable<UndoneChange> Undone(ComparedKey now, ComparedKey back)
    {
        var (current, key) = (now.Key, back.Key);
        UndoneChange Change(string what, long? atMs, string detail) => new(what, "key", key.Id.ToString(), key.Name, atMs, detail);
        if (current.RevokedAtMs is { } revoked && key.RevokedAtMs is null)
        {
            yield return Change("revoked", revoked, "would work again");
        }

        if (current.DeletedAtMs is { } deleted && key.DeletedAtMs is null)
        {
            yield return Change("deleted", deleted, "would be back");
        }

        if ((current.Holds & ~key.Holds) is var held and not 0)
        {
            yield return Change("disabled", null, $"would lose its hold ({string.Join(", ", HoldNames.Of(held))})");
        }

        if (current.ExpiresAtMs is { } expires && (key.ExpiresAtMs is null || key.ExpiresAtMs > expires))
        {
            yield return Change("expiry", expires, "would live longer");
        }

        if (Widened(current, key) is { Count: > 0 } more)
        {
            yield return Change("permissions", null, $"would have again: {string.Join(", ", more)}");
        }

        if (AddressesWidened(current, key))
        {
            yield return Change("addresses", null, "would work from more addresses");
        }

        if (KeyLimits.FirstWider(key.Limits, current.Limits) is { } limit)
        {
            yield return Change("limits", null, $"would have its limit {limit} of {current.Limits[limit]} no more");
        }

        if (!KeyModels.AreWithin(key.Models, current.Models))
        {
            yield return Change("models", null, "would work for more models");
        }

        foreach (var (secret, endsAtMs) in SecretsBack(now, back))
        {
            yield return Change(
                "secret", endsAtMs, $"its secret {secret.Version} ({secret.Mask}) would live longer; a newer one would not work");
        }
    }

    /// <summary>What the key may do by the restored database and not by the one in place.</summary>
    private static List<string> Widened(Key now, Key back) =>
    [
        .. back.Permissions.Except(now.Permissions), .. back.Scopes.Except(now.Scopes), .. back.Rights.Except(now.Rights),
    ];

    private static bool AddressesWidened(Key now, Key back) => now.AllowedAddresses.Count > 0
        && (back.AllowedAddresses.Count == 0 || back.AllowedAddresses.Except(now.AllowedAddresses).Any());

    /// <summary>
    /// Secrets that would live longer than they do now, each with the end it has now; one that is not known now has ended already.
    /// </summary>
    private IEnumerable<(KeySecret Secret, long EndsAtMs)> SecretsBack(ComparedKey now, ComparedKey back)
    {
        foreach (var secret in back.Key.Secrets)
        {
            var current = now.Key.Secrets.FirstOrDefault(other =>
                other.Version == secret.Version && now.Hashes[other.Version] == back.Hashes[secret.Version]);
            var end = current is null ? restored.NowMs : current.EndsAtMs;
            if (end is { } endsAtMs && (secret.EndsAtMs is null || secret.EndsAtMs > endsAtMs))
            {
                yield return (secret, endsAtMs);
            }
        }
    }

    /// <summary>The restored key, allowed no more than it is now.</summary>
    private async Task Keep(ComparedKey now, ComparedKey back)
    {
        var (current, before) = (now.Key, back.Key);
        var ended = SecretsBack(now, back).ToDictionary(row => row.Secret.Version, row => row.EndsAtMs);
        var after = before with
        {
            RevokedAtMs = before.RevokedAtMs ?? current.RevokedAtMs,
            DeletedAtMs = before.DeletedAtMs ?? current.DeletedAtMs,
            Holds = before.Holds | current.Holds,
            ExpiresAtMs = current.ExpiresAtMs is { } cut ? Math.Min(cut, before.ExpiresAtMs ?? long.MaxValue) : before.ExpiresAtMs,
            AllowedAddresses = AddressesWidened(current, before) ? current.AllowedAddresses : before.AllowedAddresses,
            Limits = KeyLimits.FirstWider(before.Limits, current.Limits) is null ? before.Limits : current.Limits,
            Models = KeyModels.AreWithin(before.Models, current.Models) ? before.Models : current.Models,
            Version = before.Version + 1,
            Secrets = [.. before.Secrets.Select(s => ended.TryGetValue(s.Version, out var end) ? s with { EndsAtMs = end } : s)],
        };
        if (Widened(current, before).Count > 0)
        {
            after = after with { Permissions = current.Permissions, Scopes = current.Scopes, Rights = current.Rights };
        }

        await KeySql.Update(restored, after);
        foreach (var (version, endsAtMs) in ended)
        {
            await KeyComparisonSql.EndSecret(restored, after.KeyNo, version, endsAtMs);
        }

        await AuditLog.Append(restored, new AuditEntry
        {
            Action = ActionOf(before, after),
            TargetType = "key",
            TargetId = after.Id.ToString(),
            OrganizationId = after.OrganizationId,
            ProjectId = after.ProjectId,
            Environment = after.Environment,
            Before = KeyWire.Json(before, restored.NowMs),
            After = KeyWire.Json(after, restored.NowMs),
            Reason = KeptReason,
        });
        await restored.Change("key", after.KeyNo, after.Version);
    }

    /// <summary>The gravest of what was kept names the audit row.</summary>
    private static string ActionOf(Key before, Key after) =>
        after.DeletedAtMs != before.DeletedAtMs ? "key.delete"
        : after.RevokedAtMs != before.RevokedAtMs ? "key.revoke"
        : after.Holds != before.Holds ? "key.disable"
        : "key.change";
}
