using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.House;

/// <summary>Names that say nothing, interfaces that nobody needs, and companies, which only their provider files may name.</summary>
internal static partial class NameRules
{
    /// <summary>Interfaces of our own that have two real implementations in <c>src</c>: one per database, one per kind of answer.</summary>
    private static readonly string[] Interfaces = ["IDatabaseDriver", "IResponseMeter", "IRestoreTarget"];

    private static readonly string[] Folders = ["Common", "Shared", "Core", "Models", "Interfaces", "Utilities"];

    public static IEnumerable<Finding> Types(SourceFile file)
    {
        var code = CSharpCode.Blank(file.Text);
        return Named().Matches(code).Where(type => Empty().IsMatch(type.Groups["name"].Value)).Select(type => new Finding(
            $"the name {type.Groups["name"].Value} does not say what it is",
            $"{file.Path}:{file.LineOf(type.Index)}",
            "End it in a noun of the product, such as Table, Buffer, Ledger, Ring or Meter"));
    }

    public static IEnumerable<Finding> Places(SourceFile file) => file.Folders
        .Where(folder => Folders.Contains(folder, StringComparer.OrdinalIgnoreCase))
        .Select(folder => new Finding($"a folder is called {folder}", file.Path, "Name the room after what it is about"));

    public static IEnumerable<Finding> NeedlessInterfaces(SourceFile file)
    {
        var code = CSharpCode.Blank(file.Text);
        return Interface().Matches(code).Where(one => !Interfaces.Contains(one.Groups["name"].Value)).Select(one => new Finding(
            $"the interface {one.Groups["name"].Value} is not on the list of those with two real implementations",
            $"{file.Path}:{file.LineOf(one.Index)}",
            "Use the sealed class itself; or add it to NameRules.Interfaces with its two implementations in the same change"));
    }

    public static IEnumerable<Finding> Companies(SourceFile file) => Company().Matches(file.Text).Select(name => new Finding(
        $"code names the company \"{name.Value}\"",
        $"{file.Path}:{file.LineOf(name.Index)}",
        "Say it in that company's file under providers/; if the vocabulary lacks a word for it, add the word"));

    [GeneratedRegex(@"\b(?:class|struct|record|enum|interface)\s+(?:(?:struct|class)\s+)?(?<name>[A-Z]\w*)")]
    private static partial Regex Named();

    [GeneratedRegex("(?:Manager|Helpers?|Util(?:s|ity|ities)?|Processor|Base|Impl|Dto|Constants)$")]
    private static partial Regex Empty();

    [GeneratedRegex(@"\binterface\s+(?<name>\w+)")]
    private static partial Regex Interface();

    [GeneratedRegex("tensor[a-z]*", RegexOptions.IgnoreCase)]
    private static partial Regex Company();
}
