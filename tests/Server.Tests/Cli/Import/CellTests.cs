using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Cli;
using Tollgate.Cli.Import;

namespace Tollgate.Server.Tests.Cli.Import;

public sealed class CellTests
{
    [Theory]
    [InlineData("1700000000000", "2023-11-14T22:13:20Z")]
    [InlineData("2024-05-06 07:08:09", "2024-05-06T07:08:09Z")]
    [InlineData("2024-05-06 07:08:09.123", "2024-05-06T07:08:09.123Z")]
    [InlineData("2024-05-06 07:08:09+02", "2024-05-06T05:08:09Z")]
    [InlineData("2024-05-06T07:08:09.5+02:00", "2024-05-06T05:08:09.5Z")]
    [InlineData("2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z")]
    [InlineData("2024-05-06", "2024-05-06T00:00:00Z")]
    [InlineData("soon", "soon")]
    [InlineData("999999999999999", "999999999999999")]
    public void A_time_is_read_as_databases_write_it_and_else_left_for_the_gate_to_refuse(string text, string expected) =>
        Assert.Equal(expected, (string?)Cell.Time(text));

    [Theory]
    [InlineData("a;b; c", """["a","b","c"]""")]
    [InlineData("""["a"]""", """["a"]""")]
    [InlineData("", "[]")]
    public void A_list_is_JSON_or_names_between_semicolons(string text, string expected) =>
        Assert.Equal(expected, Cell.List(text)!.ToJsonString());

    [Theory]
    [InlineData("{gpt-4o,\"a, b\",\"c\\\"d\"}", """["gpt-4o","a, b","c\u0022d"]""")]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("{}", "{}")]
    [InlineData("[broken", "\"[broken\"")]
    public void JSON_and_arrays_of_PostgreSQL_are_told_apart(string text, string expected) =>
        Assert.Equal(expected, Cell.Json(text)!.ToJsonString());

    [Theory]
    [InlineData("\"0\"", true)]
    [InlineData("0.0", true)]
    [InlineData("\"{}\"", true)]
    [InlineData("[]", true)]
    [InlineData("false", true)]
    [InlineData("\"f\"", true)]
    [InlineData("\"\"", true)]
    [InlineData("null", true)]
    [InlineData("1.5", false)]
    [InlineData("true", false)]
    [InlineData("\"x\"", false)]
    [InlineData("[0]", false)]
    public void What_says_nothing_is_not_counted_as_left_out(string json, bool isEmpty) =>
        Assert.Equal(isEmpty, Cell.IsEmpty(JsonNode.Parse(json)));

    [Fact]
    public async Task Lines_are_cut_out_of_a_stream_and_one_that_is_too_long_is_not_held()
    {
        var text = $"\uFEFFone\r\n\n{new string('x', 200_000)}\n{new string('y', 100)}\n{new string('z', 101)}\nlast";
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var lines = new List<string>();
        await foreach (var line in FileLines.Read(file, 100))
        {
            lines.Add($"{line.Number}:{(line.Bytes is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : "too long")}");
        }

        Assert.Equal(["1:one", "2:", "3:too long", "4:" + new string('y', 100), "5:too long", "6:last"], lines);
    }

    [Theory]
    [InlineData("""[{"token":"x"},{"token":]""", "it can be read up to element")]
    [InlineData("token,token\n1,2\n", "\"token\" is empty or there twice")]
    [InlineData("token,\n1,2\n", "\"\" is empty or there twice")]
    public async Task A_table_that_cannot_be_read_is_told(string text, string expected)
    {
        var error = await Assert.ThrowsAsync<UsageException>(() => Rows("litellm", text));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_of_another_width_and_an_element_that_is_none_are_refused_alone()
    {
        Assert.Equal(
            ["2:The row has 1 fields where the header has 2.", "3:"], (await Rows("litellm", "token,key_alias\n1\n2,x\n")).Select(Said));
        Assert.Equal(["1:The row is null.", "2:"], (await Rows("unkey", """[null,{"id":"1"}]""")).Select(Said));
        Assert.Equal(["1:", "2:The row is not a JSON object."], (await Rows("unkey", "{\"id\":\"1\"}\n[]\n")).Select(Said));

        static string Said(SourceRow row) => $"{row.Line}:{row.Fault}";
    }

    private static async Task<List<SourceRow>> Rows(string format, string text)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, text);
            await using var file = File.OpenRead(path);
            return await Source.Read(format, file, [], TestContext.Current.CancellationToken).ToListAsync();
        }
        finally
        {
            File.Delete(path);
        }
    }
}
