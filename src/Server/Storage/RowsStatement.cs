using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Tollgate.Server.Storage;

/// <summary>
/// A statement that is run for many rows of one write, each column an array. SQLite runs it once a row, parsed once for as long as its
/// connection lives; PostgreSQL gets all rows in one call. Arrays are of long, of long that may be null, or of text that may be null.
/// </summary>
/// <param name="sqlite">For one row, with the parameters @c0, @c1 and on.</param>
/// <param name="postgres">For all rows, with the same parameters as arrays.</param>
internal sealed class RowsStatement(string sqlite, string postgres)
{
    /// <summary>SQLite has one connection that writes; the command goes with it.</summary>
    private readonly ConditionalWeakTable<DbConnection, DbCommand> _kept = new();

    /// <summary>
    /// Inserts rows. On PostgreSQL one statement must not meet a row twice: the caller hands in each key once.
    /// </summary>
    /// <param name="into">Such as <c>INSERT INTO models (model_no, name)</c>.</param>
    /// <param name="columns">How many columns that names.</param>
    /// <param name="then">What is to be done about a row that is there; empty for nothing.</param>
    public static RowsStatement Insert(string into, int columns, string then)
    {
        var names = string.Join(", ", Enumerable.Range(0, columns).Select(Name));
        return new RowsStatement($"{into} VALUES ({names}) {then}", $"{into} SELECT * FROM unnest({names}) {then}");
    }

    /// <summary>Rows changed in all.</summary>
    public Task<int> Run(WriteScope scope, params Array[] columns) => columns[0].Length == 0
        ? Task.FromResult(0)
        : scope.Kind == DatabaseKind.Sqlite ? Task.FromResult(RunEach(scope, columns)) : RunAll(scope, columns);

    private int RunEach(WriteScope scope, Array[] columns)
    {
        var command = _kept.GetValue(scope.Connection, connection => Make(connection, sqlite, columns));
        command.Transaction = scope.Transaction;
        var changed = 0;
        for (var row = 0; row < columns[0].Length; row++)
        {
            for (var column = 0; column < columns.Length; column++)
            {
                command.Parameters[column].Value = columns[column] switch
                {
                    long[] numbers => numbers[row],
                    long?[] numbers => numbers[row] is { } number ? number : DBNull.Value,
                    string?[] texts => (object?)texts[row] ?? DBNull.Value,
                    _ => throw new ArgumentException("A column is of long, of long? or of string.", nameof(columns)),
                };
            }

            changed += command.ExecuteNonQuery();
        }

        command.Transaction = null;
        return changed;
    }

    private async Task<int> RunAll(WriteScope scope, Array[] columns)
    {
        await using var command = Make(scope.Connection, postgres, columns);
        command.Transaction = scope.Transaction;
        for (var column = 0; column < columns.Length; column++)
        {
            command.Parameters[column].Value = columns[column];
        }

        return await command.ExecuteNonQueryAsync();
    }

    private static DbCommand Make(DbConnection connection, string sql, Array[] columns)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of a *Sql.cs
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var column = 0; column < columns.Length; column++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = Name(column);
            command.Parameters.Add(parameter);
        }

        return command;
    }

    private static string Name(int column) => string.Create(CultureInfo.InvariantCulture, $"@c{column}");
}
