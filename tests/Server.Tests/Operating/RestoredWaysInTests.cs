using System.Globalization;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Operating;

/// <summary>A restore brings back no way in that was taken away, and takes no second step off, unless it is told and wanted.</summary>
public sealed class RestoredWaysInTests(PostgresFixture postgres)
{
    private static readonly string[] Names = ["added", "used", "removed", "connection", "untouched", "passkey"];

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_lists_second_steps_connections_and_passkeys_that_would_be_those_of_before(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var backup = await Change(place);

        var asked = await place.Run("restore", backup);

        var told = asked.Output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).ToList();
        Assert.True(told.Count == 5, asked.ToString());
        foreach (var (name, detail) in new[]
        {
            ("added", "could sign in without the second step"), ("used", "could sign in by codes that were used since"),
            ("removed", "would be asked for codes of the app of before"),
            ("connection", "could sign in by the account at google of before"), ("passkey", "could sign in by a passkey of before"),
        })
        {
            Assert.Contains(told, line => line.Contains($"\"{name}\"", StringComparison.Ordinal)
                && line.Contains(detail, StringComparison.Ordinal));
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Told_to_keep_revocations_second_steps_connections_and_passkeys_are_those_of_now(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var backup = await Change(place);

        var done = await place.Run("restore", backup, "--yes", "--keep-revocations");

        Assert.True(done.ExitCode == 0, done.ToString());
        await using var gate = await place.Start();
        Assert.Equal([1_000, 1_001, 1_004], await Numbers(gate, "SELECT person_no FROM authenticators ORDER BY person_no"));
        Assert.Equal([9], await Numbers(gate, "SELECT last_step FROM authenticators WHERE person_no = 1001"));
        Assert.Equal([1_004], await Numbers(gate, "SELECT person_no FROM connections"));
        // The one that was removed is gone, and the one that stayed is the one that the backup had.
        Assert.Equal([1_004, 1_005], await Numbers(gate, "SELECT person_no FROM passkeys ORDER BY person_no"));
        Assert.Equal(1, await gate.Database.Read(connection => Dapper.SqlMapper.ExecuteScalarAsync<long>(
            connection, "SELECT COUNT(*) FROM passkeys WHERE name = 'stays' AND person_no = 1005")));
        Assert.Equal(
            [1_000, 1_004], await Numbers(gate, "SELECT DISTINCT person_no FROM recovery_codes ORDER BY person_no"));
    }

    /// <summary>A backup of some people, of each of whom something was changed since.</summary>
    private static async Task<string> Change(Place place)
    {
        await using var gate = await place.Start();
        await Write(gate, async scope =>
        {
            foreach (var (name, i) in Names.Select((name, i) => (name, i)))
            {
                var email = $"{name}@example.test";
                await PersonSql.Insert(scope, new Person
                {
                    PersonNo = 1_000 + i, Name = name, Email = email, EmailKey = email, VerifiedAtMs = 1, Stamp = "1", CreatedAtMs = 1,
                });
            }

            foreach (var number in new[] { 1_001, 1_002, 1_004 })
            {
                await Step(scope, number, 5);
            }

            await AuthenticatorSql.InsertCode(scope, 1_001, [1]);
            await AuthenticatorSql.InsertCode(scope, 1_004, [1]);
            foreach (var number in new[] { 1_003, 1_004 })
            {
                await ConnectionSql.Insert(scope, new Connection
                {
                    Name = "google", Subject = number.ToString(CultureInfo.InvariantCulture), PersonNo = number, CreatedAtMs = 1,
                    UsedAtMs = 1,
                });
            }

            await Key(scope, 1_004, 1, "untouched");
            await Key(scope, 1_005, 2, "goes");
            await Key(scope, 1_005, 3, "stays");
        });
        var backup = await place.Backup();
        await Write(gate, async scope =>
        {
            await Step(scope, 1_000, 7);
            await AuthenticatorSql.InsertCode(scope, 1_000, [2]);
            await AuthenticatorSql.Use(scope, 1_001, 9);
            await AuthenticatorSql.UseCode(scope, 1_001, [1]);
            await AuthenticatorSql.Remove(scope, 1_002);
            await ConnectionSql.RemoveAll(scope, 1_003);
            Assert.Equal(1, await PasskeySql.Remove(scope, 1_005, [2]));
        });
        return backup;

        static Task Key(WriteScope scope, long number, byte id, string name) => PasskeySql.Insert(scope, new Passkey
        {
            CredentialId = [id], PersonNo = number, Name = name, PublicKey = [id], CreatedAtMs = 1, UsedAtMs = 1,
        });

        static Task Step(WriteScope scope, long number, long step) => AuthenticatorSql.Insert(
            scope, new Authenticator { PersonNo = number, Secret = [(byte)(number % 100)], LastStep = step, CreatedAtMs = 1 });
    }

    private static async Task Write(RunningGate gate, Func<WriteScope, Task> write) => Assert.True((await gate.Database.Write<bool>(
        async scope =>
        {
            await write(scope);
            return true;
        })).IsOk);

    private static async Task<List<long>> Numbers(RunningGate gate, string sql) =>
        [.. await gate.Database.Read(connection => Dapper.SqlMapper.QueryAsync<long>(connection, sql))];
}
