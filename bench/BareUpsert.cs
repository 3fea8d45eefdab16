using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;
using Tollgate.Engine.Usage;
using Tollgate.Server.Storage;

namespace Tollgate.Bench;

/// <summary>
/// The other side of the flush: lines put into the same table by the statement that one would write by hand for that alone, and a commit.
/// On a connection of its own to a database of its own.
/// </summary>
internal sealed class BareUpsert : IAsyncDisposable
{
    private const int Columns = 13;

    private const string Insert =
        """
        INSERT INTO usage_log (request_no, key_no, place_no, at_ms, model_no, price_version, input_tokens, output_tokens, cost_micros,
                               loss_micros, status, latency_ms, flags)
        """;

    private const string Then = "ON CONFLICT (request_no) DO NOTHING";

    private readonly UsageStore _store;
    private readonly DbConnection _connection;
    private readonly DbCommand _command;

    private BareUpsert(UsageStore store, DbConnection connection)
    {
        (_store, _connection, _command) = (store, connection, connection.CreateCommand());
        string names = string.Join(", ", Enumerable.Range(0, Columns).Select(i => string.Create(CultureInfo.InvariantCulture, $"@c{i}")));
        _command.CommandText = connection is SqliteConnection
            ? $"{Insert} VALUES ({names}) {Then}"
            : $"{Insert} SELECT * FROM unnest({names}) {Then}";
        for (int i = 0; i < Columns; i++)
        {
            DbParameter parameter = _command.CreateParameter();
            parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"@c{i}");
            _command.Parameters.Add(parameter);
        }
    }

    public static async Task<BareUpsert?> Open(bool isSqlite)
    {
        if (await UsageStore.Open(isSqlite) is not { } store)
        {
            return null;
        }

        DbConnection connection = isSqlite
            ? new SqliteConnection($"Data Source={Path.Combine(store.Folder, SqliteDriver.FileName)};Pooling=False;Foreign Keys=True")
            : new NpgsqlConnection(store.Postgres!.Connection + ";Max Auto Prepare=10;Auto Prepare Min Usages=2");
        await connection.OpenAsync();
        if (isSqlite)
        {
            await using DbCommand pragma = connection.CreateCommand();
            pragma.CommandText = "PRAGMA synchronous = FULL";
            await pragma.ExecuteNonQueryAsync();
        }

        return new BareUpsert(store, connection);
    }

    public async Task Run(UsageEvent[] events)
    {
        await using DbTransaction transaction = _connection is SqliteConnection sqlite
            ? sqlite.BeginTransaction(deferred: false)
            : await _connection.BeginTransactionAsync();
        _command.Transaction = transaction;
        if (_connection is SqliteConnection)
        {
            foreach (UsageEvent happened in events)
            {
                for (int i = 0; i < Columns; i++)
                {
                    _command.Parameters[i].Value = Cell(in happened, i) is { } cell ? cell : DBNull.Value;
                }

                _command.ExecuteNonQuery();
            }
        }
        else
        {
            for (int i = 0; i < Columns; i++)
            {
                _command.Parameters[i].Value = i == 8
                    ? Array.ConvertAll(events, happened => Cell(in happened, i))
                    : Array.ConvertAll(events, happened => Cell(in happened, i)!.Value);
            }

            await _command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static long? Cell(in UsageEvent happened, int column) => column switch
    {
        0 => happened.RequestNo,
        1 => happened.KeyNo,
        2 => 1,
        3 => happened.AtMs,
        4 => happened.Model,
        5 => happened.PriceVersion,
        6 => happened.InputTokens,
        7 => happened.OutputTokens,
        8 => null,
        9 => happened.LossMicros,
        10 => happened.Status,
        11 => happened.LatencyMs,
        _ => (long)happened.Flags,
    };
}
