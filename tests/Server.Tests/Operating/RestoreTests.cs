using System.Net;
using Dapper;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Operating;

public sealed class RestoreTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_lists_all_that_was_taken_away_since_asks_and_without_a_yes_changes_nothing(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var taken = await TakenAway.Make(place);

        var asked = await place.Run("restore", taken.Backup);

        Assert.True(asked.ExitCode == 1, asked.ToString());
        Assert.Contains("and UNDONE by restoring it:", asked.Output, StringComparison.Ordinal);
        foreach (var (id, what) in taken.Changes)
        {
            Assert.Contains(asked.Output.Split('\n'), line =>
                line.Contains($" {id} ", StringComparison.Ordinal) && line.Contains($"\" {what}", StringComparison.Ordinal));
        }

        Assert.Equal(taken.Changes.Count, asked.Output.Split('\n').Count(line => line.StartsWith("  ", StringComparison.Ordinal)));
        Assert.Contains("1 keys are not in the backup and will be refused", asked.Output, StringComparison.Ordinal);
        Assert.Contains("--yes", asked.Faults, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was changed.\n", asked.Output, StringComparison.Ordinal);
        await using var gate = await place.Start();
        Assert.Equal("key_revoked", await gate.Code(taken.SecretOf["revoked"]));
        Assert.Equal("allowed", await gate.Code(taken.Later));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task With_a_yes_the_backup_is_what_is_there_and_every_row_is_newer_than_before(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var taken = await TakenAway.Make(place);
        var before = await Versions(place);

        var done = await place.Run("restore", taken.Backup, "--yes");

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.All(await Versions(place), row => Assert.True(row.Value > before.GetValueOrDefault(row.Key), row.Key));
        await using var gate = await place.Start();
        foreach (var name in new[] { "revoked", "deleted", "disabled", "expiry", "secret", "suspended" })
        {
            Assert.Equal("allowed", await gate.Code(taken.SecretOf[name]));
        }

        Assert.Equal("key_unknown", await gate.Code(taken.Later));
        await AuditTellsOfIt(gate, "\"undone\":11,\"kept\":0");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Told_to_keep_revocations_nothing_works_that_did_not_work_before(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var taken = await TakenAway.Make(place);

        var done = await place.Run("restore", taken.Backup, "--yes", "--keep-revocations");

        Assert.True(done.ExitCode == 0, done.ToString());
        var again = await place.Run("doctor");
        Assert.Contains("ok       audit chain", again.Output, StringComparison.Ordinal);
        await using var gate = await place.Start();
        foreach (var (name, code) in new[]
        {
            ("revoked", "key_revoked"), ("deleted", "key_deleted"), ("disabled", "key_disabled"), ("expiry", "key_expired"),
            ("suspended", "organization_suspended"), ("permissions", "allowed"), ("addresses", "address_refused"),
            ("secret", "key_retired"),
        })
        {
            Assert.Equal((name, code), (name, await gate.Code(taken.SecretOf[name])));
        }

        var narrow = await gate.Send("GET", $"/api/v1/keys/{taken.IdOf["permissions"]}", RunningGate.RootKey);
        Assert.Equal("[\"models\"]", narrow.Json.GetProperty("scopes").GetRawText());
        var limited = await gate.Send("GET", $"/api/v1/keys/{taken.IdOf["limits"]}", RunningGate.RootKey);
        Assert.Equal("{\"rpm\":10}", limited.Json.GetProperty("limits").GetRawText());
        // The model was met after the backup, so the load of the key gave it a number.
        Assert.Equal("allowed", await gate.Code(taken.SecretOf["models"]));
        Assert.Equal("allowed", await gate.CodeOf(taken.SecretOf["models"], ",\"model\":\"met since\""));
        Assert.Equal("model_refused", await gate.CodeOf(taken.SecretOf["models"], ",\"model\":\"another\""));
        Assert.Equal("smaller", (await gate.Database.Write<string>(async scope =>
            (await scope.Find<string>($"SELECT plan FROM organizations WHERE id = '{taken.Changes[^1].Id}'"))!)).Value);
        await AuditTellsOfIt(gate, "\"undone\":0,\"kept\":11");
        var revoked = await gate.Send("GET", $"/api/v1/audit?target_id={taken.IdOf["revoked"]}&action=key.revoke", RunningGate.RootKey);
        Assert.Contains("kept by a restore", revoked.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_of_one_database_is_restored_to_the_other_and_back()
    {
        await using var here = await Place.New(DatabaseKind.Sqlite, postgres);
        await using var there = await Place.New(DatabaseKind.PostgreSql, postgres);
        string secret;
        await using (var gate = await here.Start())
        {
            secret = await gate.NewSecret("\"name\":\"Zażółć \\\"gęślą\\\" 🙂\",\"metadata\":{\"a\":[1,null]},\"models\":[\"ż/1\"]");
        }

        var moved = await here.Backup();
        var without = await there.Run("restore", moved, "--yes");
        Assert.True(without.ExitCode == 3, without.ToString());
        Assert.Contains("pepper file", without.Faults, StringComparison.Ordinal);

        File.Copy(here.PepperFile, there.PepperFile);
        var done = await there.Run("restore", moved, "--yes");
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("there is no database in place to compare with", done.Output, StringComparison.Ordinal);
        await using (var gate = await there.Start())
        {
            Assert.Equal("allowed", await gate.Code(secret));
            await gate.NewSecret();
        }

        var back = await there.Backup("back.backup");
        var returned = await here.Run("restore", back, "--yes");
        Assert.True(returned.ExitCode == 0, returned.ToString());
        Assert.Contains("unknown to the database in place", returned.Output, StringComparison.Ordinal);
        await using var again = await here.Start();
        Assert.Equal("allowed", await again.CodeOf(secret, ",\"model\":\"ż/1\""));
        Assert.Equal("model_refused", await again.CodeOf(secret, ",\"model\":\"z/1\""));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_is_refused_while_a_gate_runs_with_another_pepper_and_when_the_backup_is_damaged(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        string secret;
        string file;
        await using (var gate = await place.Start())
        {
            secret = await gate.NewSecret();
            file = await place.Backup();
            await Refused(place, file, "Another Tollgate process is using the ");
        }

        var bytes = await File.ReadAllBytesAsync(file);
        foreach (var at in (int[])[0, .. FirstBytesOfEntries(bytes).Take(3), bytes.Length - 30])
        {
            var damaged = place.PathOf($"damaged-{at}.backup");
            var flipped = (byte[])bytes.Clone();
            flipped[at] ^= 0x10;
            await File.WriteAllBytesAsync(damaged, flipped);
            await Refused(place, damaged, "damaged");
        }

        await File.WriteAllBytesAsync(place.PathOf("short.backup"), bytes[..(bytes.Length / 2)]);
        await Refused(place, place.PathOf("short.backup"), "damaged");
        await File.WriteAllTextAsync(place.PathOf("other.backup"), "not a backup");
        await Refused(place, place.PathOf("other.backup"), "no backup of Tollgate's");

        var pepper = await File.ReadAllTextAsync(place.PepperFile);
        await File.WriteAllTextAsync(place.PepperFile, $"1:{Convert.ToBase64String(new byte[32])}\n");
        await Refused(place, file, "is not the one this data was made with");
        await File.WriteAllTextAsync(place.PepperFile, pepper);

        await using var after = await place.Start();
        Assert.Equal("allowed", await after.Code(secret));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Killed_before_the_swap_it_leaves_the_database_in_place_and_can_be_run_again(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var taken = await TakenAway.Make(place);

        var killed = await place.Run([("TOLLGATE_FAILPOINT", "restore-ready")], "restore", taken.Backup, "--yes");
        Assert.True(killed.ExitCode == 137, killed.ToString());
        await using (var gate = await place.Start())
        {
            Assert.Equal("key_revoked", await gate.Code(taken.SecretOf["revoked"]));
        }

        var done = await place.Run("restore", taken.Backup, "--yes", "--keep-revocations");
        Assert.True(done.ExitCode == 0, done.ToString());
        await using var after = await place.Start();
        Assert.Equal("key_revoked", await after.Code(taken.SecretOf["revoked"]));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Killed_after_the_swap_it_has_been_made(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var taken = await TakenAway.Make(place);

        var killed = await place.Run([("TOLLGATE_FAILPOINT", "restore-swapped")], "restore", taken.Backup, "--yes");
        Assert.True(killed.ExitCode == 137, killed.ToString());
        await using var gate = await place.Start();
        Assert.Equal("allowed", await gate.Code(taken.SecretOf["revoked"]));
    }

    [Fact]
    public async Task A_database_that_cannot_be_read_is_replaced_and_kept_and_what_it_knew_is_said_to_be_unknown()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        var taken = await TakenAway.Make(place);
        await File.WriteAllTextAsync(place.DatabaseFile, new string('x', 8_192));

        var done = await place.Run("restore", taken.Backup, "--yes");

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("cannot be read", done.Output, StringComparison.Ordinal);
        Assert.Contains("is not known and will work again", done.Output, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(place.Folder, "tollgate.db.before-*"), file => !file.EndsWith("-wal", StringComparison.Ordinal));
        await using var gate = await place.Start();
        Assert.Equal("allowed", await gate.Code(taken.SecretOf["revoked"]));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Revocations_that_could_not_be_compared_to_the_end_are_not_said_to_be_kept(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var taken = await TakenAway.Make(place);
        // Organizations can be compared still; keys no more.
        await using (var connection = await place.Connect())
        {
            await connection.ExecuteAsync("ALTER TABLE secrets RENAME COLUMN hash TO lost");
        }

        var refused = await place.Run("restore", taken.Backup, "--yes", "--keep-revocations");

        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.Contains("--keep-revocations cannot keep what is not known", refused.Faults, StringComparison.Ordinal);
        await using (var connection = await place.Connect())
        {
            await connection.ExecuteAsync("ALTER TABLE secrets RENAME COLUMN lost TO hash");
        }

        await using (var gate = await place.Start())
        {
            Assert.Equal("key_revoked", await gate.Code(taken.SecretOf["revoked"]));
        }

        await using (var connection = await place.Connect())
        {
            await connection.ExecuteAsync("ALTER TABLE secrets RENAME COLUMN hash TO lost");
        }

        var accepted = await place.Run("restore", taken.Backup, "--yes", "--keep-revocations", "--without-comparison");
        Assert.True(accepted.ExitCode == 0, accepted.ToString());
        Assert.Contains("is not known and will work again", accepted.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_kept_of_a_database_that_is_not_there_and_the_restore_says_so()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        var taken = await TakenAway.Make(place);
        File.Delete(place.DatabaseFile);

        var refused = await place.Run("restore", taken.Backup, "--yes", "--keep-revocations");

        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.False(File.Exists(place.DatabaseFile));
    }

    /// <summary>Where the content of each entry begins: a byte of a time or a name between them would damage nothing.</summary>
    private static IEnumerable<int> FirstBytesOfEntries(byte[] zip)
    {
        for (var at = 0; at + 30 < zip.Length; at++)
        {
            if (zip.AsSpan(at).StartsWith("PK\u0003\u0004"u8))
            {
                yield return at + 30 + BitConverter.ToUInt16(zip, at + 26) + BitConverter.ToUInt16(zip, at + 28);
            }
        }
    }

    private static async Task Refused(Place place, string file, string why)
    {
        var refused = await place.Run("restore", file, "--yes");
        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.Contains(why, refused.Faults, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Faults, StringComparison.Ordinal);
    }

    private static async Task AuditTellsOfIt(RunningGate gate, string counts)
    {
        var rows = await gate.Send("GET", "/api/v1/audit?action=database.restore", RunningGate.RootKey);
        Assert.Equal(HttpStatusCode.OK, rows.Status);
        Assert.Contains(counts, rows.Text.Replace("\\", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static async Task<Dictionary<string, long>> Versions(Place place)
    {
        await using var snapshot = await DatabaseSnapshot.Open(place.Storage);
        var versions = new Dictionary<string, long> { ["changes"] = (await snapshot.LastChange()).Seq };
        foreach (var table in snapshot.Tables.Where(table => table.Columns.Any(column => column.Name == "row_version")))
        {
            var version = table.Columns.ToList().FindIndex(column => column.Name == "row_version");
            await foreach (var row in snapshot.Rows(table))
            {
                versions[$"{table.Name} {row[0]}"] = (long)row[version]!;
            }
        }

        return versions;
    }
}
