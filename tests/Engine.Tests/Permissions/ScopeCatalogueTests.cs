using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Tests.Permissions;

public sealed class ScopeCatalogueTests
{
    private static readonly ScopeCatalogue Catalogue = new(
        [
            new Scope("all", "Everything") { Implies = ["files"] },
            new Scope("files", "Files") { Implies = ["labels"] },
            new Scope("labels", "Labels"),
            new Scope("root", "Nobody's") { Grantable = false },
            new Scope("loop", "Implies itself through another") { Implies = ["pool", "root"] },
            new Scope("pool", "The other") { Implies = ["loop"] },
        ],
        [new ScopeAction("read", ["GET"]), new ScopeAction("write", ["POST", "DELETE"])]);

    [Theory]
    [InlineData("labels", 0b000100UL)]
    [InlineData("files", 0b000110UL)]
    [InlineData("all", 0b000111UL)]
    [InlineData("loop", 0b110000UL)]
    public void A_scope_grants_itself_and_all_it_implies_in_turn(string scope, ulong expected) =>
        Assert.Equal(expected, Catalogue.MaskOf([scope]));

    [Fact]
    public void A_stored_scope_that_is_not_declared_grants_nothing_and_is_reported()
    {
        var withoutEffect = new List<string>();
        Assert.Equal(0b000100UL, Catalogue.MaskOf(["gone", "labels", "root"], withoutEffect));
        Assert.Equal(["gone", "root"], withoutEffect);
    }

    [Fact]
    public void A_stored_action_that_is_not_declared_grants_nothing_and_is_reported()
    {
        var withoutEffect = new List<string>();
        Assert.Equal(0b10, Catalogue.ActionsOf(["write", "own"], withoutEffect));
        Assert.Equal(["own"], withoutEffect);
    }

    [Fact]
    public void A_scope_no_key_may_have_is_declared_and_never_granted()
    {
        Assert.True(Catalogue.IsDeclared("root"));
        Assert.False(Catalogue.IsGrantable("root"));
        Assert.Equal(0UL, Catalogue.MaskOf(["all", "loop", "root"]) & Catalogue.BitOf("root"));
    }

    [Theory]
    [InlineData(Methods.Get, 1)]
    [InlineData(Methods.Head, 1)]
    [InlineData(Methods.Post, 2)]
    [InlineData(Methods.Delete, 2)]
    [InlineData(Methods.Options, 0)]
    public void A_method_is_an_action_and_head_follows_get(Methods method, int expected) =>
        Assert.Equal(expected, Catalogue.ActionOf(method));

    [Theory]
    [InlineData("files")]
    [InlineData("files:write")]
    [InlineData("root:read")]
    public void A_requirement_reads_back_as_it_was_written(string text)
    {
        Assert.True(Catalogue.TryParseRequirement(text, out var requirement));
        Assert.Equal(text, Catalogue.Describe(requirement));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("gone")]
    [InlineData("files:")]
    [InlineData("files:own")]
    [InlineData(":write")]
    [InlineData("files:write:read")]
    [InlineData("Files")]
    public void What_is_not_declared_is_not_a_requirement(string? text) =>
        Assert.False(Catalogue.TryParseRequirement(text, out _));

    [Fact]
    public void Alternatives_are_described_with_the_conditional_ones_last()
    {
        var requirement = new Requirement(Catalogue.BitOf("labels"), 0b10, Catalogue.BitOf("all"), Condition: 1);
        Assert.Equal("labels:write or all:write", Catalogue.Describe(requirement));
        Assert.Equal("", Catalogue.Describe(default));
    }

    [Fact]
    public void Sixty_scopes_fit_and_one_more_does_not()
    {
        static List<Scope> Some(int count) => [.. Enumerable.Range(0, count).Select(i => new Scope($"s{i}", "One"))];
        Assert.Equal((1UL << 60) - 1, new ScopeCatalogue(Some(60), []).MaskOf(Some(60).Select(scope => scope.Name)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ScopeCatalogue(Some(61), []));
    }

    [Fact]
    public void Eight_actions_fit_and_one_more_does_not()
    {
        static List<ScopeAction> Some(int count) => [.. Enumerable.Range(0, count).Select(i => new ScopeAction($"a{i}", []))];
        Assert.Equal(255, new ScopeCatalogue([], Some(8)).ActionsOf(Some(8).Select(action => action.Name)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ScopeCatalogue([], Some(9)));
    }
}
