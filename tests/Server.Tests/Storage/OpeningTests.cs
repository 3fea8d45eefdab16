using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

public sealed class OpeningTests(PostgresFixture postgres)
{
    private static readonly Migration Extra = new(Migration.Embedded.Count + 1, "extra", "CREATE TABLE extra (name TEXT NOT NULL)");

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_second_process_on_the_same_database_is_refused_until_the_first_has_ended(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        var refused = await Assert.ThrowsAsync<StorageException>(() => Database.Open(store.Options, store.Clock));
        Assert.StartsWith("Another Tollgate process is using the ", refused.Message, StringComparison.Ordinal);

        await store.Close();
        await store.Reopen();
        await store.Database.Ping();
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Opening_again_keeps_everything_and_applies_nothing_twice(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await store.Database.Write<string>(async scope =>
        {
            await scope.SetSetting("colour", "blue");
            return "done";
        });

        await store.Reopen();

        Assert.Equal("blue", (await store.Database.Settings())["colour"]);
        Assert.Equal(Migration.Embedded.Count, await store.Count("schema_migrations"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_new_migration_is_applied_to_an_old_database(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await store.Reopen([.. Migration.Embedded, Extra]);

        Assert.Equal(0, await store.Count("extra"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_line_of_a_migration_for_PostgreSQL_is_run_there_alone(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);

        await store.Reopen([.. Migration.Embedded, Extra with { Sql = $"{Extra.Sql};\n-- postgresql: INSERT INTO extra VALUES ('a');" }]);

        Assert.Equal(kind == DatabaseKind.PostgreSql ? 1 : 0, await store.Count("extra"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_database_newer_than_the_code_is_refused(DatabaseKind kind)
    {
        await using var store = await TestStore.Closed(kind, postgres);
        await store.Reopen([.. Migration.Embedded, Extra]);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.Reopen());

        Assert.StartsWith("The database is newer than this Tollgate", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_edited_migration_is_refused_by_its_name(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var first = Migration.Embedded[0];

        var refused = await Assert.ThrowsAsync<StorageException>(() =>
            store.Reopen([new Migration(first.Number, first.Name, first.Sql + "\n-- edited"), .. Migration.Embedded.Skip(1)]));

        Assert.StartsWith("Migration 0001 (storage) is not the one that made this database", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_migration_that_fails_leaves_the_database_as_it_was(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var broken = new Migration(Extra.Number, "broken", "CREATE TABLE half (name TEXT); INSERT INTO nowhere (name) VALUES ('x')");

        await Assert.ThrowsAsync<StorageException>(() => store.Reopen([.. Migration.Embedded, broken]));
        await store.Reopen([.. Migration.Embedded, Extra with { Sql = "CREATE TABLE half (name TEXT)" }]);

        Assert.Equal(0, await store.Count("half"));
    }

    [Fact]
    public async Task The_checksum_does_not_depend_on_how_a_checkout_ends_lines()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);

        await store.Reopen([.. Migration.Embedded.Select(m => new Migration(m.Number, m.Name, m.Sql.ReplaceLineEndings("\r\n")))]);

        await store.Database.Ping();
    }

    [Fact]
    public async Task Only_the_owner_may_open_the_files_of_sqlite()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);

        const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var open = Directory.GetFiles(store.Options.DataDirectory)
            .Where(file => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & ~OwnersAlone) != 0);

        Assert.Empty(open);
        Assert.True(Directory.GetFiles(store.Options.DataDirectory).Length >= 4);
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file_is_named_in_one_sentence()
    {
        var file = Path.GetTempFileName();
        try
        {
            var refused = await Assert.ThrowsAsync<StorageException>(() =>
                Database.Open(new StorageOptions { DataDirectory = file }, TimeProvider.System));

            Assert.Contains(file, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("Another Tollgate process", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        await using var store = await TestStore.Closed(DatabaseKind.Sqlite, postgres);
        var file = Path.Combine(store.Options.DataDirectory, SqliteDriver.FileName);
        await File.WriteAllTextAsync(file, new string('x', 8_192), TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<StorageException>(() => store.Reopen());
    }

    [Fact]
    public async Task A_postgresql_that_is_slow_to_answer_is_waited_for_as_a_call_would()
    {
        await using var slow = await OwnPostgres.Start();
        await using var store = await TestStore.Closed(DatabaseKind.Sqlite, postgres);
        var options = new StorageOptions
        {
            DataDirectory = store.Options.DataDirectory, PostgresConnectionString = slow.ConnectionString,
        };
        await slow.Freeze();

        var opening = Database.Open(options, store.Clock);
        // Longer than one who has lost the lock waits for an answer.
        await Assert.ThrowsAsync<TimeoutException>(() => opening.WaitAsync(TimeSpan.FromSeconds(3)));
        await slow.Thaw();

        await using var database = await opening;
        await database.Ping();
    }

    [Fact]
    public async Task A_postgresql_that_cannot_be_reached_is_refused_without_showing_the_password()
    {
        var password = Guid.Empty.ToString("N") + "-secret";
        var options = new StorageOptions
        {
            DataDirectory = Path.GetTempPath(),
            PostgresConnectionString = $"Host=127.0.0.1;Port=1;Username=a;Password={password};Database=b",
        };

        var refused = await Assert.ThrowsAsync<StorageException>(() => Database.Open(options, TimeProvider.System));

        Assert.StartsWith("The PostgreSQL database cannot be opened", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password, refused.ToString(), StringComparison.Ordinal);
    }
}
