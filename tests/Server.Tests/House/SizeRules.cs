namespace Tollgate.Server.Tests.House;

/// <summary>What fits on a screen: lines, functions and files.</summary>
internal static class SizeRules
{
    public const int LineChars = 140;
    public const int FunctionLines = 70;
    public const int FileLines = 500;

    public static IEnumerable<Finding> Lines(SourceFile file) => file.Lines
        .Select((line, index) => (line, number: index + 1))
        .Where(at => at.line.Length > LineChars)
        .Select(at => new Finding(
            $"a line has at most {LineChars} characters, this one {at.line.Length}", $"{file.Path}:{at.number}", "Break it"));

    public static IEnumerable<Finding> Files(SourceFile file)
    {
        var lines = file.Text.AsSpan().TrimEnd('\n').Count('\n') + 1;
        return lines > FileLines
            ? [new Finding($"a file has at most {FileLines} lines, this one {lines}", file.Path, "Give each idea a file of its own")]
            : [];
    }

    public static IEnumerable<Finding> Functions(SourceFile file)
    {
        foreach (var member in CSharpCode.Members(CSharpCode.Blank(file.Text)))
        {
            var (first, last) = (file.LineOf(member.Start), file.LineOf(member.End));
            if (last - first + 1 > FunctionLines)
            {
                yield return new Finding(
                    $"a function has at most {FunctionLines} lines, this one {last - first + 1}",
                    $"{file.Path}:{first}",
                    "Keep the ifs here and move the leaves into functions of their own");
            }
        }
    }
}
