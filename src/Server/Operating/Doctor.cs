using System.Data.Common;
using System.Globalization;
using Tollgate.Server.Audit;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>
/// Looks at everything that a gate rests on and says what is not as it should be, and what to do. It changes nothing and takes no lock, so
/// it may run beside a gate.
/// </summary>
internal sealed class Doctor(GateOptions options, TimeProvider time)
{
    private const long FreeBytesMin = 64L << 20;

    private const string RestoreAdvice =
        "Stop the gate, keep a copy of the data as it is, and put the newest backup in place: tollgate restore FILE --keep-revocations.";

    public async IAsyncEnumerable<Diagnosis> Examine()
    {
        yield return Provider(null);
        foreach (var diagnosis in DataFiles.Examine(options))
        {
            yield return diagnosis;
        }

        DatabaseSnapshot? snapshot = null;
        Diagnosis? closed = null;
        try
        {
            snapshot = await DatabaseSnapshot.Open(options.Storage);
        }
        catch (StorageException fault)
        {
            closed = Diagnosis.Failed("database", fault.Message, "Where it should be there: " + RestoreAdvice);
        }

        if (snapshot is null)
        {
            yield return closed!;
            yield break;
        }

        await using (snapshot)
        {
            await foreach (var diagnosis in Examine(snapshot))
            {
                yield return diagnosis;
            }
        }
    }

    private async IAsyncEnumerable<Diagnosis> Examine(DatabaseSnapshot snapshot)
    {
        yield return await Try("integrity", () => Integrity(snapshot));
        var schema = await Try("schema", () => Schema(snapshot));
        yield return schema;
        yield return await Try("disk", () => Disk(snapshot));
        // What follows reads tables, which another schema may not have.
        if (schema.Soundness != Soundness.Ok)
        {
            yield break;
        }

        yield return await Try("provider data", async () => Provider(
            (await snapshot.Settings()).GetValueOrDefault(FirstStart.ProviderSetting) ?? "") with { Check = "provider data" });
        yield return await Try("pepper", () => PepperOf(snapshot));
        yield return await Try("audit chain", () => AuditChain(snapshot));
        yield return await Try("last change", () => LastChange(snapshot));
        yield return await Try("clock", () => Clock(snapshot));
        yield return await Try("spool", () => SpoolOf(snapshot));
        yield return await Try("references", () => References(snapshot));
        yield return await Try("counters", () => Counters(snapshot));
        yield return await Try("wallets", () => Wallets(snapshot));
    }

    /// <summary>A check that cannot be made has found something: the database does not answer as it should.</summary>
    private static async Task<Diagnosis> Try(string check, Func<Task<Diagnosis>> look)
    {
        try
        {
            return await look();
        }
        catch (Exception fault) when (
            fault is DbException or StorageException or InvalidDataException or FormatException or OverflowException
            or InvalidCastException)
        {
            return Diagnosis.Failed(check, $"could not be checked: {fault.Message}", RestoreAdvice);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Diagnosis.Failed(check, $"could not be checked: {fault.Message}", "Look at the data folder, and at who may read it.");
        }
    }

    /// <param name="owner">Whose data it is, empty when no gate has said yet; null to look at the file alone.</param>
    private Diagnosis Provider(string? owner)
    {
        const string Check = "provider file";
        var loaded = ProviderFiles.Shipped.Load(options.Provider);
        if (loaded.Model is not { } provider)
        {
            return Diagnosis.Failed(
                Check, $"{options.Provider} has {loaded.Errors.Count} errors, the first: {loaded.Errors[0]}",
                $"Run tollgate provider check {options.Provider} and mend them.");
        }

        return owner is null or "" || owner == provider.Name
            ? Diagnosis.Ok(Check, owner is null ? $"{provider.Name} reads without errors." : $"The data is served as {provider.Name}.")
            : Diagnosis.Failed(
                Check, $"The data belongs to provider \"{owner}\" and is to be served as \"{provider.Name}\".", $"Use --provider {owner}.");
    }

    private static async Task<Diagnosis> Integrity(DatabaseSnapshot snapshot)
    {
        var damage = await snapshot.Damage();
        return damage.Count == 0
            ? Diagnosis.Ok("integrity", "The database finds nothing wrong with itself.")
            : Diagnosis.Failed(
                "integrity", $"The database is damaged: {string.Join("; ", damage.Take(3)).ReplaceLineEndings(" ")}", RestoreAdvice);
    }

    private static async Task<Diagnosis> Schema(DatabaseSnapshot snapshot)
    {
        var applied = await snapshot.Migrations();
        Migrator.RefuseStrangers(applied, Migration.Embedded);
        var pending = Migration.Embedded.Count - applied.Count;
        return pending == 0
            ? Diagnosis.Ok("schema", $"At migration {applied.Count:0000}, as this version wants it.")
            : Diagnosis.Warning(
                "schema", $"{pending} migrations are pending.",
                "Take a backup, then run tollgate migrate or start the gate; run doctor again.");
    }

    private async Task<Diagnosis> Disk(DatabaseSnapshot snapshot)
    {
        var (free, size) = (new DriveInfo(Path.GetFullPath(options.Data)).AvailableFreeSpace, await snapshot.Size());
        var sentence = string.Create(
            CultureInfo.InvariantCulture, $"{free >> 20:N0} MiB are free at the data folder; the database takes {size >> 20:N0} MiB.");
        return free < FreeBytesMin
            ? Diagnosis.Failed("disk", sentence, "Make room now: when it is full, changes are answered 503.")
            : free < size && snapshot.Kind == DatabaseKind.Sqlite
                ? Diagnosis.Warning("disk", sentence, "Make room: a restore keeps the old database beside the new one.")
                : Diagnosis.Ok("disk", sentence);
    }

    private async Task<Diagnosis> PepperOf(DatabaseSnapshot snapshot)
    {
        if ((await snapshot.Settings()).GetValueOrDefault(Pepper.CheckName) is not { } check)
        {
            return Diagnosis.Warning("pepper", "The data is not tied to a pepper yet.", "The first start of the gate does it.");
        }

        try
        {
            _ = Pepper.Matching(options.PepperPath, check);
        }
        catch (StorageException fault)
        {
            return Diagnosis.Failed("pepper", fault.Message, $"The right one has the check value {check}; without it no key works.");
        }

        return Diagnosis.Ok("pepper", $"{options.PepperPath} is the one this data was made with.");
    }

    private static async Task<Diagnosis> AuditChain(DatabaseSnapshot snapshot)
    {
        var chain = await AuditLog.Verify(snapshot.Connection, null, CancellationToken.None);
        return chain.IsWhole
            ? Diagnosis.Ok("audit chain", chain.Sentence)
            : Diagnosis.Failed(
                "audit chain", chain.Sentence,
                "Something changed the database around the gate: find out what, and compare with a backup from before that row.");
    }

    /// <summary>A database that is whole, but is not the one that was there before.</summary>
    private async Task<Diagnosis> LastChange(DatabaseSnapshot snapshot)
    {
        var last = (await snapshot.LastChange()).Seq;
        try
        {
            return snapshot.Kind == DatabaseKind.Sqlite && ChangeMark.Fault(options.Data, last) is { } fault
                ? Diagnosis.Failed("last change", fault, RestoreAdvice)
                : Diagnosis.Ok("last change", $"The database ends with change {last}, and no later one was acknowledged.");
        }
        catch (StorageException unreadable)
        {
            return Diagnosis.Failed("last change", unreadable.Message, RestoreAdvice);
        }
    }

    /// <summary>Keys expire by this clock: one that was set back lets expired keys live.</summary>
    private async Task<Diagnosis> Clock(DatabaseSnapshot snapshot)
    {
        var (last, now) = ((await snapshot.LastChange()).AtMs, time.GetUtcNow().ToUnixTimeMilliseconds());
        return last <= now + 1_000
            ? Diagnosis.Ok("clock", "No change was made later than now.")
            : Diagnosis.Failed(
                "clock", $"The last change was made {(last - now) / 1_000} seconds in the future by this machine's clock.",
                "Set the clock (NTP): while it is behind, keys work past their expiry.");
    }

    /// <summary>The requests that are on their way into the database.</summary>
    private async Task<Diagnosis> SpoolOf(DatabaseSnapshot snapshot)
    {
        const string Check = "spool";
        var path = SpoolFile.In(options.Data);
        if (!File.Exists(path))
        {
            return Diagnosis.Ok(Check, "There is none yet; the next start of the gate makes it.");
        }

        var spool = SpoolFile.Read(path);
        if (spool.Fault is { } fault)
        {
            return Diagnosis.Failed(Check, fault, "The gate does not start with it.");
        }

        var known = await Fold.KnownTo(snapshot.Connection, spool.Id);
        var sentence = string.Create(
            CultureInfo.InvariantCulture,
            $"{path} holds {spool.Left:N0} of {spool.Capacity:N0} events that are not in the database yet.");
        return known is null && spool.Left > 0
            ? Diagnosis.Failed(
                Check, sentence + " This database does not know it: they are another one's, or of before a restore.",
                "Start the gate on the database they belong to, or move the file away to go on without them.")
            : known < spool.Freed
                ? Diagnosis.Failed(Check, $"The database knows it up to {known}, and it was taken in up to {spool.Freed}.", RestoreAdvice)
                : spool.Left > spool.Capacity / 2
                    ? Diagnosis.Warning(
                        Check, sentence, "Start the gate, which takes them in; where it runs, look at the database: it does not keep up.")
                    : Diagnosis.Ok(Check, sentence);
    }

    private static async Task<Diagnosis> References(DatabaseSnapshot snapshot)
    {
        var lost = new List<string>();
        foreach (var reference in await Catalog.References(snapshot.Connection, snapshot.Kind))
        {
            if (await snapshot.Orphans(reference) is > 0 and var count)
            {
                lost.Add($"{count} rows of {reference.Table} refer to {reference.Owner} that are not there");
            }
        }

        return lost.Count == 0
            ? Diagnosis.Ok("references", "Every row has its owner: no key without a project, no secret without a key.")
            : Diagnosis.Failed("references", string.Join("; ", lost) + ".", RestoreAdvice);
    }

    private static async Task<Diagnosis> Wallets(DatabaseSnapshot snapshot)
    {
        var report = await WalletVerb.Report(snapshot);
        return report.IsSound
            ? Diagnosis.Ok("wallets", report.Sentence)
            : Diagnosis.Failed(
                "wallets", $"{report.Sentence} The first: {report.Named[0]}",
                "Run tollgate wallet check for all of them, and compare with a backup from before; make good what is wrong by entries.");
    }

    /// <summary>A series that lags behind its table would give numbers twice.</summary>
    private static async Task<Diagnosis> Counters(DatabaseSnapshot snapshot)
    {
        var behind = new List<string>();
        foreach (var (name, value) in await snapshot.Counters())
        {
            // By convention the series "key" numbers a table's first column key_no; that of changes is called seq.
            var column = name == "changes" ? "seq" : name + "_no";
            var table = snapshot.Tables.FirstOrDefault(table =>
                table.Columns[0].Name == column && table.Name.StartsWith(name, StringComparison.Ordinal));
            if (table is not null && await snapshot.Highest(table, column) is var highest && highest > value)
            {
                behind.Add($"the series {name} is at {value}, its table at {highest}");
            }
        }

        return behind.Count == 0
            ? Diagnosis.Ok("counters", "No number would be given twice.")
            : Diagnosis.Failed("counters", string.Join("; ", behind) + ".", RestoreAdvice);
    }
}

/// <summary>How something stands.</summary>
internal enum Soundness
{
    Ok,
    Warning,
    Failed,
}

/// <summary>What one check found, and what to do about it.</summary>
internal sealed record Diagnosis(string Check, Soundness Soundness, string Sentence, string? Remedy)
{
    public static Diagnosis Ok(string check, string sentence) => new(check, Soundness.Ok, sentence, null);

    public static Diagnosis Warning(string check, string sentence, string remedy) => new(check, Soundness.Warning, sentence, remedy);

    public static Diagnosis Failed(string check, string sentence, string remedy) => new(check, Soundness.Failed, sentence, remedy);
}
