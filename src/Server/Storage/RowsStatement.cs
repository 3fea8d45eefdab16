using System.Data.Common;
using System.Globalization;

namespace Tollgate.Server.Storage;

/// <summary>
/// A statement that is run for many rows of one write, each column an array: of long, of long that may be null, or of text that may be
/// null. SQLite runs it once a row, parsed once for as long as its connection lives; PostgreSQL gets all rows in one call.
/// </summary>
/// <param name="sqlite">For one row, with the parameters @c0, @c1 and on.</param>
/// <param name="postgres">For all rows, with the same parameters as arrays.</param>
internal sealed class RowsStatement(string sqlite, string postgres)
{
    private readonly SqliteRows _each = new(sqlite);

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

    internal int RunEach(WriteScope scope, Array[] columns) => _each.Run(scope.Connection, columns);

    internal DbBatchCommand Command(DbBatch batch, Array[] columns)
    {
        var command = batch.CreateBatchCommand();
#pragma warning disable CA2100 // a constant of a *Sql.cs
        command.CommandText = postgres;
#pragma warning restore CA2100
        for (var column = 0; column < columns.Length; column++)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (Name(column), columns[column]);
            command.Parameters.Add(parameter);
        }

        return command;
    }

    /// <summary>Of the parameter that stands for a column.</summary>
    internal static string Name(int column) => string.Create(CultureInfo.InvariantCulture, $"@c{column}");
}

/// <summary>Statements of one write that go to the database together, in their order: on PostgreSQL in one round.</summary>
internal sealed class RowsBatch(WriteScope scope)
{
    private readonly List<(RowsStatement Statement, Array[] Columns, int? Rows)> _statements = [];

    /// <summary>The first statement that changed fewer rows than it must; null when none did.</summary>
    public RowsStatement? Missed { get; private set; }

    /// <param name="statement">What is to be run; not at all where there are no rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="rows">How many rows it must change; null for any number.</param>
    public void Add(RowsStatement statement, Array[] columns, int? rows = null)
    {
        if (columns[0].Length > 0)
        {
            _statements.Add((statement, columns, rows));
        }
    }

    /// <summary>False, and the write must not be committed, when a statement changed fewer rows than it must.</summary>
    public async Task<bool> Run()
    {
        if (_statements.Count == 0)
        {
            return true;
        }

        if (scope.Kind == DatabaseKind.Sqlite)
        {
            foreach (var (statement, columns, rows) in _statements)
            {
                Look(statement, statement.RunEach(scope, columns), rows);
            }

            return Missed is null;
        }

        await using var batch = scope.Connection.CreateBatch();
        batch.Transaction = scope.Transaction;
        foreach (var (statement, columns, _) in _statements)
        {
            batch.BatchCommands.Add(statement.Command(batch, columns));
        }

        await batch.ExecuteNonQueryAsync();
        for (var i = 0; i < _statements.Count; i++)
        {
            Look(_statements[i].Statement, batch.BatchCommands[i].RecordsAffected, _statements[i].Rows);
        }

        return Missed is null;
    }

    private void Look(RowsStatement statement, int changed, int? rows)
    {
        if (rows is { } all && changed != all)
        {
            Missed ??= statement;
        }
    }
}
