using Tollgate.Server.Identity.Password;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W3: what passwords may be.</summary>
public sealed class PasswordTests
{
    [Fact]
    public void W3_eight_characters_pass_and_256_do_and_one_less_or_more_does_not()
    {
        const string mixed = "Qv7.";
        Assert.Null(Fault(string.Concat(Enumerable.Repeat(mixed, 2))));
        Assert.Null(Fault(string.Concat(Enumerable.Repeat(mixed, 64))));
        Assert.Equal(PasswordRules.LengthExpected, Fault(mixed + "abc"));
        Assert.Equal(PasswordRules.LengthExpected, Fault(string.Concat(Enumerable.Repeat(mixed, 64)) + "x"));
    }

    [Theory]
    [InlineData("passw0rd")]
    [InlineData("P@ssw0rd!")]
    [InlineData("Pa$$w0rd2026")]
    [InlineData("passwordpassword")]
    [InlineData("12345678")]
    [InlineData("123456789")]
    [InlineData("1234567890")]
    [InlineData("11111111")]
    [InlineData("12341234")]
    [InlineData("qwerty123")]
    [InlineData("QWERTYUIOP")]
    [InlineData("1q2w3e4r")]
    [InlineData("1qaz2wsx")]
    [InlineData("asdfghjkl")]
    [InlineData("iloveyou1")]
    [InlineData("letmein123")]
    [InlineData("Welcome2026!")]
    [InlineData("Summer2025")]
    [InlineData("admin12345")]
    [InlineData("4dm1n1str4t0r")]
    [InlineData("changeme!")]
    [InlineData("trustno1")]
    [InlineData("dragon19900101")]
    [InlineData("football")]
    [InlineData("!!monkey!!")]
    [InlineData("testtest")]
    [InlineData("michael88")]
    public void W3_what_everybody_tries_first_is_refused(string password) =>
        Assert.Equal(PasswordRules.CommonExpected, Fault(password));

    [Theory]
    [InlineData("summer rain falls")]
    [InlineData("dragon4917203865174")]
    [InlineData("kpassword-vmonkey")]
    public void W3_a_common_word_among_others_is_no_fault(string password) => Assert.Null(Fault(password));

    [Theory]
    [InlineData("aaaaaaaaaaaa")]
    [InlineData("abababababab")]
    [InlineData("abcdefghijkl")]
    [InlineData("987654321")]
    [InlineData("Tollgate2026!")]
    [InlineData("Lovelace1815")]
    [InlineData("ada.l@example.test")]
    [InlineData("Password!!11")]
    public void W3_rows_of_characters_and_words_of_the_context_are_refused(string password) =>
        Assert.Equal(PasswordRules.CommonExpected, PasswordRules.Fault(password, "Ada Lovelace", "ada.l@example.test"));

    [Theory]
    [InlineData("only small letters here")]
    [InlineData("        spaces      ")]
    [InlineData("\u5BC6\u7801\u662F\u4E00\u53E5\u8BDD\u554A\U0001F600")]
    [InlineData("4917203865174")]
    public void W3_no_kind_of_character_is_asked_for(string password) => Assert.Null(Fault(password));

    private static string? Fault(string password) => PasswordRules.Fault(password, "Ada Lovelace", "ada@example.test");
}
