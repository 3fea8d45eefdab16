using System.IO.Compression;
using System.Text;
using Tollgate.Server.Operating;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Operating;

public sealed class BackupTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_is_consistent_while_a_gate_writes_and_holds_hashes_only(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var secrets = new List<string>();
        await using var gate = await place.Start();
        for (var i = 0; i < 20; i++)
        {
            secrets.Add(await gate.NewSecret());
        }

        using var stop = new CancellationTokenSource();
        var writes = Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested;)
            {
                secrets.Add(await gate.NewSecret());
            }
        });
        var file = await place.Backup();
        await stop.CancelAsync();
        await writes;

        using (var backup = BackupFile.Open(file))
        {
            backup.Verify(CancellationToken.None);
            // A key comes with its secret, its audit row and its change in one transaction: a torn moment would show here.
            var rows = backup.Manifest.Tables.ToDictionary(table => table.Name, table => table.Rows);
            Assert.InRange(rows["keys"], 20, secrets.Count);
            Assert.Equal(rows["keys"], rows["secrets"]);
            Assert.Equal(backup.Manifest.AuditSeq, rows["audit"]);
            Assert.Equal(backup.Manifest.ChangeSeq, rows["changes"]);
            Assert.DoesNotContain("idempotency", rows.Keys);
        }

        var text = new StringBuilder();
        await using (var archive = await ZipFile.OpenReadAsync(file))
        {
            foreach (var entry in archive.Entries)
            {
                using var reader = new StreamReader(await entry.OpenAsync());
                text.Append(await reader.ReadToEndAsync());
            }
        }

        var all = text.ToString();
        var pepper = (await File.ReadAllTextAsync(place.PepperFile)).Trim();
        Assert.DoesNotContain(pepper[2..], all, StringComparison.Ordinal);
        Assert.DoesNotContain(RunningGate.RootKey, all, StringComparison.Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret[8..20], all, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Its_file_is_the_owners_alone_is_never_overwritten_and_is_named_by_the_moment_in_a_folder()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        await using (var gate = await place.Start())
        {
            await gate.NewSecret();
        }

        var file = await place.Backup();
        var bytes = await File.ReadAllBytesAsync(file);
        Assert.True(!OperatingSystem.IsWindows() && File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));

        var again = await place.Run("backup", "--to", file);
        Assert.True(again.ExitCode == 3, again.ToString());
        Assert.Contains("exists and is not overwritten", again.Faults, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(file));

        var folder = Directory.CreateDirectory(place.PathOf("backups")).FullName;
        var named = await place.Run("backup", "--to", folder);
        Assert.True(named.ExitCode == 0, named.ToString());
        Assert.Matches(@"^tollgate-\d{8}T\d{6}Z\.backup$", Path.GetFileName(Assert.Single(Directory.GetFiles(folder))));
        Assert.Contains("check value 1:", named.Output, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Where_there_is_nothing_to_back_up_it_says_so_and_leaves_no_file(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);

        var refused = await place.Run("backup", "--to", place.PathOf("none.backup"));

        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.Empty(Directory.GetFiles(place.Folder, "none*"));
        Assert.DoesNotContain("   at ", refused.Faults, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Every_table_of_a_database_is_one_that_a_migration_makes_and_every_column_is_of_a_type_that_a_backup_knows(
        DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await using var snapshot = await DatabaseSnapshot.Open(store.Options);

        var all = (await store.Database.Write<List<string>>(async scope => (await scope.Query<string>(
            kind == DatabaseKind.Sqlite
                ? "SELECT name FROM sqlite_master WHERE type = 'table'"
                : "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")).ToList())).Value;

        Assert.Equal(all.Order(StringComparer.Ordinal), snapshot.Tables.Select(table => table.Name).Order(StringComparer.Ordinal));
        Assert.All(snapshot.Tables.SelectMany(table => table.Columns), column =>
            Assert.True(column.IsInteger || column.IsText || column.IsBytes, $"{column.Name} {column.Type}"));
    }
}
