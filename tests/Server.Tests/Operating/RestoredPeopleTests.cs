using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity;
using Tollgate.Server.Operating;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Operating;

/// <summary>A restore gives nobody back a way in that was taken away since, unless it is told and wanted.</summary>
public sealed class RestoredPeopleTests(PostgresFixture postgres)
{
    private const string Password = "the one of before";

    private static readonly string[] Names = ["disabled", "deleted", "password", "address", "untouched"];

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_lists_who_could_sign_in_again_and_with_a_yes_they_can(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var (backup, idOf) = await TakeAway(place);

        var asked = await place.Run("restore", backup);
        var told = asked.Output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).ToList();
        Assert.True(told.Count == 4, asked.ToString());
        Assert.All(Names.SkipLast(1), name => Assert.Contains(told, line =>
            line.Contains($" {idOf[name]} ", StringComparison.Ordinal) && line.Contains($"\" {name}", StringComparison.Ordinal)));
        Assert.DoesNotContain("example.test", asked.Output, StringComparison.Ordinal);

        var done = await place.Run("restore", backup, "--yes");
        Assert.True(done.ExitCode == 0, done.ToString());
        await using var gate = await place.Start();
        foreach (var name in Names)
        {
            Assert.Equal((name, 303), (name, await SignIn(gate, $"{name}@example.test", Password)));
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Told_to_keep_revocations_nobody_gets_in_who_could_not_before(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var (backup, idOf) = await TakeAway(place);

        var done = await place.Run("restore", backup, "--yes", "--keep-revocations");

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("ok       audit chain", (await place.Run("doctor")).Output, StringComparison.Ordinal);
        await using var gate = await place.Start();
        foreach (var (email, password, status) in new[]
        {
            ("disabled@example.test", Password, 401), ("deleted@example.test", Password, 401), ("password@example.test", Password, 401),
            ("password@example.test", "the one of now", 303), ("address@example.test", Password, 401),
            ("moved@example.test", Password, 303), ("untouched@example.test", Password, 303),
        })
        {
            Assert.Equal((email, password, status), (email, password, await SignIn(gate, email, password)));
        }

        Assert.Equal(1, await Count(gate, "SELECT COUNT(*) FROM people WHERE name = 'Deleted person' AND email IS NULL"));
        Assert.Equal(0, await Count(gate, "SELECT COUNT(*) FROM people WHERE name = 'deleted'"));
        Assert.Equal(4, await Count(gate, "SELECT COUNT(*) FROM audit WHERE target_type = 'person' AND reason = 'kept by a restore'"));
        Assert.Equal(1, await Count(
            gate, $"SELECT COUNT(*) FROM audit WHERE action = 'person.disable' AND target_id = '{idOf["disabled"]}'"));
    }

    [Fact]
    public void A_backup_holds_no_mails_that_would_be_sent_once_more() => Assert.Contains("mail_outbox", BackupWriter.LeftOut);

    /// <summary>A backup of some people, each of whom was taken something away since.</summary>
    private static async Task<(string Backup, Dictionary<string, string> IdOf)> TakeAway(Place place)
    {
        var (hasher, idOf) = (new PasswordHasher<Person>(), new Dictionary<string, string>());
        await using var gate = await place.Start();
        foreach (var (name, i) in Names.Select((name, i) => (name, i)))
        {
            var email = $"{name}@example.test";
            var person = new Person
            {
                PersonNo = 1_000 + i, Name = name, Email = email, EmailKey = email, VerifiedAtMs = 1, Stamp = "1", CreatedAtMs = 1,
                PasswordHash = hasher.HashPassword(new Person(), Password),
            };
            idOf[name] = person.Id;
            Assert.True((await gate.Database.Write<bool>(async scope =>
            {
                await PersonSql.Insert(scope, person);
                return true;
            })).IsOk);
        }

        var backup = await place.Backup();
        var other = hasher.HashPassword(new Person(), "the one of now");
        await gate.Write("UPDATE people SET disabled_at_ms = 2 WHERE name = 'disabled'");
        await gate.Write(
            "UPDATE people SET name = 'Deleted person', email = NULL, email_key = NULL, verified_at_ms = NULL, password_hash = NULL, "
            + "deleted_at_ms = 2 WHERE name = 'deleted'");
        await gate.Write($"UPDATE people SET password_hash = '{other}' WHERE name = 'password'");
        await gate.Write("UPDATE people SET email = 'moved@example.test', email_key = 'moved@example.test' WHERE name = 'address'");
        return (backup, idOf);
    }

    private static async Task<int> SignIn(RunningGate gate, string email, string password)
    {
        using var browser = new Browser(gate);
        gate.Clock.Advance(TimeSpan.FromHours(1));
        return (await browser.SignIn(email, password)).Status;
    }

    private static async Task<long> Count(RunningGate gate, string sql) =>
        (await gate.Database.Write<long>(async scope => await scope.Find<long>(sql))).Value;
}
