using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Mail;

/// <summary>Without a mail server: mails as files, and on a page for whoever sits at the machine.</summary>
public sealed class MailPageTests(PostgresFixture postgres)
{
    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task A_mail_is_a_file_that_only_the_owner_reads_and_written_twice_one_file(DatabaseKind kind)
    {
        await using var place = await MailPlace.Open(kind, postgres);
        await place.Queue(MailPlace.Reset());
        await place.Carry();
        await place.Store.Tamper("UPDATE mail_outbox SET state = 0, due_at_ms = 0, until_ms = 9999999999999, letter = x'00'".Replace(
            "x'00'", kind == DatabaseKind.Sqlite ? "x'00'" : "'\\x00'", StringComparison.Ordinal));
        // Its letter is wiped: nothing of it is left to send again.
        await place.Carry();
        Assert.Equal("unreadable", (await place.Row()).Error);

        var file = Assert.Single(Directory.GetFileSystemEntries(place.FolderPath));
        Assert.Equal("20260102-030405-0000000001.eml", Path.GetFileName(file));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(place.FolderPath));
        }

        var mail = EmlFile.Read(file)!;
        Assert.Equal((MailPlace.Ada, place.Clock.GetUtcNow()), (mail.To, mail.At));
        Assert.Contains($"\n{MailPlace.Url}\n", mail.Plain, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_mail_written_once_more_is_the_same_file_and_the_oldest_give_way()
    {
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres);
        await place.Queue(MailPlace.Reset());
        var mail = await place.Row();
        var letter = place.Outbox.Open(mail)!;
        Assert.Equal(SendResult.Sent, await place.Folder.Send(mail, letter));
        Assert.Equal(SendResult.Sent, await place.Folder.Send(mail, letter));
        Assert.Single(place.Folder.Newest(10));

        for (var i = 1; i < MailFolder.FilesMax; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(place.FolderPath, $"20250101-000000-{i:D10}.eml"), "");
        }

        await place.Folder.Send(mail, letter);
        Assert.Equal(MailFolder.FilesMax, place.Folder.Newest(int.MaxValue).Count);
        await place.Folder.Send(mail with { MailNo = 2 }, letter);
        Assert.Equal(MailFolder.FilesMax, place.Folder.Newest(int.MaxValue).Count);
        Assert.False(File.Exists(Path.Combine(place.FolderPath, "20250101-000000-0000000001.eml")));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_makes_mails_wait()
    {
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres);
        await File.WriteAllTextAsync(place.FolderPath, "a file in the way");
        await place.Queue(MailPlace.Reset());
        await place.Carry();
        Assert.Equal("folder", (await place.Row()).Error);

        File.Delete(place.FolderPath);
        place.Clock.Advance(TimeSpan.FromSeconds(18));
        await place.Carry();
        Assert.Single(place.Folder.Newest(10));
    }

    [Fact]
    public async Task The_page_shows_the_newest_mails_first_with_links_to_click_and_runs_nothing()
    {
        await using var gate = await Start();
        var empty = await gate.Send("GET", "/mail", null);
        Assert.Equal(HttpStatusCode.OK, empty.Status);
        Assert.Contains("There is none yet.", empty.Text, StringComparison.Ordinal);

        for (var i = 0; i <= MailPage.MailsMax; i++)
        {
            await Queue(gate, new MailMessage($"person{i}@example.test", "invitation", new Dictionary<string, string>
            {
                ["Inviter"] = "Zoë <script>alert(1)</script>", ["Organization"] = "\"><img src=x>", ["Url"] = $"{MailPlace.Url}&n={i}",
                ["Expires"] = "soon",
            }));
        }

        await gate.Services.GetRequiredService<MailCourier>().Sent(gate);
        var page = await gate.Send("GET", "/mail", null);
        Assert.Equal("text/html; charset=utf-8", page.Headers["Content-Type"]);
        Assert.Equal(MailPage.MailsMax, page.Text.Split("<article>").Length - 1);
        Assert.True(
            page.Text.IndexOf("person100@", StringComparison.Ordinal) < page.Text.IndexOf("person99@", StringComparison.Ordinal));
        Assert.DoesNotContain("person0@", page.Text, StringComparison.Ordinal);
        Assert.Contains(
            "<a href=\"https://console.example.test/reset?token=s3cret-of-the-link_0123456789&amp;n=7\" rel=\"noopener noreferrer\">",
            page.Text, StringComparison.Ordinal);
        Assert.Contains("<h2>Zo&#xEB; &lt;script&gt;", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task W8_the_page_and_its_style_come_with_strict_headers()
    {
        await using var gate = await Start();
        foreach (var path in new[] { "/mail", "/mail/page.css" })
        {
            var answer = await gate.Send("GET", path, null);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Equal(
                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                answer.Headers["Content-Security-Policy"]);
            Assert.Equal(("no-store", "nosniff", "no-referrer"), (
                answer.Headers["Cache-Control"], answer.Headers["X-Content-Type-Options"], answer.Headers["Referrer-Policy"]));
        }
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost:8700", true)]
    [InlineData("127.0.0.1", "127.0.0.1", "LOCALHOST", true)]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1:8700", true)]
    [InlineData("::1", "::1", "[::1]:8700", true)]
    [InlineData("::ffff:127.0.0.1", "::ffff:127.0.0.1", "localhost", true)]
    [InlineData("192.0.2.7", "127.0.0.1", "localhost", false)]
    [InlineData("::ffff:192.0.2.7", "127.0.0.1", "localhost", false)]
    [InlineData("127.0.0.1", "192.0.2.1", "localhost", false)]
    [InlineData(null, "127.0.0.1", "localhost", false)]
    [InlineData("127.0.0.1", "127.0.0.1", "console.example.test", false)]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost.example.test", false)]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1.example.test", false)]
    [InlineData("127.0.0.1", "127.0.0.1", "192.0.2.1:8700", false)]
    [InlineData("127.0.0.1", "127.0.0.1", "", false)]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost", false, "X-Forwarded-For")]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost", false, "Forwarded")]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost", false, "X-Real-IP")]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost", false, "Via")]
    public void It_answers_this_machine_alone_and_no_proxy_on_it(
        string? remote, string local, string host, bool isLocal, string? header = null)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        http.Connection.LocalIpAddress = IPAddress.Parse(local);
        http.Request.Host = new HostString(host);
        http.Request.Protocol = HttpProtocol.Http11;
        if (header is not null)
        {
            http.Request.Headers[header] = "192.0.2.7";
        }

        Assert.Equal(isLocal, MailPage.IsLocal(http));
        http.Request.Protocol = HttpProtocol.Http10;
        Assert.False(MailPage.IsLocal(http));
    }

    [Fact]
    public async Task Whoever_is_not_answered_learns_nothing_of_it()
    {
        await using var gate = await Start();
        await Queue(gate, MailPlace.Reset());
        await gate.Services.GetRequiredService<MailCourier>().Sent(gate);
        foreach (var refused in new[]
        {
            await gate.Send("GET", "/mail", null, null, ("Host", "console.example.test")),
            await gate.Send("GET", "/mail", RunningGate.RootKey, null, ("X-Forwarded-For", "127.0.0.1")),
            await gate.Send("GET", "/mail/page.css", null, null, ("Host", "evil.example")),
            await gate.Send("GET", "/mail/nothing", null),
        })
        {
            Assert.Equal(HttpStatusCode.NotFound, refused.Status);
            Assert.Equal("not_found", refused.String("code"));
            Assert.DoesNotContain("s3cret", refused.Text, StringComparison.Ordinal);
        }

        // A plain nginx in front sends its own name for the gate as Host, and speaks HTTP/1.0.
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(gate.Address).Port);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes("GET /mail HTTP/1.0\r\nHost: 127.0.0.1:8700\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream());
        Assert.StartsWith("HTTP/1.1 404", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_mail_server_or_behind_a_trusted_proxy_there_is_no_page()
    {
        await using (var gate = await RunningGate.Start(
            "default", new GateOptions { LogLevel = "none", MailHost = "127.0.0.1", MailPort = 1, MailFrom = "gate@example.test" }))
        {
            Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", "/mail", null)).Status);
        }

        await using (var gate = await RunningGate.Start("default", new GateOptions { LogLevel = "none", TrustedProxies = "127.0.0.1" }))
        {
            var through = await gate.Send("GET", "/mail", null, null, ("X-Forwarded-For", "192.0.2.7"));
            Assert.Equal(HttpStatusCode.NotFound, through.Status);
        }
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("=?utf-8?B?Wm/Dqw==?=", "Zoë")]
    [InlineData("=?utf-8?B?Wm/Dqw==?= =?utf-8?B?IPCfmIA=?=", "Zoë 😀")]
    [InlineData("=?utf-8?Q?Z=C3=BCrich=2C_X?=", "Zürich, X")]
    [InlineData("=?utf-8?B?not base64?=", "=?utf-8?B?not base64?=")]
    public void Subjects_are_shown_as_text(string header, string text) => Assert.Equal(text, EmlFile.Decoded(header));

    private static Task<RunningGate> Start() => RunningGate.Start("default", new GateOptions { LogLevel = "none" });

    private static async Task Queue(RunningGate gate, MailMessage message)
    {
        var outbox = gate.Services.GetRequiredService<MailOutbox>();
        Assert.True((await gate.Database.Write<bool>(async scope =>
        {
            await outbox.Queue(scope, message);
            return true;
        })).IsOk);
    }
}

internal static class MailWaits
{
    /// <summary>Returns when all that was queued has been sent.</summary>
    public static async Task Sent(this MailCourier courier, RunningGate gate)
    {
        while ((await gate.Database.Read(MailSql.State)).Waiting > 0)
        {
            await courier.Idle();
        }
    }
}
