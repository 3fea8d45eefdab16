using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>
/// The verb <c>migrate</c>: brings the database to this version's schema without starting a gate. With <c>--check</c> it only tells what it
/// would do, beside a running gate too.
/// </summary>
internal static class MigrateVerb
{
    private const string CheckOnly = "--check";

    public static Task<int> Run(string[] arguments) => Verb.Run(arguments, new VerbForm([CheckOnly]), async line =>
    {
        var pending = await Pending(line.Options.Storage);
        return line.Flags.Contains(CheckOnly) ? Tell(pending) : await Apply(line.Options.Storage, pending);
    });

    /// <summary>What this version would apply. A database that a newer version made is refused.</summary>
    public static async Task<IReadOnlyList<Migration>> Pending(StorageOptions options)
    {
        if (options.Kind == DatabaseKind.Sqlite && !File.Exists(Path.Combine(options.DataDirectory, SqliteDriver.FileName)))
        {
            return Migration.Embedded;
        }

        await using var snapshot = await DatabaseSnapshot.Open(options);
        var applied = await snapshot.Migrations();
        Migrator.RefuseStrangers(applied, Migration.Embedded);
        return [.. Migration.Embedded.Skip(applied.Count)];
    }

    private static int Tell(IReadOnlyList<Migration> pending)
    {
        foreach (var migration in pending)
        {
            System.Console.WriteLine($"pending  {migration.Number:0000} ({migration.Name})");
        }

        System.Console.WriteLine(pending.Count == 0
            ? $"Nothing to do: the database is at migration {Migration.Embedded.Count:0000}, as this version wants it."
            : $"{pending.Count} to apply: tollgate migrate, or the next start of the gate, does it.");
        return pending.Count == 0 ? Verb.Done : Verb.NotDone;
    }

    private static async Task<int> Apply(StorageOptions options, IReadOnlyList<Migration> pending)
    {
        await using var database = await Database.Open(options, TimeProvider.System, NullLoggerFactory.Instance);
        foreach (var migration in pending)
        {
            System.Console.WriteLine($"applied  {migration.Number:0000} ({migration.Name})");
        }

        System.Console.WriteLine($"The database is at migration {Migration.Embedded.Count:0000}.");
        return Verb.Done;
    }
}
