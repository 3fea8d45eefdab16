using System.Globalization;
using System.Runtime.CompilerServices;
using Tollgate.Server.Audit;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Journal;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Operating;

/// <summary>
/// Makes a database out of a backup: fills its tables, brings it to this version's schema, compares it with the one in place, and leaves in
/// its audit chain what happened. It all lies in the target's one transaction until the target puts it in place.
/// </summary>
internal sealed class Restoration(BackupFile backup, IRestoreTarget target, bool keep)
{
    private const string Version = "row_version";
    private const string Changes = "changes";

    private readonly BackupManifest _manifest = backup.Manifest;
    private DatabaseSnapshot? _inPlace;
    private Dictionary<string, long> _countersInPlace = [];
    private AuditEnd? _endInPlace;
    private string? _unreadable = target.Unreadable;
    private bool _sameHistory;
    private long _undone;
    private KeyComparison? _keys;
    private WalletComparison? _wallets;

    /// <summary>What is wrong with the chain that the backup holds; null when it is whole.</summary>
    public string? AuditFault { get; private set; }

    /// <summary>Whether all that the database in place knows has been, or can be, compared.</summary>
    public bool IsCompared => _inPlace is not null;

    private WriteScope Scope => target.Scope;

    /// <summary>Fills the fresh database. Nothing of the one in place is touched.</summary>
    public async Task Fill(CancellationToken cancel)
    {
        try
        {
            await InPlaceException.Reading(LookInPlace);
        }
        catch (InPlaceException fault)
        {
            GiveUpComparing(fault.Message);
        }

        await target.Prepare(Migration.Embedded.Take(_manifest.Migrations.Count));
        var tables = await Catalog.Tables(Scope.Connection, target.Kind, Scope.Transaction);
        var references = await Catalog.References(Scope.Connection, target.Kind, Scope.Transaction);
        var held = _manifest.Tables.ToDictionary(table => table.Name);
        foreach (var table in Catalog.OwnersFirst(tables, references).Where(table => !BackupWriter.LeftOut.Contains(table.Name)))
        {
            if (!held.Remove(table.Name, out var kept) || !SameColumns(kept.Columns, table.Columns))
            {
                throw new BackupException(
                    $"The backup does not fit its own schema: its table {table.Name} is missing or has other columns.");
            }

            // In the backup's order of columns, with the types of the database that is being filled.
            var shape = table with { Columns = [.. kept.Columns.Select(c => table.Columns.First(own => own.Name == c.Name))] };
            await target.Load(shape, Renewed(shape, backup.Rows(kept, cancel)), cancel);
        }

        if (held.Count > 0)
        {
            throw new BackupException($"The backup does not fit its own schema: it knows no table {held.Keys.First()}.");
        }

        await target.Prepare(Migration.Embedded.Skip(_manifest.Migrations.Count));
        await RaiseCounters();
        var chain = await AuditLog.Verify(Scope.Connection, Scope.Transaction, cancel);
        AuditFault = chain.IsWhole ? null : chain.Sentence;
    }

    private static bool SameColumns(IEnumerable<ColumnShape> one, IEnumerable<ColumnShape> other) => one.Select(column => column.Name)
        .Order(StringComparer.Ordinal).SequenceEqual(other.Select(column => column.Name).Order(StringComparer.Ordinal));

    /// <summary>What restoring would give back, and, when it is to be kept, keeps it.</summary>
    public async IAsyncEnumerable<UndoneChange> Compare([EnumeratorCancellation] CancellationToken cancel = default)
    {
        if (_inPlace is null)
        {
            yield break;
        }

        await foreach (var change in RootKey().WithCancellation(cancel))
        {
            _undone++;
            yield return change;
        }

        await foreach (var change in new OrganizationComparison(_inPlace.Connection, Scope, keep).Find().WithCancellation(cancel))
        {
            _undone++;
            yield return change;
        }

        await foreach (var change in new PersonComparison(_inPlace.Connection, Scope, keep).Find().WithCancellation(cancel))
        {
            _undone++;
            yield return change;
        }

        await foreach (var change in new TeamComparison(_inPlace.Connection, Scope, keep).Find().WithCancellation(cancel))
        {
            _undone++;
            yield return change;
        }

        _wallets = new WalletComparison(_inPlace.Connection, Scope, keep);
        await foreach (var change in _wallets.Find().WithCancellation(cancel))
        {
            _undone++;
            yield return change;
        }

        if (keep)
        {
            await Remembrance.KeepEnded(_inPlace.Connection, Scope);
        }

        _keys = new KeyComparison(_inPlace.Connection, Scope, keep);
        await foreach (var change in _keys.Find().WithCancellation(cancel))
        {
            _undone++;
            yield return change;
        }
    }

    /// <summary>The database in place is damaged: what it would have told is not known.</summary>
    public void GiveUpComparing(string why) => (_inPlace, _unreadable) = (null, why);

    /// <summary>What else the operator should know before saying yes.</summary>
    public IEnumerable<string> Facts(long undone)
    {
        if (_inPlace is null)
        {
            yield return _unreadable is { } why
                ? $"WARNING: the database in place cannot be read in full ({why})"
                : "WARNING: there is no database in place to compare with.";
            yield return $"What was revoked, deleted, disabled or narrowed since {At(_manifest.MadeAtMs)} is not known and will work again"
                + ": look it up elsewhere, and do it again before the gate is reached.";
            yield break;
        }

        if (!_sameHistory)
        {
            yield return "WARNING: the database in place does not go on from this backup; only keys that both know were compared.";
        }

        if (undone == 0)
        {
            yield return "Nothing that was taken away since the backup would come back.";
        }

        if (_wallets is { OnlyInPlace: > 0 and var richer })
        {
            yield return $"WARNING: {richer} organizations have more money than in the backup: enter again what was put in since.";
        }

        if (_keys is { OnlyInPlace: > 0 and var later })
        {
            yield return $"{later} keys are not in the backup and will be refused: they were made later.";
        }

        if (_keys is { OnlyRestored: > 0 and var unknown })
        {
            yield return $"WARNING: {unknown} keys of the backup are unknown to the database in place, "
                + "and will work if the backup says so.";
        }
    }

    /// <summary>The last rows of the fresh database: that it was restored, from what, and what was undone or kept.</summary>
    public async Task Seal()
    {
        var end = _inPlace is null ? null : _endInPlace;
        await AuditLog.Append(Scope, new AuditEntry
        {
            Action = "database.restore",
            TargetType = "database",
            TargetId = "database",
            Before = end is null ? null : $"{{\"audit_seq\":{end.Seq},\"audit_hash\":\"{end.Hash}\"}}",
            After = $"{{\"backup_made_at\":\"{At(_manifest.MadeAtMs)}\",\"audit_seq\":{_manifest.AuditSeq},"
                + $"\"undone\":{(keep ? 0 : _undone)},\"kept\":{(keep ? _undone : 0)},"
                + $"\"compared\":{(_inPlace is null ? "false" : "true")}}}",
        });
        await Scope.Change("restore", 0, Scope.NowMs);
    }

    /// <summary>Whether the database in place can be compared, and must not be another provider's.</summary>
    private async Task LookInPlace()
    {
        if (target.InPlace is not { Tables.Count: > 0 } inPlace || await inPlace.Migrations() is not { Count: > 0 } applied)
        {
            return;
        }

        Migrator.RefuseStrangers(applied, Migration.Embedded);
        if (applied.Count < Migration.Embedded.Count)
        {
            throw new BackupException(
                "The database in place is of an older version and cannot be compared with the backup: run tollgate migrate first, or "
                + "move it away to restore without comparing.");
        }

        var owner = (await inPlace.Settings()).GetValueOrDefault(FirstStart.ProviderSetting);
        if (owner is not null && owner != _manifest.Provider)
        {
            throw new BackupException(
                $"The backup is of provider \"{_manifest.Provider}\", the data in place of \"{owner}\": they are not mixed.");
        }

        (_countersInPlace, _endInPlace) = (await inPlace.Counters(), await AuditLog.End(inPlace.Connection));
        _sameHistory = _manifest.AuditSeq == 0
            || (await AuditLog.Find(inPlace.Connection, _manifest.AuditSeq))?.Hash == _manifest.AuditHash;
        _inPlace = inPlace;
    }

    /// <summary>
    /// Every row gets a version above all that it had in any history of this data: rows change less than once a millisecond, so the time of
    /// the restore is such a version. Whoever remembers a row from before can therefore never take an older one for newer.
    /// </summary>
    private async IAsyncEnumerable<object?[]> Renewed(TableShape table, IAsyncEnumerable<object?[]> rows)
    {
        var at = table.Columns.ToList().FindIndex(column => column.Name == Version);
        await foreach (var row in rows)
        {
            if (at >= 0)
            {
                row[at] = Math.Max((long)row[at]! + 1, Scope.NowMs);
            }

            yield return row;
        }
    }

    /// <summary>No number is given twice: series go on from the higher of the two, the changes' from the restore's time.</summary>
    private async Task RaiseCounters()
    {
        foreach (var (name, value) in _countersInPlace)
        {
            await Scope.RaiseCounter(name, value);
        }

        await Scope.RaiseCounter(Changes, Scope.NowMs);
        if (_countersInPlace.Count == 0)
        {
            await RequestNumbers.SkipAhead(Scope);
        }
    }

    private async IAsyncEnumerable<UndoneChange> RootKey()
    {
        var now = (await InPlaceException.Reading(_inPlace!.Settings)).GetValueOrDefault(FirstStart.RootKeySetting);
        var back = await Scope.FindSetting(FirstStart.RootKeySetting);
        if (now is null || now == back)
        {
            yield break;
        }

        if (keep)
        {
            await Scope.SetSetting(FirstStart.RootKeySetting, now);
            await AuditLog.Append(Scope, new AuditEntry { Action = "root_key.replace", TargetType = "root_key", TargetId = "root" });
        }

        yield return new UndoneChange(
            "replaced", "root_key", "root", "root key", null, "the one of the backup would work again, the newer one not");
    }

    private static string At(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
