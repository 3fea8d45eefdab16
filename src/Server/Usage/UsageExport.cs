using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Access;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Usage;

/// <summary>
/// The log as a file: written page by page, so that memory does not grow with it, and ended when its reader leaves. A reader who is slow
/// holds up his own pages and nothing else. Who may read it no longer gets no further page.
/// </summary>
internal sealed class UsageExport(IAsyncEnumerable<IReadOnlyList<UsageLogRow>> pages, bool isCsv) : IResult
{
    public const string CsvType = "text/csv; charset=utf-8";
    public const string LinesType = "application/x-ndjson";
    public const int PageRows = 1_000;

    private const int BufferBytes = 1 << 16;

    private const string Header =
        "request_id,at,outcome,code,key_id,key_name,project_id,organization_id,environment,model,input_tokens,output_tokens,cost,status,"
        + "latency_ms,estimated,limit,cached_tokens,reasoning_tokens\r\n";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        var buffer = new ArrayBufferWriter<byte>(BufferBytes);
        await using var page = pages.GetAsyncEnumerator(cancel);
        // The first page comes before the first byte: what goes wrong with the question is still told by a status.
        var hasPage = await page.MoveNextAsync();
        response.ContentType = isCsv ? CsvType : LinesType;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = $"attachment; filename=\"usage.{(isCsv ? "csv" : "ndjson")}\"";
        if (isCsv)
        {
            buffer.Write(Encoding.UTF8.GetBytes(Header));
        }

        for (var isFirst = true; hasPage; hasPage = await page.MoveNextAsync(), isFirst = false)
        {
            if (!isFirst && !await CallerStill.May(httpContext))
            {
                // Cut off, so that nobody takes what there is for the whole.
                httpContext.Abort();
                return;
            }

            foreach (var row in page.Current)
            {
                Write(buffer, UsageLineAnswer.Of(row));
            }

            await response.Body.WriteAsync(buffer.WrittenMemory, cancel);
            buffer.ResetWrittenCount();
        }

        await response.Body.WriteAsync(buffer.WrittenMemory, cancel);
    }

    private void Write(ArrayBufferWriter<byte> buffer, UsageLineAnswer line)
    {
        if (isCsv)
        {
            buffer.Write(Encoding.UTF8.GetBytes(Csv(line)));
            return;
        }

        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Json.Encoder }))
        {
            JsonSerializer.Serialize(json, line, UsageWire.Default.UsageLineAnswer);
        }

        buffer.Write("\n"u8);
    }

    private static string Csv(UsageLineAnswer line) => string.Join(
        ',',
        new[]
        {
            line.RequestId, Rfc3339Time.Format(line.At), line.Outcome, line.Code, line.KeyId, line.KeyName, line.ProjectId,
            line.OrganizationId, line.Environment, line.Model, Number(line.InputTokens), Number(line.OutputTokens), line.Cost,
            line.Status is { } status ? Number(status) : null, Number(line.LatencyMs), line.Estimated ? "true" : "false", line.Limit?.Name,
            Number(line.CachedTokens), Number(line.ReasoningTokens),
        }.Select(Cell)) + "\r\n";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Quoted where RFC 4180 asks for it. What a table program would take for a formula gets an apostrophe before it: names are chosen by
    /// customers and opened by operators.
    /// </summary>
    internal static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var safe = text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;
        return safe.AsSpan().ContainsAny(",\"\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
