using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.House;

/// <summary>The rooms of the Server in their order: a room uses only those before it, so there is no way round in a circle.</summary>
internal static partial class RoomRules
{
    public static readonly string[] Order =
    [
        "Telemetry", "Problems", "Wire", "Access", "Providers", "Storage", "Audit", "Mutations", "Webhooks", "Organizations", "Quotas",
        "Wallet", "Keys", "Closures", "Changes", "Usage", "Journal", "Upstreams", "Verification", "Surfaces", "ForwardAuth", "Mail",
        "Identity", "Teams", "Reach", "Console", "Docs", "Hosting", "Operating",
    ];

    private const string Server = "src/Server/";

    /// <summary>Every use of a later room, and every file that is in no room.</summary>
    public static IEnumerable<Finding> Uses(IReadOnlyList<SourceFile> files)
    {
        var typesOf = files.Where(file => RoomOf(file) is not null).GroupBy(file => RoomOf(file)!).ToDictionary(
            room => room.Key,
            room => room.SelectMany(file => Declared().Matches(CSharpCode.Blank(file.Text)))
                .Select(type => type.Groups["name"].Value).ToHashSet());
        return files.SelectMany(file => RoomOf(file) is { } room ? Uses(file, room, typesOf) : NoRoom(file));
    }

    private static IEnumerable<Finding> Uses(SourceFile file, string room, Dictionary<string, HashSet<string>> typesOf)
    {
        var place = Array.IndexOf(Order, room);
        if (place < 0)
        {
            return [new Finding($"the room {room} has no place in the order", file.Path, "Add it to RoomRules.Order, after all it uses")];
        }

        var code = CSharpCode.Blank(file.Text);
        var full = Full().Matches(code).Select(use => (use.Index, Room: use.Groups["room"].Value));
        var partly = Partial().Matches(code)
            .Where(use => typesOf.TryGetValue(use.Groups["room"].Value, out var types) && types.Contains(use.Groups["type"].Value))
            .Select(use => (use.Index, Room: use.Groups["room"].Value));
        var later = full.Concat(partly)
            .Where(use => Array.IndexOf(Order, use.Room) is var other && other > place)
            .Select(use => new Finding(
                $"{room} uses {use.Room}, which comes after it",
                $"{file.Path}:{file.LineOf(use.Index)}",
                $"Move what both need to {room} or before it, or let {use.Room} call in"));
        var hidden = GlobalUsing().Matches(code).Select(use => new Finding(
            "a global using hides what a room uses", $"{file.Path}:{file.LineOf(use.Index)}", "Write the using in each file"));
        return later.Concat(hidden);
    }

    private static Finding[] NoRoom(SourceFile file) => file.Path is Server + "Program.cs"
        ? []
        : [new Finding("the file is in no room", file.Path, "Move it into the folder of the noun it is about")];

    private static string? RoomOf(SourceFile file) => file.Folders is [_, _, var room, ..] ? room : null;

    [GeneratedRegex(@"\bTollgate\.Server\.(?<room>[A-Z]\w*)")]
    private static partial Regex Full();

    [GeneratedRegex(@"(?<![\w.])(?<room>[A-Z]\w*)\.(?<type>[A-Z]\w*)")]
    private static partial Regex Partial();

    [GeneratedRegex(@"\b(?:class|struct|record|enum|interface)\s+(?:(?:struct|class)\s+)?(?<name>[A-Z]\w*)")]
    private static partial Regex Declared();

    [GeneratedRegex(@"\bglobal\s+using\b")]
    private static partial Regex GlobalUsing();
}
