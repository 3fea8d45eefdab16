using System.Data.Common;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Npgsql;

namespace Tollgate.Server.Storage;

/// <summary>
/// Brings a database forward, one numbered file at a time, each in a transaction with its row in <c>schema_migrations</c>.
/// A database from the future, or one that ran a file which has changed since, is refused.
/// </summary>
internal static partial class Migrator
{
    public const string Table = "schema_migrations";

    public static async Task Run(
        IDatabaseDriver driver, IReadOnlyList<Migration> migrations, TimeProvider time, ILogger logger, CancellationToken cancel)
    {
        var connection = await driver.TakeWriter(cancel);
        try
        {
            await CreateTable(connection, null);
            var applied = await Applied(connection);
            RefuseStrangers(applied, migrations);
            // On a new database it is no news that all of them were applied.
            var level = applied.Count == 0 ? LogLevel.Debug : LogLevel.Information;
            foreach (var migration in migrations.Skip(applied.Count))
            {
                await Apply(driver, connection, migration, time.GetUtcNow().ToUnixTimeMilliseconds(), cancel);
                LogApplied(logger, level, migration.Number, migration.Name);
            }
        }
        catch (DbException error)
        {
            throw new StorageException($"The database could not be migrated: {error.Message}", error);
        }
        finally
        {
            await driver.GiveBackWriter(connection);
        }
    }

    /// <summary>The migrations that a database has been through, in order. It must hold their table.</summary>
    public static async Task<List<AppliedMigration>> Applied(DbConnection connection) => (await connection.QueryAsync<AppliedMigration>(
        "SELECT number, name, checksum FROM schema_migrations ORDER BY number")).AsList();

    /// <summary>Applies some of them to an empty database inside a transaction of the caller's.</summary>
    public static async Task Apply(
        DbConnection connection, DbTransaction transaction, IEnumerable<Migration> migrations, long nowMs)
    {
        await CreateTable(connection, transaction);
        foreach (var migration in migrations)
        {
            await Apply(connection, transaction, migration, nowMs);
        }
    }

    /// <param name="applied">What the data has been through.</param>
    /// <param name="known">What this version knows.</param>
    /// <param name="what">Whose migrations they are.</param>
    /// <exception cref="StorageException">A newer version, or another one, has made this data.</exception>
    public static void RefuseStrangers(
        IReadOnlyList<AppliedMigration> applied, IReadOnlyList<Migration> known, string what = "database")
    {
        for (var i = 0; i < applied.Count; i++)
        {
            if (i >= known.Count)
            {
                throw new StorageException(
                    $"The {what} is newer than this Tollgate: it holds migration {applied[i].Number:0000} ({applied[i].Name}), "
                    + $"this version knows {known.Count}. Start the version that wrote it, or a newer one.");
            }

            if (applied[i].Number != known[i].Number || applied[i].Checksum != known[i].Checksum)
            {
                throw new StorageException(
                    $"Migration {known[i].Number:0000} ({known[i].Name}) is not the one that made this {what}: "
                    + "applied migrations are never edited or renumbered. Start the version that wrote it.");
            }
        }
    }

    private static Task<int> CreateTable(DbConnection connection, DbTransaction? transaction) => connection.ExecuteAsync(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            number        BIGINT NOT NULL PRIMARY KEY,
            name          TEXT   NOT NULL,
            checksum      TEXT   NOT NULL,
            applied_at_ms BIGINT NOT NULL
        )
        """,
        transaction: transaction);

    private static async Task Apply(
        IDatabaseDriver driver, DbConnection connection, Migration migration, long nowMs, CancellationToken cancel)
    {
        await using var transaction = await driver.Begin(connection, cancel);
        await Apply(connection, transaction, migration, nowMs);
        await transaction.CommitAsync(CancellationToken.None);
        Failpoint.Pass("migration-committed");
    }

    private static async Task Apply(DbConnection connection, DbTransaction transaction, Migration migration, long nowMs)
    {
        await connection.ExecuteAsync(migration.SqlFor(connection), transaction: transaction);
        Failpoint.Pass("migration-run");
        await connection.ExecuteAsync(
            """
            INSERT INTO schema_migrations (number, name, checksum, applied_at_ms) VALUES (@Number, @Name, @Checksum, @nowMs)
            """,
            new { migration.Number, migration.Name, migration.Checksum, nowMs },
            transaction);
        Failpoint.Pass("migration-recorded");
    }

    [LoggerMessage(Message = "Applied migration {Number} ({Name})")]
    private static partial void LogApplied(ILogger logger, LogLevel level, long number, string name);
}

/// <summary>A migration that a database, or a backup of one, has been through.</summary>
internal sealed record AppliedMigration
{
    public long Number { get; init; }

    public required string Name { get; init; }

    public required string Checksum { get; init; }
}

/// <summary>
/// One numbered file of SQL that moves the schema forward. What stands behind <c>-- postgresql:</c> is run by that database alone.
/// </summary>
internal sealed record Migration(long Number, string Name, string Sql)
{
    private const string PostgresOnly = "-- postgresql: ";

    /// <summary>SHA-256 of the text, the same whichever line ends a checkout wrote.</summary>
    public string Checksum { get; } =
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

    /// <summary>The files built into this version, in order: <c>migrations/0001_storage.sql</c> and on, without gaps.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = Load();

    /// <summary>The text as a database takes it; the checksum is of the file, on both.</summary>
    public string SqlFor(DbConnection connection) =>
        connection is NpgsqlConnection ? Sql.Replace(PostgresOnly, "", StringComparison.Ordinal) : Sql;

    private static Migration[] Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        Migration[] all =
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith("migrations/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => Read(assembly, name)),
        ];
        for (var i = 0; i < all.Length; i++)
        {
            if (all[i].Number != i + 1)
            {
                throw new InvalidOperationException($"Migration {i + 1:0000} is missing or numbered twice.");
            }
        }

        return all;
    }

    private static Migration Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        var file = Path.GetFileNameWithoutExtension(resource);
        return new Migration(long.Parse(file.AsSpan(0, 4), CultureInfo.InvariantCulture), file[5..], reader.ReadToEnd());
    }
}
