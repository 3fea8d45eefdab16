using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>Prices by version: a changed file begins one, and what was admitted before keeps the price it had.</summary>
public sealed class PriceBookTests(PostgresFixture postgres) : IDisposable
{
    private static readonly ModelOffer Echo = new("echo") { Price = new ModelPrice(150_000, 600_000) };
    private static readonly ModelOffer Free = new("free") { Price = new ModelPrice(0, 0) };
    private static readonly ModelOffer Unpriced = new("unpriced");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-prices-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_changed_price_begins_a_version_and_the_old_one_is_still_known(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        Assert.Equal((1, Echo.Price), await Now([Echo, Unpriced], "echo"));
        Assert.Equal((1, Echo.Price), await Now([Free with { Price = null }, Echo], "echo"));
        var dearer = Echo with { Price = new ModelPrice(150_000, 600_001) };
        Assert.Equal((2, dearer.Price), await Now([dearer], "echo"));
        Assert.Equal((3, Free.Price), await Now([dearer, Free], "free"));
        // The order in the file is no price.
        Assert.Equal((3, Free.Price), await Now([Free, dearer], "free"));
        // Back to the first prices is a version of its own: which requests had which stays told.
        Assert.Equal((4, Echo.Price), await Now([Echo], "echo"));
        Assert.Equal((5, null), await Now([Unpriced], "echo"));

        await using var gate = await Start([Echo]);
        var book = gate.Services.GetRequiredService<PriceBook>();
        Assert.Equal(6, book.Version);
        Assert.Equal(dearer.Price, await book.At(2, "echo"));
        Assert.Equal(Free.Price, await book.At(3, "free"));
        Assert.Null(await book.At(1, "free"));
        Assert.Null(await book.At(5, "echo"));
        Assert.Null(await book.At(7, "echo"));
        var audit = await gate.Send("GET", "/api/v1/audit?action=prices.change", RunningGate.RootKey);
        Assert.Equal(6, audit.Json.GetProperty("data").GetArrayLength());

        async Task<(int, ModelPrice?)> Now(ModelOffer[] models, string model)
        {
            await using var one = await Start(models);
            var (version, price) = one.Services.GetRequiredService<PriceBook>().Of(model);
            return (version, price);
        }

        Task<RunningGate> Start(ModelOffer[] models) =>
            RunningGate.Start(Wallets.Provider(Wallets.Rules, models), folder: _folder.FullName, postgres: database);
    }

    [Fact]
    public void Prices_of_input_and_output_alone_are_written_as_they_always_were()
    {
        var apart = new ModelOffer("apart") { Price = new ModelPrice(3, 4) { CachedPerMillion = 0 } };
        var thinks = new ModelOffer("thinks") { Price = new ModelPrice(5, 6) { CachedPerMillion = 1, ReasoningPerMillion = 7 } };
        Assert.Equal(
            "{'currency':'USD','models':{'echo':[150000,600000],'free':[0,0]}}",
            PriceList.ContentOf(Wallets.Provider(Wallets.Rules, Free, Echo)).Replace('"', '\''));
        var content = PriceList.ContentOf(Wallets.Provider(Wallets.Rules, Echo, apart, thinks));
        Assert.Equal(
            "{'currency':'USD','models':{'apart':[3,4,0,null],'echo':[150000,600000],'thinks':[5,6,1,7]}}", content.Replace('"', '\''));
        var list = PriceList.Read(1, content);
        Assert.Equal([Echo.Price, apart.Price, thinks.Price], new[] { "echo", "apart", "thinks" }.Select(list.Of));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_price_for_cached_tokens_begins_a_version(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        foreach (var (price, version) in new[]
        {
            (Echo.Price!.Value, 1), (Echo.Price.Value, 1), (Echo.Price.Value with { CachedPerMillion = 150_000 }, 2),
            (Echo.Price.Value with { CachedPerMillion = 150_000 }, 2), (Echo.Price.Value with { ReasoningPerMillion = 150_000 }, 3),
        })
        {
            var book = new PriceBook(Wallets.Provider(Wallets.Rules, Echo with { Price = price }), store.Database);
            await book.Open();
            Assert.Equal(((ushort)version, (ModelPrice?)price), book.Of("echo"));
        }
    }

    [Fact]
    public async Task Where_a_wallet_applies_an_unknown_model_and_one_without_a_price_are_refused_and_nothing_is_a_price()
    {
        await using var gate = await RunningGate.Start(Wallets.Provider(Wallets.Rules, Echo, Free, Unpriced));
        var book = gate.Services.GetRequiredService<PriceBook>();

        Assert.Equal("model_unknown", book.Find("unpriced").CodeOf());
        Assert.Equal("model_unknown", book.Find("nosuch").CodeOf());
        Assert.Equal("model_unknown", book.Find("Echo").CodeOf());
        Assert.Equal(Echo.Price, book.Find("echo").Value.Price);
        Assert.Equal(new ModelPrice(0, 0), book.Find("free").Value.Price);
    }

    [Fact]
    public async Task Without_a_wallet_no_price_is_needed_and_none_is_made_up()
    {
        await using var gate = await RunningGate.Start(Wallets.Provider(null, Unpriced));
        var book = gate.Services.GetRequiredService<PriceBook>();

        Assert.Equal(0, book.Version);
        Assert.Null(book.Find("unpriced").Value.Price);
        Assert.Null(book.Find("nosuch").Value.Offer);
        Assert.Null(book.Find("nosuch").Value.Price);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_last_version_is_taken_and_a_start_that_needs_one_more_is_refused(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await store.Tamper($"INSERT INTO price_lists (version, content, since_ms) VALUES ({PriceBook.VersionsMax - 1}, '', 0)");
        var book = new PriceBook(Wallets.Provider(Wallets.Rules, Echo), store.Database);
        await book.Open();
        Assert.Equal(PriceBook.VersionsMax, book.Version);

        var next = new PriceBook(Wallets.Provider(Wallets.Rules, Free), store.Database);
        Assert.Contains("65535 times", (await Assert.ThrowsAsync<StorageException>(() => next.Open())).Message, StringComparison.Ordinal);
        Assert.Equal(2, await store.Count("price_lists"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_version_older_than_those_in_memory_is_read(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        for (var version = 1; version <= PriceBook.KeptMax + 2; version++)
        {
            var content = PriceList.ContentOf(Wallets.Provider(Wallets.Rules, Echo with { Price = new ModelPrice(version, 0) }));
            await store.Tamper($"INSERT INTO price_lists (version, content, since_ms) VALUES ({version}, '{content}', 0)");
        }

        var book = new PriceBook(
            Wallets.Provider(Wallets.Rules, Echo with { Price = new ModelPrice(PriceBook.KeptMax + 2, 0) }), store.Database);
        await book.Open();

        await store.Tamper("UPDATE price_lists SET content = '' WHERE version IN (1, 3)");
        Assert.Equal(new ModelPrice(3, 0), await book.At(3, "echo"));
        Assert.Equal(new ModelPrice(2, 0), await book.At(2, "echo"));
        Assert.Null(await book.At(1, "echo"));
    }
}
