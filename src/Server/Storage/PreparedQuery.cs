using System.Data;
using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace Tollgate.Server.Storage;

/// <summary>
/// A query for one row that is asked too often to be parsed each time. On SQLite each connection that reads keeps the statement for as long
/// as it is open; Npgsql keeps it in the connection to the server (<see cref="PostgresDriver"/> sets how many). Whoever asks has the
/// connection to himself, and so the command too.
/// </summary>
/// <param name="sql">One statement with one parameter.</param>
/// <param name="parameter">Its name, without the sign.</param>
/// <param name="type">Its type.</param>
/// <param name="read">Makes the row from the columns in their order.</param>
internal sealed class PreparedQuery<T>(string sql, string parameter, DbType type, Func<DbDataReader, T> read)
    where T : class
{
    /// <summary>An entry goes with its connection.</summary>
    private readonly ConditionalWeakTable<DbConnection, DbCommand> _kept = new();

    /// <summary>The row, or null when there is none.</summary>
    public Task<T?> Ask(DbConnection connection, object value) => connection is SqliteConnection
        ? AskKept(_kept.GetValue(connection, Make), value)
        : AskOnce(connection, value);

    // SQLite answers while it is called: there is nothing to wait for.
    private Task<T?> AskKept(DbCommand command, object value)
    {
        command.Parameters[0].Value = value;
        using var reader = command.ExecuteReader(CommandBehavior.SingleRow);
        return Task.FromResult(reader.Read() ? read(reader) : null);
    }

    private async Task<T?> AskOnce(DbConnection connection, object value)
    {
        await using var command = Make(connection);
        command.Parameters[0].Value = value;
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow);
        return await reader.ReadAsync() ? read(reader) : null;
    }

    private DbCommand Make(DbConnection connection)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // a constant of a *Sql.cs
        command.CommandText = sql;
#pragma warning restore CA2100
        var only = command.CreateParameter();
        only.ParameterName = parameter;
        only.DbType = type;
        command.Parameters.Add(only);
        return command;
    }
}
