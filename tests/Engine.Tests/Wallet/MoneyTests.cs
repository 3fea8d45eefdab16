using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Wallet;

public sealed class MoneyTests
{
    [Theory]
    [InlineData("0", 0, "0.00")]
    [InlineData("7", 7_000_000, "7.00")]
    [InlineData("50.00", 50_000_000, "50.00")]
    [InlineData("-0.000125", -125, "-0.000125")]
    [InlineData("0.1", 100_000, "0.10")]
    [InlineData("12.345678", 12_345_678, "12.345678")]
    [InlineData("1000000000", Money.MicrosMax, "1000000000.00")]
    public void A_decimal_is_read_exactly_and_told_without_loss(string text, long micros, string told)
    {
        Assert.True(Money.TryParse(text, out Money amount));
        Assert.Equal((micros, told), (amount.Micros, amount.ToString()));
        Assert.True(Money.TryParse(told, out Money again));
        Assert.Equal(amount, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1.0000001")]
    [InlineData("1e3")]
    [InlineData("1,000")]
    [InlineData("--1")]
    [InlineData("1.-5")]
    [InlineData("NaN")]
    [InlineData("١")]
    [InlineData("1000000000.000001")]
    [InlineData("99999999999")]
    public void Anything_else_is_no_amount(string text) => Assert.False(Money.TryParse(text, out _));

    [Fact]
    public void Sums_throw_rather_than_wrap_round()
    {
        var most = new Money(long.MaxValue);
        Assert.Throws<OverflowException>(() => most + Money.Least);
        Assert.Throws<OverflowException>(() => -most - new Money(2));
        Assert.Throws<OverflowException>(() => -new Money(long.MinValue));
        Assert.True(Money.Zero < Money.Least && Money.Least <= most && most > Money.Zero && Money.Zero >= default(Money));
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(1_000_000, 0, 150_000)]
    [InlineData(0, 3, 2)]
    [InlineData(7, 9, 7)]
    [InlineData(0, 0, 0)]
    public void A_price_is_exact_and_rounded_up_once(long input, long output, long micros)
        => Assert.Equal(micros, new ModelPrice(150_000, 600_000).Cost(input, output).Micros);

    [Theory]
    [InlineData(100, 100, 0, 0, 75)]
    [InlineData(100, 100, 40, 0, 70)]
    [InlineData(100, 100, 100, 100, 112)]
    [InlineData(0, 3, 0, 1, 3)]
    [InlineData(3, 0, 2, 0, 1)]
    [InlineData(1, 1, 1, 1, 2)]
    public void Cached_and_reasoning_tokens_have_prices_of_their_own_and_all_is_rounded_up_once(
        long input, long output, long cached, long reasoning, long micros)
    {
        var price = new ModelPrice(150_000, 600_000) { CachedPerMillion = 20_000, ReasoningPerMillion = 1_100_000 };
        Assert.Equal(micros, price.Cost(input, output, cached, reasoning).Micros);
        var plain = new ModelPrice(150_000, 600_000);
        Assert.Equal(plain.Cost(input, output), plain.Cost(input, output, cached, reasoning));
    }

    [Fact]
    public void What_is_held_covers_the_dearer_of_both_prices()
    {
        var price = new ModelPrice(150_000, 600_000) { CachedPerMillion = 20_000, ReasoningPerMillion = 1_100_000 };
        Assert.Equal(price.Cost(100, 50, 0, 50), price.MostCost(100, 50));
        ModelPrice dearCache = price with { CachedPerMillion = 170_000, ReasoningPerMillion = 500_000 };
        Assert.Equal(dearCache.Cost(100, 50, 100, 0), dearCache.MostCost(100, 50));
        Assert.Equal(new ModelPrice(1, 2).Cost(9, 9), new ModelPrice(1, 2).MostCost(9, 9));
    }

    [Fact]
    public void No_more_tokens_are_cached_than_came_in_and_no_more_are_reasoning_than_went_out()
    {
        var price = new ModelPrice(1, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => price.Cost(3, 3, 4, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => price.Cost(3, 3, 0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => price.Cost(3, 3, -1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => price.Cost(3, 3, 0, -1));
    }

    [Fact]
    public void A_price_beyond_what_can_be_told_throws_and_never_wraps()
    {
        var dear = new ModelPrice(long.MaxValue, long.MaxValue);
        Assert.Throws<OverflowException>(() => dear.Cost(2_000_000, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => dear.Cost(-1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => dear.Cost(0, -1));
    }
}
