using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Tollgate.Engine.Usage;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Usage;

public sealed class UsageExportTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task All_lines_come_once_in_either_form_over_more_than_one_page(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "default", postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var key = (await gate.NewPair("\"name\":\"=cmd|' /C calc'!A0, \\\"quoted\\\"\"")).Id;
        var made = new List<long>();
        for (var i = 0; i < 25; i++)
        {
            made.AddRange(await gate.Use(key, [.. Enumerable.Repeat(new UsageEvent { Kind = UsageKind.Passed, InputTokens = 1 }, 100)]));
        }

        var csv = await gate.Send("GET", "/api/v1/usage/log.csv", RunningGate.RootKey);
        var lines = await gate.Send("GET", "/api/v1/usage/log.ndjson?outcome=passed", RunningGate.RootKey);

        Assert.Equal((HttpStatusCode.OK, "text/csv; charset=utf-8"), (csv.Status, csv.Headers["Content-Type"]));
        Assert.Equal((HttpStatusCode.OK, "application/x-ndjson"), (lines.Status, lines.Headers["Content-Type"]));
        Assert.Contains("attachment", csv.Headers["Content-Disposition"], StringComparison.Ordinal);
        var rows = csv.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("request_id,at,outcome,", rows[0], StringComparison.Ordinal);
        var expected = Enumerable.Reverse(made).Select(RequestId.Of).ToList();
        Assert.Equal(expected, rows.Skip(1).Select(row => row.Split(',')[0]));
        Assert.Contains(",\"'=cmd|' /C calc'!A0, \"\"quoted\"\"\",", rows[1], StringComparison.Ordinal);
        Assert.Equal(expected, lines.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line).GetProperty("request_id").GetString()));
        var none = await gate.Send("GET", "/api/v1/usage/log.csv?model=none", RunningGate.RootKey);
        Assert.Single(none.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("a-b", "a-b")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@x", "'@x")]
    [InlineData("\tx", "'\tx")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("a\nb", "\"a\nb\"")]
    public void A_cell_is_quoted_and_never_a_formula(string? text, string cell) => Assert.Equal(cell, UsageExport.Cell(text));

    [Fact]
    public async Task A_reader_who_leaves_ends_the_export()
    {
        var asked = 0;
        using var left = new CancellationTokenSource();
        var call = new HttpCall("GET", "/api/v1/usage/log.ndjson");
        call.Context.RequestAborted = left.Token;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new UsageExport(Endless(left.Token), isCsv: false).ExecuteAsync(call.Context));

        Assert.Equal(3, asked);

        async IAsyncEnumerable<IReadOnlyList<UsageLogRow>> Endless([EnumeratorCancellation] CancellationToken cancel)
        {
            while (true)
            {
                cancel.ThrowIfCancellationRequested();
                if (++asked == 3)
                {
                    await left.CancelAsync();
                }

                yield return [new UsageLogRow { RequestNo = asked, Code = -1 }];
            }
        }
    }
}
