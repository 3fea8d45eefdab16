using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

/// <summary>The mark beside SQLite's file: one that is there and cannot be read is no leave to start.</summary>
public sealed class ChangeMarkTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData("seventeen\n")]
    [InlineData("-1\n")]
    [InlineData("\n")]
    public async Task A_mark_without_a_number_refuses_the_start_in_a_sentence_and_none_does_not(string text)
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        await store.Close();
        var mark = Path.Combine(store.Options.DataDirectory, ChangeMark.FileName);
        await File.WriteAllTextAsync(mark, text, TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.Reopen());
        Assert.StartsWith(
            $"{ChangeMark.FileName} in {store.Options.DataDirectory} cannot be read: ", refused.Message, StringComparison.Ordinal);

        File.Delete(mark);
        await store.Reopen();
        await store.Reopen();
    }

    [Fact]
    public async Task A_mark_that_is_no_file_refuses_the_start_in_a_sentence()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        await store.Close();
        var mark = Path.Combine(store.Options.DataDirectory, ChangeMark.FileName);
        File.Delete(mark);
        Directory.CreateDirectory(mark);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.Reopen());

        Assert.Contains("cannot be read", refused.Message, StringComparison.Ordinal);
    }
}
