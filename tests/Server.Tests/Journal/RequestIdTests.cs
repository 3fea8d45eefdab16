using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Journal;

public sealed class RequestIdTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData(1, "req_0000000000001")]
    [InlineData(31, "req_000000000000z")]
    [InlineData(1L << 40, "req_0000100000000")]
    [InlineData(long.MaxValue, "req_7zzzzzzzzzzzz")]
    public void A_number_is_written_in_one_form_and_read_back(long number, string text)
    {
        Assert.Equal(text, RequestId.Of(number));
        Assert.True(RequestId.TryParse(text, out var read));
        Assert.Equal(number, read);
        Assert.True(RequestId.TryParseReservation(RequestId.OfReservation(number), out read));
        Assert.Equal(number, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("req_")]
    [InlineData("req_000000000001")]
    [InlineData("req_00000000000001")]
    [InlineData("req_0000000000000")]
    [InlineData("req_8000000000000")]
    [InlineData("req_zzzzzzzzzzzzz")]
    [InlineData("req_000000000000i")]
    [InlineData("req_000000000000Z")]
    [InlineData("rsv_0000000000001")]
    [InlineData("REQ_0000000000001")]
    [InlineData("req_000000000000\u0661")]
    public void What_was_not_written_so_is_no_id(string text) => Assert.False(RequestId.TryParse(text, out _));

    [Fact]
    public void Ids_sort_as_their_numbers_do()
    {
        var random = new Random(FuzzSeed.Take(1_000));
        var numbers = Enumerable.Range(0, 1_000).Select(_ => random.NextInt64(1, long.MaxValue)).ToList();

        Assert.Equal(numbers.Order(), numbers.Select(RequestId.Of).Order(StringComparer.Ordinal).Select(text =>
            RequestId.TryParse(text, out var number) ? number : 0));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Each_start_begins_above_all_numbers_of_the_one_before(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var (first, second) = (new RequestNumbers(), new RequestNumbers());
        Assert.Throws<InvalidOperationException>(() => new RequestNumbers().Next());

        await Begin(store, first);
        await Begin(store, second);

        Assert.Equal((1L << RequestNumbers.CounterBits) + 1, first.Next());
        Assert.Equal((1L << RequestNumbers.CounterBits) + 2, first.Next());
        Assert.Equal((2L << RequestNumbers.CounterBits) + 1, second.Next());
    }

    [Fact]
    public async Task A_database_that_has_no_runs_left_is_refused()
    {
        await using var store = await TestStore.Open(DatabaseKind.Sqlite, postgres);
        await store.Tamper($"INSERT INTO counters (name, value) VALUES ('run', {RequestNumbers.RunMax - 1})");

        await Begin(store, new RequestNumbers());
        await Assert.ThrowsAsync<StorageException>(() => Begin(store, new RequestNumbers()));
    }

    private static async Task Begin(TestStore store, RequestNumbers numbers) => _ = await store.Database.Write<bool>(async scope =>
    {
        await numbers.Begin(scope);
        return true;
    });
}
