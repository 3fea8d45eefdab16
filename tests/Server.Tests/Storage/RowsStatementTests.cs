using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

public sealed class RowsStatementTests(PostgresFixture postgres)
{
    private static readonly RowsStatement New = RowsStatement.InsertNew("INSERT INTO sums (key_no, name, amount)", 3);

    private static readonly RowsStatement Added = RowsStatement.AddUp(
        "sums", ["key_no", "name"], ["key_no", "name", "amount"], "amount = sums.amount + excluded.amount");

    private static readonly Problem NotNew = new(ProblemCode.Conflict, "A row is there already.");

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_is_there_is_added_to_and_what_is_not_is_put_in_whichever_of_them_a_write_has(DatabaseKind kind)
    {
        await using var store = await Open(kind);
        await Run(store, Added, [1, 2], ["a", "a"], [10, 20]);
        await Run(store, Added, [2, 1, 3], ["a", "b", "a"], [1, 2, 3]);
        await Run(store, Added, [1, 2, 3], ["a", "a", "a"], [100, 100, 100]);

        Assert.Equal("1a110 1b2 2a121 3a103", await Rows(store));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_row_that_must_be_new_and_is_there_is_told_and_nothing_of_the_write_stays(DatabaseKind kind)
    {
        await using var store = await Open(kind);
        Assert.True(await Run(store, New, [1], ["a"], [10]));
        RowsStatement? missed = null;
        var outcome = await store.Database.Write<bool>(async scope =>
        {
            var rows = new RowsBatch(scope);
            rows.Add(Added, [new long[] { 5 }, new[] { "a" }, new long[] { 1 }]);
            rows.Add(New, [new long[] { 2, 1 }, new[] { "a", "a" }, new long[] { 7, 7 }], 2);
            var isNew = await rows.Run();
            missed = rows.Missed;
            return isNew ? true : NotNew;
        });

        Assert.False(outcome.IsOk);
        Assert.Same(New, missed);
        Assert.Equal("1a10", await Rows(store));
    }

    [Fact]
    public async Task A_row_to_be_added_to_that_is_handed_in_twice_is_not_lost_in_silence()
    {
        await using var store = await Open(DatabaseKind.PostgreSql);
        await Run(store, Added, [1], ["a"], [10]);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Run(store, Added, [1, 1], ["a", "a"], [1, 1]));
        Assert.Equal("1a10", await Rows(store));
    }

    private async Task<TestStore> Open(DatabaseKind kind)
    {
        var store = await TestStore.Open(kind, postgres);
        await store.Tamper(
            "CREATE TABLE sums (key_no BIGINT NOT NULL, name TEXT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (key_no, name))");
        return store;
    }

    private static async Task<bool> Run(TestStore store, RowsStatement statement, long[] keys, string[] names, long[] amounts) =>
        (await store.Database.Write<bool>(async scope =>
        {
            var rows = new RowsBatch(scope);
            rows.Add(statement, [keys, names, amounts], statement == New ? keys.Length : null);
            return await rows.Run();
        })).Value;

    private static async Task<string> Rows(TestStore store) => string.Join(' ', await store.Database.Read(async connection =>
        await Dapper.SqlMapper.QueryAsync<string>(
            connection, "SELECT CAST(key_no AS TEXT) || name || CAST(amount AS TEXT) FROM sums ORDER BY key_no, name")));
}
