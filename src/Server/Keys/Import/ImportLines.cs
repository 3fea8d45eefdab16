using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys.Import;

/// <summary>The body of an import: lines, each a row or what is wrong with it. One bad line takes no other with it.</summary>
internal static class ImportLines
{
    public const int RowsMax = 1_000;
    public const int BytesMax = 4 * 1_024 * 1_024;
    public const int LineBytesMax = 32 * 1_024;

    /// <summary>Lines of nothing but spaces are no rows, but are counted, so that a line has the number an editor shows.</summary>
    public static Outcome<List<ImportLine>> Read(ReadOnlyMemory<byte> body)
    {
        var lines = new List<ImportLine>();
        var number = 0;
        while (!body.IsEmpty)
        {
            number++;
            var end = body.Span.IndexOf((byte)'\n');
            var line = Trim(end < 0 ? body : body[..end]);
            body = end < 0 ? default : body[(end + 1)..];
            if (line.IsEmpty)
            {
                continue;
            }

            if (lines.Count == RowsMax)
            {
                return new Problem(ProblemCode.BodyTooLarge, $"An import may have at most {RowsMax} rows a call.");
            }

            lines.Add(ReadLine(number, line));
        }

        return lines.Count > 0 ? lines : new Problem(ProblemCode.InvalidJson, "At least one row is needed: a JSON object on a line.");
    }

    private static ImportLine ReadLine(int number, ReadOnlyMemory<byte> line)
    {
        if (line.Length > LineBytesMax)
        {
            return new ImportLine(number, null, new Problem(ProblemCode.BodyTooLarge, $"A line may have at most {LineBytesMax} bytes."));
        }

        return RequestBody.Parse(line, ImportWire.Default.ImportRow).TryGet(out var row, out var problem)
            ? new ImportLine(number, row, null)
            : new ImportLine(number, null, OfLine(problem));
    }

    /// <summary>A body of one line is what the reader of bodies saw.</summary>
    private static Problem OfLine(Problem problem) => problem.Code == ProblemCode.InvalidJson
        ? problem with
        {
            Detail = problem.Detail.Replace("The body", "The line", StringComparison.Ordinal)
                .Replace("at line 1, byte", "at byte", StringComparison.Ordinal),
        }
        : problem;

    private static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> line) => line.Trim(" \t\r"u8);
}

/// <summary>A line of an import: a row, or why it is none.</summary>
internal sealed record ImportLine(int Number, ImportRow? Row, Problem? Problem);
