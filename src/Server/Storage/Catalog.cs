using System.Data.Common;
using System.Text.RegularExpressions;
using Dapper;

namespace Tollgate.Server.Storage;

/// <summary>
/// What tables a database has, as both databases tell it: what copies or checks all of it goes by this and names no table itself. Only
/// tables that migrations make count; whatever else lives in a shared database is not ours.
/// </summary>
internal static partial class Catalog
{
    private static readonly Lazy<HashSet<string>> Made = new(() =>
    [
        Migrator.Table,
        .. Migration.Embedded.SelectMany(migration => MadeTable().Matches(migration.Sql)).Select(made => made.Groups["table"].Value),
    ]);

    /// <summary>Our tables, by name, with their columns in order.</summary>
    public static async Task<IReadOnlyList<TableShape>> Tables(
        DbConnection connection, DatabaseKind kind, DbTransaction? transaction = null)
    {
        var rows = await connection.QueryAsync<(string Table, string Column, string Type)>(
            kind == DatabaseKind.Sqlite
                ? """
                  SELECT t.name, c.name, c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c
                  WHERE t.type = 'table' ORDER BY t.name, c.cid
                  """
                : """
                  SELECT c.table_name::text, c.column_name::text, c.data_type::text FROM information_schema.columns c
                  JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
                  WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
                  ORDER BY c.table_name COLLATE "C", c.ordinal_position
                  """,
            transaction: transaction);
        return
        [
            .. rows.Where(row => Made.Value.Contains(row.Table)).GroupBy(row => row.Table).Select(table => new TableShape(
                table.Key, [.. table.Select(row => new ColumnShape(row.Column, row.Type.ToUpperInvariant()))])),
        ];
    }

    /// <summary>Which table's columns refer to which; one entry for each column.</summary>
    public static async Task<IReadOnlyList<Reference>> References(
        DbConnection connection, DatabaseKind kind, DbTransaction? transaction = null)
    {
        var rows = await connection.QueryAsync<(string Table, string Column, string Owner, string OwnerColumn)>(
            kind == DatabaseKind.Sqlite
                ? """
                  SELECT t.name, f."from", f."table", f."to" FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f
                  WHERE t.type = 'table' ORDER BY t.name, f.id
                  """
                : """
                  SELECT t.relname::text, c.attname::text, o.relname::text, oc.attname::text
                  FROM pg_constraint f
                  JOIN pg_class t ON t.oid = f.conrelid
                  JOIN pg_class o ON o.oid = f.confrelid
                  JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = f.conkey[1]
                  JOIN pg_attribute oc ON oc.attrelid = f.confrelid AND oc.attnum = f.confkey[1]
                  WHERE f.contype = 'f' AND t.relnamespace = current_schema()::regnamespace
                  ORDER BY t.relname COLLATE "C", f.conname
                  """,
            transaction: transaction);
        return
        [
            .. rows.Where(row => Made.Value.Contains(row.Table))
                .Select(row => new Reference(row.Table, row.Column, row.Owner, row.OwnerColumn)),
        ];
    }

    /// <summary>The tables in an order in which each comes after those that it refers to.</summary>
    public static IReadOnlyList<TableShape> OwnersFirst(IReadOnlyList<TableShape> tables, IReadOnlyList<Reference> references)
    {
        var (left, ordered) = (tables.ToList(), new List<TableShape>());
        while (left.Count > 0)
        {
            var next = left.Find(table => references.All(reference =>
                reference.Table != table.Name || reference.Owner == table.Name || left.TrueForAll(other => other.Name != reference.Owner)))
                ?? throw new InvalidOperationException("Tables refer to each other in a circle.");
            left.Remove(next);
            ordered.Add(next);
        }

        return ordered;
    }

    [GeneratedRegex(@"\b(?:CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?|RENAME\s+TO\s+)(?<table>[a-z_]+)", RegexOptions.IgnoreCase)]
    private static partial Regex MadeTable();
}

/// <summary>A table and its columns.</summary>
internal sealed record TableShape(string Name, IReadOnlyList<ColumnShape> Columns)
{
    /// <summary>Reads all of it; names come from the catalogue or from a checked backup, never from a caller.</summary>
    public string Select => $"SELECT {Names} FROM \"{Name}\"";

    public string Names => string.Join(", ", Columns.Select(column => $"\"{column.Name}\""));
}

/// <summary>A column with its type as migrations write it: BIGINT, SMALLINT, TEXT or BYTEA.</summary>
internal sealed record ColumnShape(string Name, string Type)
{
    public bool IsInteger => Type is "BIGINT" or "SMALLINT" or "INTEGER";

    public bool IsText => Type == "TEXT";

    public bool IsBytes => Type == "BYTEA";
}

/// <summary>A column whose values are those of another table's column.</summary>
internal sealed record Reference(string Table, string Column, string Owner, string OwnerColumn);
