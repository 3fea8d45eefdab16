using System.Security.Cryptography;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

public sealed class PepperTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_first_start_makes_a_pepper_for_the_owner_only_and_the_next_one_finds_it(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var text = await File.ReadAllTextAsync(store.PepperFile, TestContext.Current.CancellationToken);
        var hash = SHA256.HashData("a secret"u8);
        var before = store.Pepper.HashSecret(hash);

        await store.Reopen();

        Assert.Matches("^1:[A-Za-z0-9+/]{43}=\n$", text);
        Assert.Equal(before, store.Pepper.HashSecret(hash));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store.PepperFile));
        }
    }

    [Fact]
    public async Task A_secret_is_hashed_as_documented()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var line = await File.ReadAllTextAsync(store.PepperFile, TestContext.Current.CancellationToken);
        var secret = SHA256.HashData("a secret"u8);

        Assert.Equal(HMACSHA256.HashData(Convert.FromBase64String(line[2..].Trim()), secret), store.Pepper.HashSecret(secret));
        Assert.Throws<ArgumentException>(() => store.Pepper.HashSecret("short"u8));
    }

    [Fact]
    public async Task Two_databases_have_two_peppers()
    {
        await using var one = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        await using var other = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var hash = SHA256.HashData("a secret"u8);

        Assert.NotEqual(one.Pepper.HashSecret(hash), other.Pepper.HashSecret(hash));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_missing_pepper_beside_an_existing_database_is_refused_and_not_made_anew(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        File.Delete(store.PepperFile);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.Reopen());

        Assert.Contains("is missing", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(store.PepperFile));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Another_databases_pepper_is_refused(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await File.WriteAllTextAsync(
            store.PepperFile, "1:" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.Reopen());

        Assert.Contains("is not the one this database was made with", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1:")]
    [InlineData("1:AAAA")]
    [InlineData("2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ")]
    [InlineData("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    public async Task A_damaged_pepper_is_refused_by_its_file_and_not_overwritten(string damaged)
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        await File.WriteAllTextAsync(store.PepperFile, damaged, TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.Reopen());

        Assert.StartsWith($"The pepper file {store.PepperFile} is damaged", refused.Message, StringComparison.Ordinal);
        Assert.Equal(damaged, await File.ReadAllTextAsync(store.PepperFile, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_database_does_not_hold_the_pepper()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var pepper = (await File.ReadAllTextAsync(store.PepperFile, TestContext.Current.CancellationToken))[2..].Trim();

        Assert.DoesNotContain(await store.Database.Settings(), setting => setting.Value.Contains(pepper, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_sealed_opens_only_for_its_purpose_and_its_place()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var sealer = new Sealer(store.Pepper);
        var box = sealer.Seal("secrets", "hidden text"u8, "row 1"u8);

        Assert.True(sealer.TryOpen("secrets", box, "row 1"u8, out var opened));
        Assert.Equal("hidden text"u8, opened);
        Assert.False(sealer.TryOpen("answers", box, "row 1"u8, out _));
        Assert.False(sealer.TryOpen("secrets", box, "row 2"u8, out _));
        Assert.True(box.AsSpan().IndexOf("hidden"u8) < 0);
    }

    [Fact]
    public async Task A_box_with_any_byte_changed_or_cut_off_does_not_open()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var sealer = new Sealer(store.Pepper);
        var box = sealer.Seal("secrets", "hidden"u8);

        for (var i = 0; i < box.Length; i++)
        {
            byte[] changed = [.. box];
            changed[i] ^= 1;
            Assert.False(sealer.TryOpen("secrets", changed, out _));
            Assert.False(sealer.TryOpen("secrets", box.AsSpan(0, i), out _));
        }
    }

    [Fact]
    public async Task A_cursor_is_good_for_its_list_and_its_caller_only()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var cursors = new Cursor(store.Pepper);
        var cursor = cursors.Encode("keys active", "key_1", 4_711);

        Assert.True(cursors.TryDecode(cursor, "keys active", "key_1", out var number));
        Assert.Equal(4_711, number);
        Assert.False(cursors.TryDecode(cursor, "keys revoked", "key_1", out _));
        Assert.False(cursors.TryDecode(cursor, "keys active", "key_2", out _));
        Assert.False(cursors.TryDecode(cursor, "keys activek", "ey_1", out _));
    }

    [Fact]
    public async Task A_cursor_with_any_character_changed_added_or_missing_is_none()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        var cursors = new Cursor(store.Pepper);
        var cursor = cursors.Encode("keys", "key_1", 1);

        for (var i = 0; i < cursor.Length; i++)
        {
            var changed = cursor[..i] + (cursor[i] == 'A' ? 'B' : 'A') + cursor[(i + 1)..];
            Assert.False(cursors.TryDecode(changed, "keys", "key_1", out _));
            Assert.False(cursors.TryDecode(cursor[..i], "keys", "key_1", out _));
        }

        Assert.False(cursors.TryDecode(cursor + "A", "keys", "key_1", out _));
        Assert.False(cursors.TryDecode(new string('é', cursor.Length), "keys", "key_1", out _));
        Assert.False(cursors.TryDecode(cursor[..^4] + " \n\t=", "keys", "key_1", out _));
    }
}
