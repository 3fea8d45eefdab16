using System.Data;
using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Tollgate.Server.Storage;

/// <summary>
/// Runs one SQLite statement for many rows by the library's own calls. The driver would look up each parameter by its name again for each
/// row, which takes as long as the row itself. The statement is parsed once and goes with its connection.
/// </summary>
internal sealed class SqliteRows(string sql)
{
    private readonly ConditionalWeakTable<DbConnection, Parsed> _kept = new();

    /// <summary>Rows changed in all. The transaction is the connection's.</summary>
    public int Run(DbConnection connection, Array[] columns)
    {
        var sqlite = (SqliteConnection)connection;
        var (db, parsed) = (sqlite.Handle!, _kept.GetValue(connection, Parse));
        var statement = parsed.Statement;
        var changed = 0;
        try
        {
            for (var row = 0; row < columns[0].Length; row++)
            {
                for (var column = 0; column < columns.Length; column++)
                {
                    // What was bound for the row before stays bound, and a call into the library costs more than to compare.
                    if (row == 0 || !IsAsBefore(columns[column], row))
                    {
                        Bind(statement, parsed.IndexOf[column], columns[column], row);
                    }
                }

                var result = raw.sqlite3_step(statement);
                if (result != raw.SQLITE_DONE)
                {
                    SqliteException.ThrowExceptionForRC(result, db);
                }

                changed += raw.sqlite3_changes(db);
                raw.sqlite3_reset(statement);
            }

            return changed;
        }
        finally
        {
            raw.sqlite3_reset(statement);
            raw.sqlite3_clear_bindings(statement);
        }
    }

    private Parsed Parse(DbConnection connection)
    {
        var sqlite = (SqliteConnection)connection;
        SqliteException.ThrowExceptionForRC(
            raw.sqlite3_prepare_v3(sqlite.Handle!, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement), sqlite.Handle!);
        // A connection is not closed to the end while a statement of it lives.
        sqlite.StateChange += (_, change) =>
        {
            if (change.CurrentState == ConnectionState.Closed)
            {
                statement.Dispose();
            }
        };
        // Numbered by the library in the order in which the text first names them.
        var indexOf = new int[raw.sqlite3_bind_parameter_count(statement)];
        for (var column = 0; column < indexOf.Length; column++)
        {
            indexOf[column] = raw.sqlite3_bind_parameter_index(statement, RowsStatement.Name(column));
        }

        return new Parsed(statement, indexOf);
    }

    private static bool IsAsBefore(Array column, int row) => column switch
    {
        long[] numbers => numbers[row] == numbers[row - 1],
        long?[] numbers => numbers[row] == numbers[row - 1],
        _ => false,
    };

    private static void Bind(sqlite3_stmt statement, int index, Array column, int row)
    {
        var result = column switch
        {
            long[] numbers => raw.sqlite3_bind_int64(statement, index, numbers[row]),
            long?[] numbers => numbers[row] is { } number
                ? raw.sqlite3_bind_int64(statement, index, number)
                : raw.sqlite3_bind_null(statement, index),
            string?[] texts => texts[row] is { } text
                ? raw.sqlite3_bind_text(statement, index, text)
                : raw.sqlite3_bind_null(statement, index),
            byte[][] blobs => raw.sqlite3_bind_blob(statement, index, blobs[row]),
            _ => throw new ArgumentException("A column is of long, of long?, of string or of bytes.", nameof(column)),
        };
        if (result != raw.SQLITE_OK)
        {
            throw new InvalidOperationException($"SQLite did not take a value: {result}.");
        }
    }

    private sealed record Parsed(sqlite3_stmt Statement, int[] IndexOf);
}
