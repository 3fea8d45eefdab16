using Dapper;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Usage;

/// <summary>A database from before sums were kept of whole projects and of whole keys has them filled in when it is opened.</summary>
public sealed class RollUpUpgradeTests(PostgresFixture postgres)
{
    private const int Before = 32;

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_was_used_before_is_in_the_sums_of_projects_and_of_keys(DatabaseKind kind)
    {
        await using var store = await TestStore.Closed(kind, postgres);
        await store.Reopen([.. Migration.Embedded.Take(Before)]);
        // Key, day, model, place; each figure is another multiple of what tells the row.
        await store.Tamper(string.Join(';', new[] { (1, 10, 1, 7), (1, 10, 2, 7), (2, 10, 1, 7), (2, 20, 1, 7), (3, 10, 1, 8) }.Select(
            (row, i) =>
            $"""
            INSERT INTO usage_days (key_no, from_ms, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                    loss_micros, priced, estimated, cached_tokens, reasoning_tokens)
            VALUES ({row.Item1}, {row.Item2}, {row.Item3}, {row.Item4}, {1 << i}, {2 << i}, {3 << i}, {4 << i}, {5 << i}, {6 << i},
                    {7 << i}, {8 << i}, {9 << i}, {10 << i})
            """)));

        await store.Reopen();

        Assert.Equal(["7 10 1 5", "7 10 2 2", "7 20 1 8", "8 10 1 16"], await Sums("usage_place_days", "model_no"));
        Assert.Equal(["7 10 1 3", "7 10 2 4", "7 20 2 8", "8 10 3 16"], await Sums("usage_key_days", "key_no"));

        async Task<List<string>> Sums(string table, string by) => [.. (await store.Database.Read(async connection =>
            await connection.QueryAsync<(long, long, long, long, long, long, long, long, long, long, long, long, long)>(
                $"""
                SELECT place_no, from_ms, {by}, requests, refused, input_tokens, output_tokens, cost_micros, loss_micros, priced, estimated,
                       cached_tokens, reasoning_tokens
                FROM {table} ORDER BY 1, 2, 3
                """))).Select(row =>
        {
            Assert.Equal(
                Enumerable.Range(2, 9).Select(times => times * row.Item4),
                [row.Item5, row.Item6, row.Item7, row.Item8, row.Item9, row.Item10, row.Item11, row.Item12, row.Item13]);
            return $"{row.Item1} {row.Item2} {row.Item3} {row.Item4}";
        })];
    }
}
