namespace Tollgate.Server.Tests.House;

public sealed class NameTests
{
    [Fact]
    public void Every_type_is_named_after_what_it_is() =>
        Finding.None(
        Repository.CSharp("src").Concat(Repository.CSharp("tests")).Concat(Repository.CSharp("bench")).SelectMany(NameRules.Types));

    [Fact]
    public void Every_folder_is_named_after_what_it_is_about() =>
        Finding.None(Repository.CSharp("src").Concat(Repository.CSharp("tests")).SelectMany(NameRules.Places));

    [Fact]
    public void Every_interface_has_two_implementations() =>
        Finding.None(Repository.CSharp("src").SelectMany(NameRules.NeedlessInterfaces));

    [Fact]
    public void No_code_names_a_company() =>
        Finding.None(Repository.Files("src", ".cs", ".razor", ".sql", ".css", ".js", ".mjs").SelectMany(NameRules.Companies));

    [Theory]
    [InlineData("class KeyManager;")]
    [InlineData("internal static class Helpers { }")]
    [InlineData("public readonly record struct KeyDto(int A);")]
    [InlineData("abstract class EndpointBase")]
    [InlineData("enum LimitConstants")]
    [InlineData("sealed class StringUtils")]
    public void A_name_that_says_nothing_is_found(string text) => Assert.Single(NameRules.Types(new("a.cs", text)));

    [Theory]
    [InlineData("class Database; class KeyRing; record Basement;")]
    [InlineData("// a class KeyManager would be wrong\nclass A { string s = \"class KeyManager\"; }")]
    public void A_name_that_says_something_passes(string text) => Assert.Empty(NameRules.Types(new("a.cs", text)));

    [Fact]
    public void A_folder_that_says_nothing_is_found()
    {
        Assert.Single(NameRules.Places(new("src/Server/Common/Key.cs", "")));
        Assert.Empty(NameRules.Places(new("src/Server/Keys/Common.cs", "")));
    }

    [Fact]
    public void An_interface_of_our_own_is_found_and_one_in_a_comment_is_not()
    {
        var finding = Assert.Single(NameRules.NeedlessInterfaces(new("a.cs", "// interface IOther\npublic interface IKeyStore { }")));
        Assert.Equal("a.cs:2", finding.Place);
    }

    [Fact]
    public void A_company_in_code_is_found_in_comments_and_strings_too() => Assert.Equal(
        ["a.cs:1", "a.cs:2"],
        NameRules.Companies(new("a.cs", "// as TensorThing does\nvar a = \"tensorthing\";")).Select(one => one.Place));
}
