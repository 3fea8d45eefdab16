using System.Text.RegularExpressions;
using Tollgate.Server.Mail;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Mail;

public sealed partial class MailTemplateTests
{
    private const string Folder = "src/Server/Mail/Templates";
    private const string Link = "https://console.example.test/verify?token=abc&next=%2Fkeys";

    public static TheoryData<string> Names => [.. MailTemplate.All.Keys.Order()];

    /// <summary>What people write into fields when they want to see something break.</summary>
    public static TheoryData<string> Hostile =>
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "Ada\r\nBcc: mallory@example.test", "Ada\n\n<h1>Pay now</h1>",
        "Zoë 😀 & Söhne", "\u202Egnp.exe", "a\u0000b\u001b[31m", "{{Url}}", "x\u2028Bcc: y", new string('W', 5_000),
    ];

    [Fact]
    public void The_mails_are_those_that_the_product_sends() => Assert.Equal(
        [
            "email-changed", "invitation", "magic-link", "password-changed", "reset-password", "second-step-taken", "sign-in-changed",
            "sign-in-notice", "verify-email",
        ],
        MailTemplate.All.Keys.Order());

    [Fact]
    public void Every_template_has_both_parts_in_plain_letters_and_names_only_values_that_there_are()
    {
        var files = Repository.Files(Folder, ".txt", ".html").ToDictionary(file => Path.GetFileName(file.Path), file => file.Text);
        Assert.Equal((2 * MailTemplate.All.Count) + 1, files.Count);
        Assert.All(MailTemplate.All.Keys, name => Assert.True(files.ContainsKey(name + ".txt") && files.ContainsKey(name + ".html")));
        Assert.All(files, file => Assert.All(file.Value, letter => Assert.True(letter is '\n' or (>= ' ' and <= '~'), file.Key)));
        Assert.All(
            files.Values.SelectMany(text => Place().Matches(text)).Select(place => place.Groups["name"].Value),
            name => Assert.Contains(name, (string[])[.. MailTemplate.ValueNames, "Hello", "Body"]));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_link_stands_on_a_line_of_its_own_and_can_be_clicked(string name)
    {
        var letter = Render(name);

        Assert.Contains(Link, letter.Plain.Split("\r\n"));
        Assert.Contains("href=\"https://console.example.test/verify?token=abc&amp;next=%2Fkeys\"", letter.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", letter.Subject + letter.Plain + letter.Html, StringComparison.Ordinal);
        Assert.All((letter.Plain + letter.Html).Split("\r\n"), line => Assert.True(line.Length <= 998));
    }

    [Theory, MemberData(nameof(Hostile))]
    public void What_people_have_written_is_one_harmless_line_in_every_part(string hostile)
    {
        var quiet = MailTemplate.All.Keys.ToDictionary(name => name, name => Render(name));
        foreach (var (name, before) in quiet)
        {
            var letter = Render(name, hostile);
            Assert.DoesNotContain(letter.Subject, char.IsControl);
            Assert.Equal(before.Plain.Split("\r\n").Length, letter.Plain.Split("\r\n").Length);
            Assert.Equal(Tags(before.Html), Tags(letter.Html));
            Assert.All(letter.Html, letterOf => Assert.True(letterOf is '\r' or '\n' or (>= ' ' and <= '~')));
            Assert.DoesNotContain('\u202E', letter.Subject + letter.Plain);
            Assert.All(letter.Plain.Split("\r\n"), line => Assert.True(System.Text.Encoding.UTF8.GetByteCount(line) <= 998));
        }
    }

    [Fact]
    public void A_name_cannot_bring_a_link_of_its_own()
    {
        var letter = MailTemplate.All["invitation"].Render("ada@example.test", "Company", Values("Win at https://evil.example"));

        Assert.DoesNotContain("https://evil", letter.Subject + letter.Plain + letter.Html, StringComparison.Ordinal);
        // A stranger may write any name when he signs up with somebody else's address: there it is not told at all.
        var first = Values("soon");
        first["Name"] = "evil.example";
        Assert.DoesNotContain(
            "evil", MailTemplate.All["verify-email"].Render("ada@example.test", "Company", first).Plain, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_template_needs_and_does_not_get_or_gets_and_does_not_know_is_a_bug_of_the_caller()
    {
        var template = MailTemplate.All["magic-link"];
        Assert.Equal(["Expires", "Url"], template.Needs.Order());

        Throws(values => values.Remove("Expires"));
        Throws(values => values["Token"] = "x");
        var tooLong = "https://x/" + new string('a', MailTemplate.UrlCharsMax - 9);
        foreach (var url in new[] { "javascript:alert(1)", "/verify", "https://a b", "https://a\r\nb", "", "https://ä", tooLong })
        {
            Throws(values => values["Url"] = url);
        }

        var longest = "https://x/" + new string('a', MailTemplate.UrlCharsMax - 10);
        template.Render("ada@example.test", "Company", Values("Ada", longest));
        // Nothing but the link is needed to greet.
        Assert.StartsWith("Hello,\r\n", template.Render(
            "ada@example.test", "Company", new Dictionary<string, string> { ["Url"] = Link, ["Expires"] = "soon" }).Plain);

        void Throws(Action<Dictionary<string, string>> spoil)
        {
            var values = new Dictionary<string, string>(Values("Ada"));
            spoil(values);
            Assert.Throws<ArgumentException>(() => template.Render("ada@example.test", "Company", values));
        }
    }

    [Theory]
    [InlineData("ada@example.test", true)]
    [InlineData("ada.l+tag@mail.example.test", true)]
    [InlineData("o'hara_1@localhost", true)]
    [InlineData("zoë@exämple.test", true)]
    [InlineData("", false)]
    [InlineData("ada", false)]
    [InlineData("@example.test", false)]
    [InlineData("ada@", false)]
    [InlineData("ada@@example.test", false)]
    [InlineData(".ada@example.test", false)]
    [InlineData("a..b@example.test", false)]
    [InlineData("ada@example..test", false)]
    [InlineData("ada@-example.test", false)]
    [InlineData("ada@exa_mple.test", false)]
    [InlineData("ada@example.test, bob@example.test", false)]
    [InlineData("Ada <ada@example.test>", false)]
    [InlineData("\"a b\"@example.test", false)]
    [InlineData("a b@example.test", false)]
    [InlineData("ada@example.test\r\nBcc: bob@example.test", false)]
    [InlineData("ada@example.test\r\nRCPT TO:<bob@example.test>", false)]
    [InlineData("a\u202Eda@example.test", false)]
    public void An_address_is_one_address(string address, bool isGood) => Assert.Equal(isGood, Mailbox.IsGood(address));

    [Fact]
    public void An_address_has_a_bound()
    {
        var host = string.Join('.', Enumerable.Repeat(new string('h', 60), 3)) + ".xxxxxx";
        Assert.True(Mailbox.IsGood(new string('a', 64) + "@" + host));
        Assert.False(Mailbox.IsGood(new string('a', 65) + "@" + host));
        Assert.True(Mailbox.IsGood("a@" + new string('h', 63)));
        Assert.False(Mailbox.IsGood("a@" + new string('h', 64)));
        Assert.False(Mailbox.IsGood(new string('a', 64) + "@" + host + "x"));
        // Half of a pair, which no theory's data can hold.
        Assert.False(Mailbox.IsGood($"a{'\ud83d'}@example.test"));
    }

    private static Letter Render(string name, string people = "Ada") =>
        MailTemplate.All[name].Render("ada@example.test", people, Values(people));

    private static Dictionary<string, string> Values(string people, string url = Link) => new()
    {
        ["Name"] = people, ["Url"] = url, ["Device"] = people, ["Address"] = people, ["Organization"] = people, ["Inviter"] = people,
        ["Expires"] = people, ["Change"] = people,
    };

    /// <summary>The elements and their attributes' names, in order.</summary>
    private static string Tags(string html) => string.Join(' ', Tag().Matches(html).Select(tag => Value().Replace(tag.Value, "")));

    [GeneratedRegex(@"\{\{(?<name>\w+)\}\}")]
    private static partial Regex Place();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Value();
}
