using Tollgate.Cli;
using Tollgate.Cli.Import;

namespace Tollgate.Server.Tests.Cli.Import;

public sealed class CsvReaderTests
{
    [Theory]
    [InlineData("a,b\nc,d", "a|b;c|d")]
    [InlineData("a,b\r\nc,d\r\n", "a|b;c|d")]
    [InlineData("a\rb", "a;b")]
    [InlineData("\n\na\n\n\nb\n", "a;b")]
    [InlineData(",\n", "<null>|<null>")]
    [InlineData("\"\",x", "|x")]
    [InlineData("\"a,b\",\"c\"\"d\",\"e\nf\"", "a,b|c\"d|e\nf")]
    [InlineData("\"\"\"\"", "\"")]
    [InlineData(" a ,b", " a |b")]
    [InlineData("", "")]
    public void Records_are_read_as_RFC_4180_has_them_and_null_as_PostgreSQL_writes_it(string text, string expected)
    {
        var csv = new CsvReader(new StringReader(text));
        var records = new List<string>();
        while (csv.Read() is { } record)
        {
            records.Add(string.Join('|', record.Select(field => field ?? "<null>")));
        }

        Assert.Equal(expected, string.Join(';', records));
    }

    [Theory]
    [InlineData("a\n\"b", "Line 2 of the file: a quoted field does not end.")]
    [InlineData("a\nb\"c", "Line 2 of the file: a quote stands inside a field that is not quoted.")]
    [InlineData("\"a\"b", "Line 1 of the file: something stands between a closing quote and the next comma.")]
    public void Text_that_is_no_table_is_told_with_its_line(string text, string expected)
    {
        var csv = new CsvReader(new StringReader(text));

        var error = Assert.Throws<UsageException>(() => { while (csv.Read() is not null) { } });

        Assert.Equal(expected, error.Message);
    }

    [Fact]
    public void A_record_has_bounds_so_that_a_missing_quote_does_not_swallow_the_file()
    {
        Assert.NotNull(new CsvReader(new StringReader($"\"{new string('x', CsvReader.RecordCharsMax)}\"")).Read());
        Assert.Throws<UsageException>(() => new CsvReader(new StringReader($"\"{new string('x', CsvReader.RecordCharsMax + 1)}\"")).Read());
        Assert.NotNull(new CsvReader(new StringReader(new string(',', CsvReader.FieldsMax - 1))).Read());
        Assert.Throws<UsageException>(() => new CsvReader(new StringReader(new string(',', CsvReader.FieldsMax))).Read());
    }
}
