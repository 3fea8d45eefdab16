namespace Tollgate.Server.Tests.House;

public sealed class SizeTests
{
    [Fact]
    public void No_line_is_too_long() => Finding.None(AllCSharp().SelectMany(SizeRules.Lines));

    [Fact]
    public void No_function_is_too_long() => Finding.None(AllCSharp().SelectMany(SizeRules.Functions));

    [Fact]
    public void No_file_is_too_long() => Finding.None(AllCSharp().SelectMany(SizeRules.Files));

    [Fact]
    public void A_line_at_the_bound_passes_and_one_past_it_is_found()
    {
        Assert.Empty(SizeRules.Lines(new("a.cs", "x\n" + new string('x', 140))));
        var finding = Assert.Single(SizeRules.Lines(new("a.cs", "x\n" + new string('x', 141))));
        Assert.Equal("a.cs:2: a line has at most 140 characters, this one 141. Break it.", finding.ToString());
    }

    [Fact]
    public void A_file_at_the_bound_passes_and_one_past_it_is_found()
    {
        Assert.Empty(SizeRules.Files(new("a.cs", string.Concat(Enumerable.Repeat("x\n", 500)))));
        Assert.Single(SizeRules.Files(new("a.cs", string.Concat(Enumerable.Repeat("x\n", 501)))));
    }

    [Theory]
    [InlineData("void F()\n{{\n{0}}}", 67)]
    [InlineData("int F() => x switch\n{{\n{0}}};", 67)]
    [InlineData("int F\n{{\n{0}}} = 1;", 67)]
    [InlineData("bool operator ==(A a, A b)\n{{\n{0}}}", 67)]
    [InlineData("[Fact(\"}}\")]\nvoid F(string s = \"{{\")\n{{\n{0}}}", 67)]
    public void A_function_at_the_bound_passes_and_one_past_it_is_found(string shape, int inner)
    {
        // The lines within hold what could mislead a reader of braces.
        string[] traps =
        [
            "a(\"}\");\n", "b($\"{c(\"}\")}}}\");\n", "d('}', '\"');\n",
            "e(@\"\\\"); // }\n", "f($$\"\"\"{{g}}}\"\"\");\n", "{ /* } */ }\n",
        ];
        string Within(int lines) => string.Concat(Enumerable.Range(0, lines).Select(i => traps[i % traps.Length]));
        SourceFile Sample(int lines) =>
            new("a.cs", $"namespace N;\nclass A\n{{\n    int _x = 1;\n{string.Format(shape, Within(lines))}\n    void Other() {{ }}\n}}\n");

        Assert.Empty(SizeRules.Functions(Sample(inner)));
        var finding = Assert.Single(SizeRules.Functions(Sample(inner + 1)));
        Assert.Contains("this one 71", finding.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void Statements_on_top_of_a_file_are_a_function_too()
    {
        Assert.Empty(SizeRules.Functions(new("a.cs", string.Concat(Enumerable.Repeat("a();\n", 70)))));
        Assert.Single(SizeRules.Functions(new("a.cs", string.Concat(Enumerable.Repeat("a();\n", 71)))));
    }

    [Fact]
    public void A_table_of_data_is_no_function() => Assert.Empty(SizeRules.Functions(
        new("a.cs", $"class A\n{{\n    static readonly int[] X = [\n{string.Concat(Enumerable.Repeat("1,\n", 100))}];\n}}\n")));

    [Fact]
    public void Every_member_of_this_class_is_seen_by_the_reader_of_code()
    {
        var members = CSharpCode.Members(CSharpCode.Blank(Repository.Text("tests/Server.Tests/House/SizeTests.cs")));

        Assert.Equal(
            typeof(SizeTests).GetMethods(System.Reflection.BindingFlags.DeclaredOnly | System.Reflection.BindingFlags.Instance
                | System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic)
                .Where(method => !method.Name.Contains('<', StringComparison.Ordinal)).Select(method => method.Name).Order(),
            members.Select(member => member.Header.Split('(')[0].Split(' ')[^1]).Order());
    }

    private static IEnumerable<SourceFile> AllCSharp() =>
        Repository.CSharp("src").Concat(Repository.CSharp("tests")).Concat(Repository.CSharp("bench"));
}
