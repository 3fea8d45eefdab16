using System.Globalization;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.House;

/// <summary>
/// Who may say what in SQL. A migration <c>NNNN_room.sql</c> makes the tables of that room, which only that room names; a view is published
/// by its owner for all to read. Statements stand in <c>*Sql.cs</c>, and the drivers in Storage.
/// </summary>
internal static partial class SqlRules
{
    private const string Storage = "src/Server/Storage/";

    public static IEnumerable<Finding> Ownership(IReadOnlyList<SourceFile> migrations, IReadOnlyList<SourceFile> code)
    {
        var ownerOf = new Dictionary<string, string>();
        foreach (var migration in migrations)
        {
            var room = MigrationName().Match(migration.Path) is { Success: true } name
                ? CultureInfo.InvariantCulture.TextInfo.ToTitleCase(name.Groups["room"].Value)
                : "";
            if (!RoomRules.Order.Contains(room))
            {
                yield return new Finding(
                    "a migration is named NNNN_room.sql", migration.Path, "Name it after the room that owns its tables");
            }

            foreach (Match table in MadeTable().Matches(migration.Text))
            {
                ownerOf.TryAdd(table.Groups["table"].Value, room);
            }
        }

        foreach (var file in code.Where(file => file.Path.EndsWith("Sql.cs", StringComparison.Ordinal)))
        {
            var room = file.Folders[2];
            foreach (Match use in NamedTable().Matches(file.Text))
            {
                if (ownerOf.TryGetValue(use.Groups["table"].Value, out var owner) && owner != room)
                {
                    yield return new Finding(
                        $"{room} names the table {use.Groups["table"].Value} of {owner}",
                        $"{file.Path}:{file.LineOf(use.Index)}",
                        $"Call {owner}'s door, or read a view that a migration of {owner} publishes");
                }
            }
        }
    }

    public static IEnumerable<Finding> Statements(SourceFile file)
    {
        if (file.Path.EndsWith("Sql.cs", StringComparison.Ordinal) || file.Path.StartsWith(Storage, StringComparison.Ordinal))
        {
            return [];
        }

        return Statement().Matches(file.Text).Select(statement => new Finding(
            "SQL stands outside *Sql.cs", $"{file.Path}:{file.LineOf(statement.Index)}", "Move the statement to the room's *Sql.cs"));
    }

    public static IEnumerable<Finding> Drivers(SourceFile file)
    {
        if (file.Path.StartsWith(Storage, StringComparison.Ordinal))
        {
            return [];
        }

        return Driver().Matches(CSharpCode.Blank(file.Text)).Select(driver => new Finding(
            $"{driver.Value} is used outside Storage", $"{file.Path}:{file.LineOf(driver.Index)}", "Take a DbConnection from Storage"));
    }

    [GeneratedRegex(@"/\d{4}_(?<room>[a-z]+)[^/]*\.sql$")]
    private static partial Regex MigrationName();

    [GeneratedRegex(@"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?<table>[a-z_]+)", RegexOptions.IgnoreCase)]
    private static partial Regex MadeTable();

    [GeneratedRegex(@"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(?<table>[a-z_]+)")]
    private static partial Regex NamedTable();

    [GeneratedRegex(@"\b(?:SELECT\s[^;""]{1,400}\sFROM\s|INSERT\s+INTO\s|UPDATE\s+[a-z_]+\s+SET\s|DELETE\s+FROM\s)")]
    private static partial Regex Statement();

    [GeneratedRegex(@"\b(?:Npgsql|Microsoft\.Data\.Sqlite|SQLitePCL)\b")]
    private static partial Regex Driver();
}
