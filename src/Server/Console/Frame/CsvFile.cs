using System.Text;
using Tollgate.Server.Access;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Rows as a file for table programs: written page by page, so that memory does not grow with it, and ended when its reader leaves. Who may
/// read it no longer gets no further page.
/// </summary>
/// <param name="name">What the file is called.</param>
/// <param name="columns">The first line.</param>
/// <param name="pages">The rows, made by <see cref="Row"/>.</param>
internal sealed class CsvFile(string name, string columns, IAsyncEnumerable<IReadOnlyList<string>> pages) : IResult
{
    /// <summary>Rows that are in memory at a time.</summary>
    public const int PageRows = 1_000;

    public static string Row(params IEnumerable<CsvCell> cells) => string.Join(',', cells.Select(cell => cell.Text)) + "\r\n";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        await using var page = pages.GetAsyncEnumerator(cancel);
        // The first page comes before the first byte: what goes wrong with the question is still told by a status.
        var hasPage = await page.MoveNextAsync();
        response.ContentType = UsageExport.CsvType;
        response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        await response.WriteAsync(columns + "\r\n", cancel);
        for (var isFirst = true; hasPage; hasPage = await page.MoveNextAsync(), isFirst = false)
        {
            if (!isFirst && !await CallerStill.May(httpContext))
            {
                // Cut off, so that nobody takes what there is for the whole.
                httpContext.Abort();
                return;
            }

            await response.WriteAsync(string.Concat(page.Current), Encoding.UTF8, cancel);
        }
    }
}

/// <summary>
/// A cell as it is written. Text that a table program would take for a formula is kept from being one; numbers are as they are.
/// </summary>
internal readonly record struct CsvCell(string Text)
{
    public static CsvCell Of(string? text) => new(UsageExport.Cell(text));

    /// <summary>Of digits, a point and a sign alone.</summary>
    public static CsvCell OfNumber(string digits) => new(digits);
}
