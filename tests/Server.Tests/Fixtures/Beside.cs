using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>A connection of a test's own to a gate's database, which goes around the gate.</summary>
internal static class Beside
{
    public static async Task<DbConnection> Open(DatabaseKind kind, string folder, string? postgres)
    {
        // A test whose gate is another process has none here that would have done so.
        SqliteDriver.SystemLibrary.Use();
        DbConnection connection = kind == DatabaseKind.Sqlite
            ? new SqliteConnection($"Data Source={Path.Combine(folder, SqliteDriver.FileName)};Pooling=False")
            : new NpgsqlConnection(postgres + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }
}
