using System.Globalization;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>
/// The verb <c>restore</c>: puts a backup in place of the data, or where there is none. It tells what would come back to life that has been
/// taken away since, and asks; a gate that runs is never restored under its feet.
/// </summary>
internal static class RestoreVerb
{
    private const string Yes = "--yes";
    private const string Keep = "--keep-revocations";
    private const string Uncompared = "--without-comparison";

    private static readonly VerbForm Form = new([Yes, Keep, Uncompared], Operand: "The backup's file");

    public static Task<int> Run(string[] arguments) => Verb.Run(arguments, Form, async line =>
    {
        var (options, keep, now) = (line.Options, line.Flags.Contains(Keep), TimeProvider.System.GetUtcNow());
        using var backup = BackupFile.Open(line.Operand!);
        backup.Verify(CancellationToken.None);
        var manifest = backup.Manifest;
        Migrator.RefuseStrangers(manifest.Migrations, Migration.Embedded, "backup");
        _ = Pepper.Matching(options.PepperPath, manifest.PepperCheck);
        System.Console.WriteLine(
            $"{line.Operand}: made {Time(manifest.MadeAtMs)} on {manifest.Database} by Tollgate {manifest.MadeBy}, provider "
            + $"{manifest.Provider}; every checksum agrees, and the pepper is the right one.");

        await using IRestoreTarget target = options.Storage.Kind == DatabaseKind.Sqlite
            ? await SqliteRestoreTarget.Open(options.Storage, now.ToUnixTimeMilliseconds(), CancellationToken.None)
            : await PostgresRestoreTarget.Open(options.Storage, now.ToUnixTimeMilliseconds(), CancellationToken.None);
        var (restoration, spool) = (new Restoration(backup, target, keep), SpoolAside.In(options.Data));
        await restoration.Fill(CancellationToken.None);
        await Tell(restoration, keep);
        Tell(spool);
        if (keep && !restoration.IsCompared && !line.Flags.Contains(Uncompared))
        {
            throw new BackupException(
                $"{Keep} cannot keep what is not known: there is no whole comparison with the database in place. Nothing was changed; "
                + $"add {Uncompared} to restore all the same.");
        }

        if (!line.Flags.Contains(Yes) && !Confirmed())
        {
            System.Console.WriteLine("Nothing was changed.");
            return Verb.NotDone;
        }

        await spool.PassBy(target.Scope);
        await restoration.Seal();
        spool.Keep();
        var stamp = now.ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture);
        var kept = string.Join(" and ", new[] { await target.PutInPlace(stamp), spool.Name(stamp) }.OfType<string>());
        System.Console.WriteLine("Restored. The gate can be started."
            + (kept.Length == 0 ? "" : $" What was in place before is kept as {kept}; delete it when it is no longer needed."));
        return Verb.Done;
    });

    private static async Task Tell(Restoration restoration, bool keep)
    {
        if (restoration.AuditFault is { } broken)
        {
            System.Console.WriteLine($"WARNING: the backup's audit chain is not whole: {broken}");
        }

        var undone = 0L;
        try
        {
            await foreach (var change in restoration.Compare())
            {
                if (undone++ == 0)
                {
                    System.Console.WriteLine($"Taken away since the backup, and {(keep ? "kept so" : "UNDONE by restoring it")}:");
                }

                var at = change.AtMs is { } ms ? " " + Time(ms) : "";
                System.Console.WriteLine(
                    $"  {change.TargetType} {change.TargetId} \"{change.Name}\" {change.What}{at}: {(keep ? "kept" : change.Detail)}");
            }
        }
        catch (InPlaceException fault)
        {
            restoration.GiveUpComparing(fault.Message);
        }

        foreach (var sentence in restoration.Facts(undone))
        {
            System.Console.WriteLine(sentence);
        }
    }

    private static void Tell(SpoolAside spool)
    {
        if (spool.Fault is { } fault)
        {
            System.Console.WriteLine($"WARNING: {fault}");
        }

        if (spool.Left > 0)
        {
            System.Console.WriteLine(
                $"WARNING: the gate did not end in order: {spool.Left} events of requests are in its spool and not in the database in "
                + "place. They were not compared, and will not be in the restored one; start the gate once more to have them taken in.");
        }
    }

    private static bool Confirmed()
    {
        if (System.Console.IsInputRedirected)
        {
            System.Console.Error.WriteLine("tollgate: this needs a yes: run it in a terminal, or with --yes.");
            return false;
        }

        System.Console.Write("Restore it? Type yes: ");
        return System.Console.ReadLine()?.Trim() == "yes";
    }

    private static string Time(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
