using System.Text;
using Tollgate.Server.Mail;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Mail;

public sealed class MailOutboxTests(PostgresFixture postgres)
{
    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task A_mail_is_kept_with_its_change_or_not_at_all(DatabaseKind kind)
    {
        await using var place = await MailPlace.Open(kind, postgres);
        var refused = await place.Store.Database.Write<bool>(async scope =>
        {
            await place.Outbox.Queue(scope, MailPlace.Reset());
            return Problem.Of(ProblemCode.NotFound);
        });
        Assert.False(refused.IsOk);
        Assert.Empty(await place.Rows());

        await place.Queue(MailPlace.Reset());
        var row = await place.Row();
        Assert.Equal(("reset-password", 0L, place.Clock.NowMs), (row.Template, row.State, row.DueAtMs));
        Assert.Equal(place.Clock.NowMs + 86_400_000, row.UntilMs);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task W4_a_link_is_in_the_database_only_sealed_and_no_longer_than_it_takes(DatabaseKind kind)
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(kind, postgres, sink.Port);
        await place.Queue(MailPlace.Reset());
        var row = await place.Row();
        Assert.True(row.Letter.Length > 500);
        Assert.DoesNotContain("s3cret-of-the-link", Encoding.Latin1.GetString(row.Letter), StringComparison.Ordinal);
        Assert.DoesNotContain(MailPlace.Ada, Encoding.Latin1.GetString(row.Letter), StringComparison.Ordinal);
        Assert.Equal(MailPlace.Ada, place.Outbox.Open(row)!.To);
        Assert.Null(place.Outbox.Open(row with { Id = "another" }));

        await place.Carry();
        Assert.Empty((await place.Row()).Letter);
        Assert.Contains(MailPlace.Url, (await sink.Only()).Raw, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task W1_a_blank_mail_leaves_a_row_like_any_other_and_is_never_sent(DatabaseKind kind)
    {
        await using var sink = await MailSink.Start();
        await using var place = await MailPlace.Open(kind, postgres, sink.Port);
        await place.Queue(MailPlace.Reset());
        await place.Queue(MailPlace.Reset(), isBlank: true);
        var rows = await place.Rows();
        Assert.Equal(rows[0].Letter.Length, rows[1].Letter.Length);

        await place.Carry();
        Assert.Single(await sink.Mails());
        Assert.Equal([QueuedMail.IsSent, QueuedMail.IsBlank], (await place.Rows()).Select(row => row.State));
        Assert.All(await place.Rows(), row => Assert.Empty(row.Letter));
    }

    [Fact]
    public async Task A_caller_that_names_no_address_no_template_or_no_value_fails_inside_its_own_write()
    {
        await using var place = await MailPlace.Open(DatabaseKind.Sqlite, postgres);
        var good = MailPlace.Reset();

        await Assert.ThrowsAsync<ArgumentException>(() => place.Queue(good with { To = "ada@example.test, bob@example.test" }));
        await Assert.ThrowsAsync<ArgumentException>(() => place.Queue(good with { Template = "layout" }));
        await Assert.ThrowsAsync<ArgumentException>(() => place.Queue(good with { Values = new Dictionary<string, string>() }));
        Assert.Empty(await place.Rows());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_full_outbox_lets_the_change_pass_and_counts_the_mail_that_it_does_not_keep(DatabaseKind kind)
    {
        await using var place = await MailPlace.Open(kind, postgres);
        await place.Queue(MailPlace.Reset());
        await place.Store.Tamper(
            $"""
            INSERT INTO mail_outbox (mail_no, id, template, letter, state, blank, attempts, due_at_ms, until_ms, created_at_ms)
            WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {MailOutbox.WaitingMax - 1})
            SELECT i, 'x' || i, template, letter, state, blank, 0, due_at_ms, until_ms, created_at_ms FROM mail_outbox, n
            """);
        await place.Store.Tamper($"UPDATE counters SET value = {MailOutbox.WaitingMax - 1} WHERE name = 'mail'");

        await place.Queue(MailPlace.Reset());
        Assert.Equal(MailOutbox.WaitingMax, (await place.Rows()).Count);
        Assert.Equal(0, place.Meter.Dropped.Read);

        await place.Queue(MailPlace.Reset());
        Assert.Equal(MailOutbox.WaitingMax, (await place.Rows()).Count);
        Assert.Equal(1, place.Meter.Dropped.Read);
    }
}
