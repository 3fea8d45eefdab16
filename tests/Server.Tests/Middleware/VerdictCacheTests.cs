using Tollgate.Client;
using Tollgate.Client.AspNetCore;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>What is kept, for how long, and what drops it.</summary>
public sealed class VerdictCacheTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualClock _clock = new();
    private readonly TollgateOptions _options = new() { RevocationBound = TimeSpan.FromMinutes(1), CacheEntriesMax = 3 };

    [Fact]
    public void Nothing_is_believed_before_the_feed_has_told_where_it_stands()
    {
        var cache = new VerdictCache(_options, _clock);
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);

        Assert.Null(cache.Find(Hash(1)));
        cache.Apply(null, Page(7), _clock.GetTimestamp());
        Assert.Null(cache.Find(Hash(1)));
    }

    [Fact]
    public void A_verdict_is_kept_for_its_time_and_not_a_tick_longer()
    {
        var cache = Trusted();
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);

        _clock.Advance(_options.CacheFor - Tick);
        Assert.True(cache.Find(Hash(1))!.Valid);
        _clock.Advance(Tick);
        Assert.Null(cache.Find(Hash(1)));
    }

    [Fact]
    public void A_refusal_is_kept_for_a_second()
    {
        var cache = Trusted();
        cache.Keep(Hash(1), Unknown, cache.Generation);

        _clock.Advance(TimeSpan.FromSeconds(1) - Tick);
        Assert.False(cache.Find(Hash(1))!.Valid);
        _clock.Advance(Tick);
        Assert.Null(cache.Find(Hash(1)));
    }

    [Fact]
    public void A_verdict_is_kept_no_longer_than_its_key_and_its_secret_live()
    {
        var cache = Trusted();
        var soon = _clock.GetUtcNow().AddSeconds(5);
        var expiring = Allowed("key_1");
        cache.Keep(Hash(1), expiring with { Key = expiring.Key! with { ExpiresAt = soon } }, cache.Generation);
        cache.Keep(Hash(2), Allowed("key_2") with { SecretEndsAt = soon }, cache.Generation);

        _clock.Advance(TimeSpan.FromSeconds(5) - Tick);
        Assert.NotNull(cache.Find(Hash(1)));
        Assert.NotNull(cache.Find(Hash(2)));
        _clock.Advance(Tick);
        Assert.Null(cache.Find(Hash(1)));
        Assert.Null(cache.Find(Hash(2)));
    }

    [Fact]
    public void Trust_counts_from_the_sending_of_the_poll_and_ends_at_the_bound()
    {
        _options.CacheFor = TimeSpan.FromMinutes(5);
        var cache = Trusted();
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);
        var asked = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromSeconds(20));
        cache.Apply(Page(1), Page(1), asked);

        _clock.Advance(TimeSpan.FromSeconds(40) - Tick);
        Assert.NotNull(cache.Find(Hash(1)));
        _clock.Advance(Tick);
        Assert.Null(cache.Find(Hash(1)));
    }

    [Fact]
    public void A_page_that_does_not_tell_everything_renews_no_trust()
    {
        _options.CacheFor = TimeSpan.FromMinutes(5);
        var cache = Trusted();
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);
        _clock.Advance(_options.RevocationBound);
        cache.Apply(Page(1), Page(2) with { HasMore = true }, _clock.GetTimestamp());
        Assert.Null(cache.Find(Hash(1)));

        cache.Apply(Page(2), Page(3), _clock.GetTimestamp());
        Assert.NotNull(cache.Find(Hash(1)));
        cache.Distrust();
        Assert.Null(cache.Find(Hash(1)));
    }

    [Theory]
    [InlineData("key_1")]
    [InlineData("prj_1")]
    [InlineData("org_1")]
    public void A_change_drops_what_it_names_and_nothing_else(string id)
    {
        var cache = Trusted();
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);
        var other = Allowed("key_2");
        cache.Keep(
            Hash(2), other with { Key = other.Key! with { ProjectId = "prj_2", OrganizationId = "org_2" } }, cache.Generation);
        cache.Keep(Hash(3), Unknown, cache.Generation);

        cache.Apply(Page(1), Page(2, id), _clock.GetTimestamp());

        Assert.Null(cache.Find(Hash(1)));
        Assert.NotNull(cache.Find(Hash(2)));
        Assert.Null(cache.Find(Hash(3)));
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void A_reset_another_start_of_the_gate_and_a_feed_that_goes_back_drop_everything()
    {
        ChangePage[] pages = [Page(9) with { Reset = true }, Page(9) with { Epoch = "another" }, Page(4)];
        foreach (var page in pages)
        {
            var cache = Trusted();
            cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);
            cache.Apply(Page(5), page, _clock.GetTimestamp());
            Assert.True(cache.IsTrusted);
            Assert.Equal(0, cache.Count);
        }
    }

    [Fact]
    public void An_answer_from_before_a_change_is_not_kept_and_one_from_before_a_quiet_poll_is()
    {
        var cache = Trusted();
        var before = cache.Generation;
        cache.Apply(Page(1), Page(1), _clock.GetTimestamp());
        cache.Keep(Hash(1), Allowed("key_1"), before);
        Assert.NotNull(cache.Find(Hash(1)));

        cache.Apply(Page(1), Page(2, "key_9"), _clock.GetTimestamp());
        cache.Keep(Hash(2), Allowed("key_2"), before);
        Assert.Null(cache.Find(Hash(2)));
    }

    [Fact]
    public void As_many_are_kept_as_may_be_and_the_oldest_goes_for_the_next()
    {
        var cache = Trusted();
        for (ulong n = 1; n <= 3; n++)
        {
            cache.Keep(Hash(n), Allowed($"key_{n}"), cache.Generation);
        }

        Assert.NotNull(cache.Find(Hash(1)));
        cache.Keep(Hash(4), Allowed("key_4"), cache.Generation);
        Assert.Equal(3, cache.Count);
        Assert.Null(cache.Find(Hash(1)));
        Assert.NotNull(cache.Find(Hash(4)));
    }

    [Fact]
    public void Junk_pushes_no_good_key_out()
    {
        var cache = Trusted();
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);
        for (ulong n = 10; n < 2_000; n++)
        {
            cache.Keep(Hash(n), Unknown, cache.Generation);
        }

        Assert.Equal(4, cache.Count);
        Assert.NotNull(cache.Find(Hash(1)));
    }

    [Fact]
    public void A_verdict_that_turned_leaves_the_other_table()
    {
        var cache = Trusted();
        cache.Keep(Hash(1), Allowed("key_1"), cache.Generation);
        cache.Keep(Hash(1), Allowed("key_1") with { Valid = false, Code = "key_expired" }, cache.Generation);

        Assert.False(cache.Find(Hash(1))!.Valid);
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void Questions_that_differ_in_one_part_are_different_and_their_hashes_hold_no_secret()
    {
        Question[] questions =
        [
            new("secret", null, null, null, null), new("secret", "", null, null, null), new("secret", "a", null, null, null),
            new("secret", null, "a", null, null), new("secret", null, null, "a", null), new("secret", null, null, null, "a"),
            new("secreta", null, null, null, null), new("secret", "a", "b", null, null), new("secret", "ab", "", null, null),
        ];

        Assert.Equal(questions.Length, questions.Select(question => question.Hash()).Distinct().Count());
        Assert.Equal(questions[2].Hash(), (questions[2] with { }).Hash());
        Assert.All(questions, question => Assert.DoesNotContain("secret", $"{question} {question.Hash()}", StringComparison.Ordinal));
    }

    private VerdictCache Trusted()
    {
        var cache = new VerdictCache(_options, _clock);
        cache.Apply(null, Page(1), _clock.GetTimestamp());
        return cache;
    }

    private static QuestionHash Hash(ulong n) => new(n, 0);

    private static Verdict Allowed(string id) => new()
    {
        Valid = true,
        Code = "allowed",
        Key = new VerdictKey { Id = id, Name = id, ProjectId = "prj_1", OrganizationId = "org_1" },
    };

    private static Verdict Unknown { get; } = new() { Valid = false, Code = "key_unknown" };

    private static ChangePage Page(long nextAfter, params string[] ids) => new()
    {
        NextAfter = nextAfter,
        Epoch = "one",
        Data = [.. ids.Select(id => new Change { Seq = nextAfter, Kind = "key", Id = id, Version = 1, At = default })],
    };
}
