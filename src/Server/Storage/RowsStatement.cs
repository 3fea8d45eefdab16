using System.Data.Common;
using System.Globalization;

namespace Tollgate.Server.Storage;

/// <summary>
/// A statement that is run for many rows of one write, each column an array: of long, of long that may be null, of text that may be
/// null, or of bytes. SQLite runs it once a row, parsed once for as long as its connection lives; PostgreSQL gets all rows in one call.
/// </summary>
/// <param name="sqlite">For one row, with the parameters @c0, @c1 and on.</param>
/// <param name="postgres">For all rows, with the same parameters as arrays.</param>
/// <param name="postgresRest">What follows where that changed fewer rows than there are, with the same parameters; mostly nothing.</param>
internal sealed class RowsStatement(string sqlite, string postgres, string? postgresRest = null)
{
    private readonly SqliteRows _each = new(sqlite);

    /// <summary>
    /// Inserts rows. On PostgreSQL one statement must not meet a row twice: the caller hands in each key once.
    /// </summary>
    /// <param name="into">Such as <c>INSERT INTO models (model_no, name)</c>.</param>
    /// <param name="columns">How many columns that names.</param>
    /// <param name="then">What is to be done about a row that is there; empty for nothing.</param>
    public static RowsStatement Insert(string into, int columns, string then) =>
        new($"{into} VALUES ({Names(columns)}) {then}", $"{into} SELECT {Unnested(columns)} {then}");

    /// <summary>
    /// Inserts rows of which each must be new; tell <see cref="RowsBatch.Add"/> their number. PostgreSQL refuses the first that is there,
    /// which costs it less than to look for each beforehand.
    /// </summary>
    /// <param name="into">As for <see cref="Insert"/>.</param>
    /// <param name="columns">As for <see cref="Insert"/>.</param>
    public static RowsStatement InsertNew(string into, int columns) =>
        new($"{into} VALUES ({Names(columns)}) ON CONFLICT DO NOTHING", $"{into} SELECT {Unnested(columns)}");

    /// <summary>
    /// Adds to rows, and inserts those that are not there. On PostgreSQL each row is handed in once, and it takes two statements, of which
    /// the second is rarely needed: an update alone costs half of what an insert does that turns into one.
    /// </summary>
    /// <param name="table">Its name.</param>
    /// <param name="key">The columns of its primary key.</param>
    /// <param name="columns">All that are given: those of the key and the others.</param>
    /// <param name="sums">Such as <c>amount = window_counts.amount + excluded.amount</c>: what was there, and what is given.</param>
    public static RowsStatement AddUp(string table, string[] key, string[] columns, string sums)
    {
        var (list, rows) = (string.Join(", ", columns), $"SELECT {Unnested(columns.Length)}");
        var insert = $"INSERT INTO {table} ({list})";
        var conflict = $"ON CONFLICT ({string.Join(", ", key)}) DO";
        var isSame = string.Join(" AND ", key.Select(column => $"{table}.{column} = excluded.{column}"));
        return new RowsStatement(
            $"{insert} VALUES ({Names(columns.Length)}) {conflict} UPDATE SET {sums}",
            $"UPDATE {table} SET {sums} FROM ({rows}) AS excluded ({list}) WHERE {isSame}",
            $"{insert} {rows} {conflict} NOTHING");
    }

    internal bool HasRest => postgresRest is not null;

    internal int RunEach(WriteScope scope, Array[] columns) => _each.Run(scope.Connection, columns);

    internal DbBatchCommand Command(DbBatch batch, Array[] columns, bool isRest = false)
    {
        var command = batch.CreateBatchCommand();
#pragma warning disable CA2100 // a constant of a *Sql.cs
        command.CommandText = isRest ? postgresRest! : postgres;
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

    private static string Names(int columns) => string.Join(", ", Enumerable.Range(0, columns).Select(Name));

    // One beside another they are read as they go. In FROM each would first be put into a table of its own, which took longer than half
    // of what is done with them.
    private static string Unnested(int columns) =>
        string.Join(", ", Enumerable.Range(0, columns).Select(column => $"unnest({Name(column)})"));
}

/// <summary>Statements of one write that go to the database together, in their order: on PostgreSQL in one round.</summary>
internal sealed class RowsBatch(WriteScope scope)
{
    private const string UniqueViolation = "23505";

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

        await RunTogether();
        return Missed is null;
    }

    /// <summary>On PostgreSQL: all of them in one round, and in a second one what the first did not find.</summary>
    private async Task RunTogether()
    {
        await using var batch = scope.Connection.CreateBatch();
        batch.Transaction = scope.Transaction;
        foreach (var (statement, columns, _) in _statements)
        {
            batch.BatchCommands.Add(statement.Command(batch, columns));
        }

        try
        {
            await batch.ExecuteNonQueryAsync();
        }
        catch (DbException clash) when (clash.SqlState == UniqueViolation && MustBeNew(batch, clash.BatchCommand) is { } statement)
        {
            Missed = statement;
            return;
        }

        await using var rest = scope.Connection.CreateBatch();
        rest.Transaction = scope.Transaction;
        var missing = 0;
        for (var i = 0; i < _statements.Count; i++)
        {
            var (statement, columns, rows) = _statements[i];
            var changed = batch.BatchCommands[i].RecordsAffected;
            Look(statement, changed, rows);
            if (statement.HasRest && changed < columns[0].Length)
            {
                rest.BatchCommands.Add(statement.Command(rest, columns, isRest: true));
                missing += columns[0].Length - changed;
            }
        }

        if (Missed is null && missing > 0 && await rest.ExecuteNonQueryAsync() != missing)
        {
            // Of two that are the same an update takes one.
            throw new InvalidOperationException("A row to be added to was handed in twice.");
        }
    }

    /// <summary>The statement of a command that says how many rows it must change; null for another one.</summary>
    private RowsStatement? MustBeNew(DbBatch batch, DbBatchCommand? failed)
    {
        var i = failed is null ? -1 : batch.BatchCommands.IndexOf(failed);
        return i >= 0 && _statements[i].Rows is not null ? _statements[i].Statement : null;
    }

    private void Look(RowsStatement statement, int changed, int? rows)
    {
        if (rows is { } all && changed != all)
        {
            Missed ??= statement;
        }
    }
}
