using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W14, W16: everything is told, and what fails lets nobody in.</summary>
public sealed class PersonAuditTests(PostgresFixture postgres)
{
    private const string Email = "ada@example.test";
    private const string Other = "a quite different one";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W14_each_event_of_a_person_has_its_actor_target_organization_address_outcome_and_request(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = await place.SignedIn(Email);
        await place.Browser().SignIn(Email, "not the right one");
        await place.Browser().SignIn("nobody@example.test", "not the right one");
        await browser.Fill("/forgot", ("email", Email));
        await browser.Fill("/magic", ("email", Email));
        var account = await browser.Get("/account");
        await browser.Send(account, "/account/email", ("email", "new@example.test"));
        await browser.Send(account, "/account/sessions/end-others");
        await browser.Send(account, "/account/password", ("current", PeoplePlace.Password), ("password", Other));
        await browser.Send(await browser.Get("/account"), "/sign-out");
        await browser.SignIn(Email, Other);
        await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));

        var rows = await place.Audit();
        var person = await place.Ask<string>("SELECT id FROM people WHERE is_operator = 0");
        var organization = await place.Ask<string>("SELECT organization_id FROM people WHERE is_operator = 0");
        foreach (var (action, actor, target, reason) in new (string, string, string, string?)[]
        {
            ("person.sign_up", "nobody", "unknown", null), ("person.create", "nobody", person, null),
            ("person.verify", "person", person, "link"), ("session.begin", "person", person, null),
            ("sign_in.refuse", "nobody", person, "password"),
            ("sign_in.refuse", "nobody", "unknown", "password"), ("person.reset_ask", "nobody", person, null),
            ("person.magic_ask", "nobody", person, null), ("person.email_ask", "person", person, null),
            ("session.end_all", "person", person, "asked"), ("person.password", "person", person, null),
            ("session.end_all", "person", person, "password changed"), ("session.end", "person", person, null),
            ("person.delete", "person", person, null),
        })
        {
            var row = rows.FirstOrDefault(row => (row.Action, row.ActorType, row.TargetId, row.Reason) == (action, actor, target, reason));
            Assert.True(row is not null, $"{action} by {actor} on {target}: {reason}");
            Assert.Equal(target == "unknown" ? null : organization, row.OrganizationId);
            Assert.Equal("127.0.0.1", row.Address);
            Assert.StartsWith("req_", row.RequestId, StringComparison.Ordinal);
        }

        // People go, the log stays: neither what they typed nor where they read mails is in it.
        Assert.All(rows, row => Assert.DoesNotContain(
            "example.test", $"{row.BeforeJson} {row.AfterJson} {row.Reason}", StringComparison.Ordinal));
        Assert.Null((await place.Gate.Services.GetRequiredService<AuditLog>().Verify()).FirstBroken);
        await place.Run("UPDATE audit SET reason = 'none' WHERE action = 'sign_in.refuse'");
        Assert.NotNull((await place.Gate.Services.GetRequiredService<AuditLog>().Verify()).FirstBroken);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Nothing_that_stays_of_a_deleted_person_has_its_name(DatabaseKind kind)
    {
        const string name = "Augusta Ada King";
        await using var place = await PeoplePlace.Start(kind, postgres);
        var browser = place.Browser();
        await browser.SignUp(Email, PeoplePlace.Password, name);
        await browser.Confirm(await place.Link(Email));
        await browser.SignIn(Email, PeoplePlace.Password);
        Assert.Contains(name, (await browser.Get("/account")).Text, StringComparison.Ordinal);
        await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));

        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people WHERE deleted_at_ms IS NOT NULL"));
        var person = await place.Ask<string>("SELECT id FROM people WHERE is_operator = 0");
        Assert.Equal(person, await place.Ask<string>("SELECT actor_name FROM audit WHERE action = 'person.delete'"));
        Assert.Equal(1, await place.Ask<long>($"SELECT COUNT(*) FROM organizations WHERE name = 'Organization of {person}'"));
        foreach (var (table, column) in new[]
        {
            ("audit", "actor_name"), ("audit", "before_json"), ("audit", "after_json"), ("audit", "reason"), ("organizations", "name"),
            ("projects", "name"), ("people", "name"), ("links", "name"),
        })
        {
            Assert.Equal((table, column, 0), (
                table, column, await place.Ask<long>($"SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{name}%'")));
        }
    }

    [Theory]
    [InlineData("people")]
    [InlineData("sessions")]
    [InlineData("links")]
    [InlineData("audit")]
    [InlineData("mail_outbox")]
    [InlineData("organizations")]
    public async Task W16_what_fails_on_the_way_lets_nobody_in_and_leaves_nothing_half_done(string table)
    {
        await using var place = await PeoplePlace.Start();
        await place.SignedUp("other@example.test");
        var signedIn = await place.SignedIn(Email);
        await signedIn.Fill("/magic", ("email", Email));
        var magic = await place.Link(Email);
        await signedIn.Fill("/forgot", ("email", Email));
        var reset = await place.Link(Email);
        var browser = place.Browser();
        var (account, signIn) = (await signedIn.Get("/account"), await browser.Get("/sign-in"));
        var (signUp, use, choose) = (await browser.Get("/sign-up"), await browser.Get(magic), await browser.Get(reset));
        await browser.SignUp("third@example.test", PeoplePlace.Password);
        var confirm = await browser.Get(await place.Link("third@example.test"));
        var made = await Made(place);

        await place.Run($"ALTER TABLE {table} RENAME TO gone");
        var answers = new Dictionary<string, Page>(StringComparer.Ordinal)
        {
            ["sessions people"] = await signedIn.Get("/account"),
            ["sessions people audit links"] = await signedIn.Send(
                account, "/account/password", ("current", PeoplePlace.Password), ("password", Other)),
            ["people audit mail_outbox links"] = await browser.Send(
                signUp, "/sign-up", ("name", "New"), ("email", "new@example.test"), ("password", Other)),
            ["links people organizations audit"] = await browser.Send(confirm, "/verify", ("password", PeoplePlace.Password)),
            ["links people audit sessions mail_outbox"] = await browser.Send(choose, "/reset", ("password", Other)),
            // Last those that may sign in: forms from before are none then.
            ["links people sessions audit"] = await browser.Send(use, "/magic"),
            ["people sessions audit"] = await browser.Send(signIn, "/sign-in", ("email", Email), ("password", PeoplePlace.Password)),
        };
        await place.Run($"ALTER TABLE gone RENAME TO {table}");

        var touched = answers.Where(answer => answer.Key.Split(' ').Contains(table)).ToList();
        Assert.NotEmpty(touched);
        Assert.All(touched, answer => Assert.InRange(answer.Value.Status, 500, 599));
        Assert.All(touched, answer => Assert.DoesNotContain(answer.Value.SetCookies, cookie =>
            cookie.StartsWith("tollgate=", StringComparison.Ordinal)));
        if (touched.Any(answer => answer.Key.Contains("organizations", StringComparison.Ordinal)))
        {
            Assert.Equal(made, await Made(place));
        }
    }

    private static async Task<(long People, long Organizations)> Made(PeoplePlace place) => (
        await place.Ask<long>("SELECT COUNT(*) FROM people"), await place.Ask<long>("SELECT COUNT(*) FROM organizations"));
}
