using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W1: nobody learns from a page who has an account.</summary>
public sealed class EnumerationTests(PostgresFixture postgres)
{
    private const string Verified = "verified@example.test";
    private const string Waiting = "waiting@example.test";
    private const string Disabled = "disabled@example.test";
    private const string Absent = "absent@example.test";
    private const string Chosen = "one for somebody new";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W1_sign_in_answers_the_same_after_the_same_work_whoever_is_asked_about(DatabaseKind kind)
    {
        await using var place = await Start(kind);
        await Same(place, "/sign-in", email => [("email", email), ("password", "not the right one")], 401, hashes: 1, mails: 0, links: 0);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W1_who_is_disabled_or_not_confirmed_hears_with_the_right_password_what_a_wrong_one_hears(DatabaseKind kind)
    {
        await using var place = await Start(kind);

        var wrong = await place.Browser().SignIn(Absent, PeoplePlace.Password);
        Assert.Contains("or the address is not confirmed yet", wrong.Text, StringComparison.Ordinal);
        foreach (var email in new[] { Disabled, Waiting })
        {
            var (mails, browser) = ((await place.Mails()).Count, place.Browser());
            var right = await browser.SignIn(email, PeoplePlace.Password);
            Assert.Equal((401, Told(wrong, Absent), false), (right.Status, Told(right, email), browser.IsSignedIn));
            Assert.Equal(mails, (await place.Mails()).Count);
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W1_asking_for_another_password_answers_the_same_after_the_same_work(DatabaseKind kind)
    {
        await using var place = await Start(kind);
        await Same(place, "/forgot", email => [("email", email)], 200, hashes: 0, mails: 1, links: 1);
        Assert.Equal(Verified, Assert.Single(await place.Mails(), mail => mail is { Template: "reset-password", IsBlank: false }).To);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W1_asking_for_a_link_to_sign_in_answers_the_same_after_the_same_work(DatabaseKind kind)
    {
        await using var place = await Start(kind);
        await Same(place, "/magic", email => [("email", email)], 200, hashes: 0, mails: 1, links: 1);
        Assert.Equal(Verified, Assert.Single(await place.Mails(), mail => mail is { Template: "magic-link", IsBlank: false }).To);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W1_signing_up_answers_the_same_after_the_same_work_and_changes_no_account_that_is_there(DatabaseKind kind)
    {
        await using var place = await Start(kind);
        await Same(
            place, "/sign-up", email => [("name", "New"), ("email", email), ("password", Chosen)], 200, hashes: 1, mails: 1, links: 1);

        Assert.Equal("/console", (await place.Browser().SignIn(Verified, PeoplePlace.Password)).Location);
        Assert.Equal(401, (await place.Browser().SignIn(Verified, Chosen)).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W1_asking_for_another_address_answers_the_same_after_the_same_work_whosever_it_is(DatabaseKind kind)
    {
        await using var place = await Start(kind);
        var browser = await place.SignedIn("ada@example.test");
        using var statements = await Statements.Of(place, kind);
        var told = new List<(int, string?, long, string)>();
        foreach (var email in new[] { Verified, Waiting, Disabled, Absent })
        {
            var (account, links) = (await browser.Get("/account"), await place.Ask<long>("SELECT COUNT(*) FROM links"));
            statements?.Take();
            var answer = await browser.Send(account, "/account/email", ("email", email));
            var work = statements?.Take() ?? [];
            told.Add((
                answer.Status, answer.Location, await place.Ask<long>("SELECT COUNT(*) FROM links") - links, string.Join('\n', work)));
            Assert.Equal((await place.Mails())[^1].IsBlank, email is Verified or Disabled);
        }

        Assert.Equal((303, "/account?done=email", 1L), (told[0].Item1, told[0].Item2, told[0].Item3));
        Assert.All(told, one => Assert.Equal(told[0], one));
        Assert.Equal(kind == DatabaseKind.PostgreSql, told[0].Item4.Contains("INSERT INTO links", StringComparison.Ordinal));
    }

    [Fact]
    public async Task W1_who_was_slowed_down_hears_the_same_whether_the_account_exists()
    {
        await using var place = await Start(DatabaseKind.Sqlite);
        var told = new List<(int, string)>();
        foreach (var email in new[] { Verified, Absent })
        {
            var browser = place.Browser();
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(401, (await browser.SignIn(email, "not the right one")).Status);
            }

            var page = await browser.SignIn(email, PeoplePlace.Password);
            told.Add((page.Status, Told(page, email)));
            Assert.Equal("4", page.Answer.Headers.GetValues("Retry-After").Single());
        }

        Assert.Equal(429, told[0].Item1);
        Assert.Equal(told[0], told[1]);
    }

    private Task<PeoplePlace> Start(DatabaseKind kind) => Prepare(kind, postgres);

    private static async Task<PeoplePlace> Prepare(DatabaseKind kind, PostgresFixture postgres)
    {
        var place = await PeoplePlace.Start(kind, postgres, new GateOptions { LogLevel = "none", HashRounds = 1_000 });
        await place.SignedUp(Verified);
        await place.SignedUp(Disabled);
        await place.SetDisabled(Disabled, true);
        await place.Browser().SignUp(Waiting, PeoplePlace.Password);
        return place;
    }

    private static async Task Same(
        PeoplePlace place, string path, Func<string, (string Name, string Value)[]> fields, int status, int hashes, int mails, int links)
    {
        using var statements = await Statements.Of(place, place.Gate.Database.Kind);
        var (answers, work) = (new List<(string, string, string)>(), new List<string>());
        foreach (var email in new[] { Verified, Waiting, Disabled, Absent })
        {
            var browser = place.Browser();
            var page = await browser.Get(path);
            var (hashesBefore, mailsBefore, rowsBefore) = (place.Hashes, (await place.Mails()).Count, (await place.Audit()).Count);
            var linksBefore = await place.Ask<long>("SELECT COUNT(*) FROM links");
            statements?.Take();
            var answer = await browser.Send(page, path, fields(email));
            work.Add(string.Join('\n', statements?.Take() ?? []));
            Assert.Equal((email, status), (email, answer.Status));
            Assert.Equal((email, hashes), (email, (int)(place.Hashes - hashesBefore)));
            Assert.Equal((email, mails), (email, (await place.Mails()).Count - mailsBefore));
            Assert.Equal((email, 1), (email, (await place.Audit()).Count - rowsBefore));
            Assert.Equal((email, links), (email, (int)(await place.Ask<long>("SELECT COUNT(*) FROM links") - linksBefore)));

            var told = answer.Answer.Headers.Where(header => header.Key is not ("Date" or "X-Request-ID"))
                .Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order();
            answers.Add((Told(answer, email), string.Join(';', answer.SetCookies), string.Join('\n', told)));
        }

        Assert.Equal(statements is not null, work[0].Contains("INSERT INTO audit", StringComparison.Ordinal));
        Assert.All(work, one => Assert.Equal(work[0], one));
        foreach (var (text, cookies, headers) in answers)
        {
            Assert.Equal(answers[0].Item1, text);
            Assert.Equal(answers[0].Item2, cookies);
            Assert.Equal(answers[0].Item3, headers);
        }
    }

    private static string Told(Page page, string email) => page.Plain.Replace(email, "the address", StringComparison.Ordinal);
}
