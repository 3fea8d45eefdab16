using System.Text;
using System.Text.Json;
using Tollgate.Server.Hosting;
using Tollgate.Server.Operating;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Operating;

public sealed class DoctorTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_finds_nothing_beside_a_running_gate_and_after_it_and_changes_nothing(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
            var beside = await place.Run("doctor");
            Assert.True(beside.ExitCode == 0, beside.ToString());
        }

        var before = kind == DatabaseKind.Sqlite ? await File.ReadAllBytesAsync(place.DatabaseFile) : [];
        var after = await place.Run("doctor", "--json");
        Assert.True(after.ExitCode == 0, after.ToString());
        var checks = after.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.All(checks, check => Assert.Equal("ok", check.GetProperty("result").GetString()));
        Assert.True(checks.Count >= 11, after.Output);
        Assert.Equal(before, kind == DatabaseKind.Sqlite ? await File.ReadAllBytesAsync(place.DatabaseFile) : []);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_was_changed_around_the_gate_is_named(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
            await gate.NewSecret();
            await Tamper(gate, "UPDATE audit SET reason = 'nobody' WHERE seq = 2");
            await Tamper(gate, "UPDATE counters SET value = 1 WHERE name = 'key'");
        }

        var found = await Examine(place, TimeProvider.System);

        Assert.Equal("Audit row 2 was changed.", found["audit chain"].Sentence);
        Assert.Contains("the series key is at 1, its table at 2", found["counters"].Sentence, StringComparison.Ordinal);
        Assert.All(found.Values, diagnosis => Assert.Equal(diagnosis.Soundness == Soundness.Ok, diagnosis.Remedy is null));
        Assert.Equal(2, (await place.Run("doctor")).ExitCode);
    }

    [Fact]
    public async Task A_row_without_its_owner_is_found()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
        }

        // Only somebody around the gate can do this: it holds SQLite to its references.
        await using (var bare = SqliteDriver.OpenBeside(place.Storage))
        {
            await bare.CloseAsync();
            bare.ConnectionString = $"Data Source={place.DatabaseFile};Foreign Keys=False;Pooling=False";
            await bare.OpenAsync();
            await using var command = bare.CreateCommand();
            command.CommandText = "DELETE FROM keys";
            await command.ExecuteNonQueryAsync();
        }

        var found = await Examine(place, TimeProvider.System);

        Assert.Contains("1 rows of secrets refer to keys that are not there", found["references"].Sentence, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_pepper_that_is_missing_damaged_or_anothers_fails_and_a_clock_that_was_set_back_too(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
        }

        var yesterday = new ManualClock();
        yesterday.Advance(TimeSpan.FromDays(-1));
        Assert.Contains("seconds in the future", (await Examine(place, yesterday))["clock"].Sentence, StringComparison.Ordinal);

        await File.WriteAllTextAsync(place.PepperFile, $"1:{Convert.ToBase64String(new byte[32])}\n");
        Assert.Contains("is not the one", (await Examine(place, place.Clock))["pepper"].Sentence, StringComparison.Ordinal);
        await File.WriteAllTextAsync(place.PepperFile, "garbage");
        Assert.Contains("is damaged", (await Examine(place, place.Clock))["pepper"].Sentence, StringComparison.Ordinal);
        File.Delete(place.PepperFile);
        var missing = (await Examine(place, place.Clock))["pepper"];
        Assert.Equal(Soundness.Failed, missing.Soundness);
        Assert.Contains("check value 1:", missing.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_others_may_open_are_a_warning_with_the_command_that_mends_it()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
        }

        Assert.True(Mode(place.PepperFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead));
        var warned = await place.Run("doctor");

        Assert.True(warned.ExitCode == 1, warned.ToString());
        Assert.Contains($"-> chmod go-rwx {place.PepperFile}", warned.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faulty_options_and_a_database_that_is_not_there_end_with_2()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);

        var options = await place.Run("doctor", "--nonsense", "1");
        Assert.True(options.ExitCode == 2, options.ToString());
        Assert.Contains("FAILED   options", options.Output, StringComparison.Ordinal);
        var nothing = await place.Run("doctor");
        Assert.True(nothing.ExitCode == 2, nothing.ToString());
        Assert.Contains("There is no database in", nothing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_postgresql_a_data_folder_that_is_not_there_is_a_finding_and_no_crash()
    {
        await using var place = await Place.New(DatabaseKind.PostgreSql, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
        }

        var found = new Dictionary<string, Diagnosis>();
        var options = new GateOptions { Data = place.PathOf("elsewhere"), Database = place.Postgres };
        await foreach (var diagnosis in new Doctor(options, TimeProvider.System).Examine())
        {
            found.Add(diagnosis.Check, diagnosis);
        }

        Assert.Equal(Soundness.Failed, found["pepper"].Soundness);
        Assert.Equal(Soundness.Ok, found["audit chain"].Soundness);
    }

    [Fact]
    public async Task A_page_with_a_flipped_byte_and_a_file_of_garbage_are_found()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        string revoked;
        await using (var gate = await place.Start())
        {
            var key = await gate.NewKey();
            revoked = key.GetProperty("secret").GetString()!;
            await gate.Change("POST", $"/keys/{key.GetProperty("id").GetString()}/revoke");
        }

        var whole = await File.ReadAllBytesAsync(place.DatabaseFile);
        const int page = 4_096;
        for (var number = 1; number < whole.Length / page; number += 4)
        {
            var damaged = (byte[])whole.Clone();
            damaged[number * page] ^= 0x55;
            await File.WriteAllBytesAsync(place.DatabaseFile, damaged);
            var found = await Examine(place, TimeProvider.System);
            // A damaged list of tables lets nobody in at all.
            var look = found.GetValueOrDefault("integrity") ?? found["database"];
            Assert.True(look.Soundness == Soundness.Failed, $"page {number}");
        }

        // A byte inside a row is not SQLite's to find, but the audit chain's.
        var edited = (byte[])whole.Clone();
        var at = edited.AsSpan().IndexOf("key.revoke"u8);
        Assert.True(at > 0);
        edited[at] ^= 0x01;
        await File.WriteAllBytesAsync(place.DatabaseFile, edited);
        Assert.Equal(Soundness.Failed, (await Examine(place, TimeProvider.System))["audit chain"].Soundness);

        await File.WriteAllBytesAsync(place.DatabaseFile, Encoding.ASCII.GetBytes(new string('x', 8_192)));
        var garbage = await Examine(place, TimeProvider.System);
        Assert.Contains("cannot be read", garbage["database"].Sentence, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageException>(place.Start);

        await File.WriteAllBytesAsync(place.DatabaseFile, whole);
        await using var again = await place.Start();
        Assert.Equal("key_revoked", await again.Code(revoked));
    }

    private static bool Mode(string file, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        File.SetUnixFileMode(file, mode);
        return true;
    }

    private static async Task Tamper(RunningGate gate, string sql) =>
        Assert.True((await gate.Database.Write<int>(async scope => await scope.Execute(sql))).IsOk);

    private static async Task<Dictionary<string, Diagnosis>> Examine(Place place, TimeProvider time)
    {
        var options = new GateOptions { Data = place.Folder, Database = place.Postgres };
        var found = new Dictionary<string, Diagnosis>();
        await foreach (var diagnosis in new Doctor(options, time).Examine())
        {
            found.Add(diagnosis.Check, diagnosis);
        }

        return found;
    }
}
