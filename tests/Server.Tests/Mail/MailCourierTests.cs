using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Mail;

/// <summary>Through a real mail server.</summary>
public sealed class MailCourierTests(PostgresFixture postgres)
{
    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task A_mail_is_sent_once_in_both_parts_with_the_link_as_it_is(DatabaseKind kind)
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(kind, postgres, sink.Port);
        await place.Queue(MailPlace.Reset());
        await place.Carry();
        await place.Carry();

        var mail = await sink.Only();
        Assert.Equal(("gate@example.test", MailPlace.Ada), (mail.From, Assert.Single(mail.To)));
        Assert.Contains("<gate@example.test>", mail.Header("From"), StringComparison.Ordinal);
        Assert.EndsWith("@example.test>", mail.Header("Message-ID"), StringComparison.Ordinal);
        Assert.Equal("auto-generated", mail.Header("Auto-Submitted"));
        Assert.Contains("Content-Transfer-Encoding: 7bit", mail.Part("text/plain"), StringComparison.Ordinal);
        Assert.Contains($"\r\n{MailPlace.Url}\r\n", mail.Part("text/plain"), StringComparison.Ordinal);
        Assert.Contains($"href=\"{MailPlace.Url}\"", mail.Part("text/html"), StringComparison.Ordinal);
        var row = await place.Row();
        Assert.Equal((QueuedMail.IsSent, 1L, (long?)place.Clock.NowMs), (row.State, row.Attempts, row.FinishedAtMs));
        Assert.Equal(1, place.Meter.Sent.Read);
    }

    [Fact]
    public async Task Names_in_other_letters_leave_the_link_readable_and_nobody_else_is_written_to()
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres, sink.Port);
        await place.Queue(new MailMessage(MailPlace.Ada, "invitation", new Dictionary<string, string>
        {
            ["Inviter"] = "Zoë 😀\r\nBcc: mallory@example.test", ["Organization"] = "Müller\r\n\r\n.\r\nMAIL FROM:<x@y>",
            ["Url"] = MailPlace.Url, ["Expires"] = "tomorrow",
        }));
        await place.Carry();

        var mail = await sink.Only();
        Assert.Equal([MailPlace.Ada], mail.To);
        Assert.Null(mail.Header("Bcc"));
        Assert.Contains("Content-Transfer-Encoding: 8bit", mail.Part("text/plain"), StringComparison.Ordinal);
        Assert.Contains($"\r\n{MailPlace.Url}\r\n", mail.Part("text/plain"), StringComparison.Ordinal);
        Assert.Contains("Zoë 😀 Bcc: mallory@example.test invites you to Müller", mail.Part("text/plain"), StringComparison.Ordinal);
        Assert.Equal(
            "Zoë 😀 Bcc: mallory@example.test invites you to Müller . MAIL FROM:<x@y>", EmlFile.Decoded(mail.Header("Subject")!));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_the_server_takes_later_is_tried_again_and_holds_up_nobody(DatabaseKind kind)
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(kind, postgres, sink.Port);
        await place.Queue(MailPlace.Reset("later@example.test"));
        await place.Queue(MailPlace.Reset());
        await place.Carry();

        Assert.Equal([MailPlace.Ada], (await sink.Only()).To);
        var late = (await place.Rows())[0];
        Assert.Equal((QueuedMail.IsWaiting, "smtp_451", 1L), (late.State, late.Error, late.Attempts));
        Assert.InRange(late.DueAtMs!.Value - place.Clock.NowMs, 60_000, 72_000);
        await place.Carry();
        Assert.Single(await sink.Mails());

        place.Clock.Advance(TimeSpan.FromSeconds(72));
        await place.Carry();
        Assert.Equal(["later@example.test"], (await sink.Mails())[1].To);
        Assert.Equal((2, 1), (place.Meter.Sent.Read, place.Meter.Retried.Read));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_receiver_that_there_is_not_ends_its_mail_at_once(DatabaseKind kind)
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(kind, postgres, sink.Port);
        await place.Queue(MailPlace.Reset("unknown@example.test"));
        await place.Carry();

        var row = await place.Row();
        Assert.Equal((QueuedMail.IsGivenUp, "smtp_550", 0), (row.State, row.Error, row.Letter.Length));
        Assert.Equal(1, place.Meter.GivenUp.Read);
    }

    [Fact]
    public async Task What_nobody_wants_any_more_is_not_sent()
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres, sink.Port);
        var end = place.Clock.GetUtcNow().AddMinutes(15);
        await place.Queue(MailPlace.Reset() with { Until = end });
        await place.Queue(MailPlace.Reset("in-time@example.test") with { Until = end.AddMilliseconds(1) });
        await place.Queue(MailPlace.Reset("later@example.test") with { Until = end.AddSeconds(59) });
        place.Clock.Advance(TimeSpan.FromMinutes(15));
        await place.Carry();

        Assert.Equal(["in-time@example.test"], (await sink.Only()).To);
        // The next attempt of the third would be after its end.
        Assert.Equal(
            [(QueuedMail.IsGivenUp, "late"), (QueuedMail.IsSent, null), (QueuedMail.IsGivenUp, "smtp_451")],
            (await place.Rows()).Select(row => (row.State, row.Error)));
    }

    [Fact]
    public async Task What_became_of_a_mail_is_forgotten_after_a_while()
    {
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres);
        await place.Queue(MailPlace.Reset());
        await place.Carry();
        place.Clock.Advance(MailCourier.Retention);
        await place.Courier.StartAsync(default);
        await place.Queue(MailPlace.Reset());
        await place.Courier.StopAsync(default);
        Assert.Equal(2, (await place.Rows()).Count);

        // The sweep comes ahead of the first look's mails, and a millisecond later the first one is old enough.
        place.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await place.Restart(null);
        await place.Courier.StartAsync(default);
        while ((await place.Rows()).Count > 1)
        {
            await Task.Yield();
        }

        Assert.Equal(2, (await place.Row()).MailNo);
    }

    [Fact]
    public async Task Mail_goes_by_itself_while_the_gate_runs()
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres, sink.Port);
        await place.Courier.StartAsync(default);
        for (var i = 0; i < 20; i++)
        {
            await place.Queue(MailPlace.Reset($"person{i}@example.test"));
        }

        await sink.Arrived(20);
        Assert.Equal(20, (await sink.Mails()).Select(mail => mail.To.Single()).Distinct().Count());
        Assert.Equal(20, (await sink.Mails()).Select(mail => mail.Header("Message-ID")).Distinct().Count());
    }
}
