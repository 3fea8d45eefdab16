using System.Diagnostics;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Mail;

/// <summary>R19: a mail server that is dead, slow or lies. Mails wait; nobody else does, and nothing is made twice.</summary>
public sealed class BrokenServerTests(PostgresFixture postgres)
{
    public static TheoryData<DatabaseKind> Both => Databases.Both;

    public static TheoryData<Lie, string> Lies => new()
    {
        { Lie.Silence, "timeout" },
        { Lie.Http, "protocol" },
        { Lie.Busy, "smtp_421" },
        { Lie.WantsPassword, "smtp_530" },
        { Lie.SilenceAtTheEnd, "timeout" },
        { Lie.HangsUpAtTheEnd, "broken" },
        { Lie.Endless, "timeout" },
    };

    [Theory, MemberData(nameof(Both))]
    public async Task R19_with_a_dead_server_many_mails_wait_and_few_connections_are_tried(DatabaseKind kind)
    {
        await using var place = await MailPlace.Open(kind, postgres, port: 1);
        await place.Write(async scope =>
        {
            for (var i = 0; i < 300; i++)
            {
                await place.Outbox.Queue(scope, MailPlace.Reset($"person{i}@example.test"));
            }
        });
        for (var second = 0; second < 60; second++)
        {
            await place.CarryAll();
            place.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var rows = await place.Rows();
        var tried = rows.Sum(row => row.Attempts);
        // Four at first, then one after 1, 2, 4, 8, 16 and 30 seconds.
        Assert.InRange(tried, 5, 12);
        Assert.All(rows, row => Assert.True(row is { State: QueuedMail.IsWaiting, Letter.Length: > 0 }));
        Assert.All(rows.Where(row => row.Attempts > 0), row => Assert.Equal("connection", row.Error));

        await using var sink = await MailSink.Start();
        await place.Restart(sink.Port);
        place.Clock.Advance(TimeSpan.FromMinutes(6));
        await place.CarryAll();
        var mails = await sink.Mails();
        Assert.Equal(300, mails.Count);
        Assert.Equal(300, mails.Select(mail => mail.To.Single()).Distinct().Count());
    }

    [Theory, MemberData(nameof(Lies))]
    public async Task R19_a_server_that_lies_is_left_in_time_and_the_mail_goes_out_when_another_takes_it(Lie lie, string error)
    {
        await using var liar = new LyingServer(lie);
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres, liar.Port, isPatient: false);
        await place.Queue(MailPlace.Reset());
        var began = Stopwatch.GetTimestamp();
        await place.Carry();

        // The place is free again long before the liar gives up, which it never does.
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1));
        var row = await place.Row();
        Assert.Equal((QueuedMail.IsWaiting, error, 1L), (row.State, row.Error, row.Attempts));
        Assert.InRange(row.DueAtMs!.Value - place.Clock.NowMs, 15_000, 18_000);
        // It is left alone although more is due.
        await place.Queue(MailPlace.Reset("next@example.test"));
        await place.Carry();
        Assert.Equal(1, liar.Connections);
        place.Clock.Advance(TimeSpan.FromSeconds(1));
        await place.Carry();
        Assert.Equal(2, liar.Connections);

        await using var sink = await MailSink.Start();
        await place.Restart(sink.Port);
        place.Clock.Advance(TimeSpan.FromSeconds(18));
        await place.Carry();
        Assert.Equal([MailPlace.Ada, "next@example.test"], (await sink.Mails()).Select(mail => mail.To.Single()).Order());
        Assert.All(await place.Rows(), sent => Assert.Equal(QueuedMail.IsSent, sent.State));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task R19_changes_are_written_while_the_server_is_silent(DatabaseKind kind)
    {
        await using var liar = new LyingServer(Lie.Silence);
        await using var place = await MailPlace.Open(kind, postgres, liar.Port, isPatient: false);
        await place.Queue(MailPlace.Reset());
        await place.Courier.Pass(default);
        var under = place.Courier.Idle();

        // The mail is on its way, and its time is not over: whoever changes something does not notice.
        await place.Queue(MailPlace.Reset("next@example.test"));
        Assert.False(under.IsCompleted);
        await under;
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_stop_breaks_off_what_hangs_and_it_is_sent_later_as_the_same_mail(DatabaseKind kind)
    {
        await using var liar = new LyingServer(Lie.SilenceAtTheEnd);
        await using var place = await MailPlace.Open(kind, postgres, liar.Port, isPatient: false);
        await place.Queue(MailPlace.Reset());
        var before = await place.Row();
        await place.Courier.Pass(default);
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await place.Courier.StopAsync(atOnce.Token);

        Assert.Equivalent(before, await place.Row());
        await using var sink = await MailSink.Start();
        await place.Restart(sink.Port);
        await place.Carry();
        Assert.StartsWith($"<{before.Id}@", (await sink.Only()).Header("Message-ID"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mail_is_given_up_after_a_day_of_a_dead_server()
    {
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres, port: 1);
        await place.Queue(MailPlace.Reset());
        for (var hour = 0; hour < 23; hour++)
        {
            await place.Carry();
            place.Clock.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(QueuedMail.IsWaiting, (await place.Row()).State);
        place.Clock.Advance(TimeSpan.FromHours(1));
        await place.Carry();
        Assert.Equal((QueuedMail.IsGivenUp, "connection"), ((await place.Row()).State, (await place.Row()).Error));
        Assert.Empty((await place.Row()).Letter);
    }
}
