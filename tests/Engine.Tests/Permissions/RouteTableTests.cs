using System.Text;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Fixtures;

namespace Tollgate.Engine.Tests.Permissions;

public sealed class RouteTableTests
{
    private static readonly ScopeCatalogue Catalogue = new(
        [new Scope("a", "One"), new Scope("b", "Two")],
        [new ScopeAction("read", ["GET"]), new ScopeAction("write", ["POST", "PUT", "PATCH", "DELETE"])]);

    internal static RouteTable Table(params string[] routes)
    {
        var table = Build(routes, out var faults);
        Assert.Empty(faults);
        return table;
    }

    internal static RouteTable Build(string[] routes, out IReadOnlyList<RouteFault> faults)
    {
        RouteTable.TryBuild([.. routes.Select(Parse)], Catalogue, out var table, out faults);
        return table;
    }

    internal static RouteRule Parse(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        Assert.True(RoutePattern.TryParse(text[(space + 1)..], out var pattern, out var fault), fault);
        var method = MethodNames.Parse(space < 0 ? "" : text[..space]);
        return new RouteRule(pattern, new Requirement(1, 0)) { Method = method, AddsAction = true };
    }

    private static string Found(RouteTable table, string method, string path)
    {
        var match = table.Match(method, path);
        Assert.Equal(match, table.Match(Encoding.UTF8.GetBytes(method), Encoding.UTF8.GetBytes(path)));
        return match.Kind == RouteMatchKind.Found ? $"{match.Route}" : $"{match.Kind}";
    }

    [Theory]
    [InlineData("/v1/x", "0")]
    [InlineData("/v1/x/", "0")]
    [InlineData("/v1/w", "1")]
    [InlineData("/v1/w/w", "2")]
    [InlineData("/v1", "2")]
    [InlineData("/v1/", "2")]
    [InlineData("/v1/x/z", "3")]
    [InlineData("/v1/x/w", "2")]
    [InlineData("/v1/y", "4")]
    [InlineData("/v1/y/z", "4")]
    [InlineData("/v2", "NotFound")]
    [InlineData("/", "NotFound")]
    [InlineData("/v1x", "NotFound")]
    [InlineData("/V1/x", "NotFound")]
    public void The_most_specific_route_wins_from_the_left(string path, string expected) =>
        Assert.Equal(expected, Found(Table("/v1/x", "/v1/{}", "/v1/**", "/v1/{}/z", "/v1/y/**"), "GET", path));

    [Fact]
    public void A_literal_on_the_left_beats_literals_further_right() =>
        Assert.Equal("1", Found(Table("/v1/{}/z", "/v1/y/**"), "GET", "/v1/y/z"));

    [Fact]
    public void A_dead_end_on_the_left_does_not_hide_a_route() =>
        Assert.Equal("1", Found(Table("/a/b/c", "/a/{}/d"), "GET", "/a/b/d"));

    [Theory]
    [InlineData("POST", "0")]
    [InlineData("GET", "1")]
    [InlineData("HEAD", "1")]
    [InlineData("OPTIONS", "MethodNotAllowed")] // no action names it
    [InlineData("TRACE", "MethodNotAllowed")]
    [InlineData("get", "MethodNotAllowed")]
    [InlineData("", "MethodNotAllowed")]
    public void A_route_with_the_method_beats_one_for_any(string method, string expected) =>
        Assert.Equal(expected, Found(Table("POST /a", "/a"), method, "/a"));

    [Fact]
    public void Another_method_on_a_known_path_is_told_from_an_unknown_path()
    {
        var table = Table("POST /a/**", "GET /b");
        Assert.Equal("MethodNotAllowed", Found(table, "GET", "/a/x"));
        Assert.Equal("MethodNotAllowed", Found(table, "POST", "/b"));
        Assert.Equal("NotFound", Found(table, "POST", "/b/c"));
        Assert.Equal("0", Found(table, "POST", "/a"));
    }

    [Fact]
    public void A_wider_route_takes_the_methods_a_narrower_one_lacks() =>
        Assert.Equal("1", Found(Table("POST /a/b", "/a/**"), "GET", "/a/b"));

    [Fact]
    public void The_method_adds_its_action()
    {
        var table = Table("/a");
        Assert.Equal("a:read", Catalogue.Describe(table.Match("GET", "/a").Requirement));
        Assert.Equal("a:read", Catalogue.Describe(table.Match("HEAD", "/a").Requirement));
        Assert.Equal("a:write", Catalogue.Describe(table.Match("DELETE", "/a").Requirement));
    }

    [Fact]
    public void A_route_for_any_good_key_asks_for_nothing_and_takes_every_method()
    {
        Assert.True(RoutePattern.TryParse("/me", out var pattern, out _));
        Assert.True(RouteTable.TryBuild([new RouteRule(pattern, default)], Catalogue, out var table, out _));
        Assert.Equal(new RouteMatch(RouteMatchKind.Found, 0, default), table.Match("OPTIONS", "/me"));
    }

    [Fact]
    public void The_segments_of_project_and_organization_are_pointed_at()
    {
        const string Path = "/o/org_1/p/proj_22/x/y";
        var match = Table("/o/{organization}/p/{project}/**").Match("GET", Path);
        Assert.Equal("org_1", match.Organization.Of<char>(Path).ToString());
        Assert.Equal("proj_22", match.Project.Of<char>(Path).ToString());
        Assert.True(match.Id.IsAbsent);
    }

    [Fact]
    public void Escapes_do_not_slip_past_a_literal()
    {
        var table = Table("/v1/knowledge-bases", "/v1/{}");
        Assert.Equal("0", Found(table, "GET", "/v1/knowledge%2Dbases"));
        Assert.Equal("0", Found(table, "GET", "/%761/%6bnowledge-bases"));
        Assert.Equal("1", Found(table, "GET", "/v1/knowledge%2Dbase"));
        Assert.Equal("1", Found(table, "GET", "/v1/knowledge-bases%20"));
    }

    [Theory]
    [InlineData("/v1/models/org%2Fm", "0")]
    [InlineData("/v1/models/org%2fm%2Fn", "0")]
    [InlineData("/v1/files/org%2Fm", "NotFound")]
    [InlineData("/v1/rest/org%2Fm", "NotFound")]
    [InlineData("/v1%2Fmodels/m", "NotFound")]
    public void An_encoded_slash_is_taken_in_a_model_segment_only(string path, string expected)
    {
        var table = Table("/v1/models/{model}", "/v1/files/{}", "/v1/rest/**", "/{}/{}");
        Assert.Equal(expected, Found(table, "GET", path));
        if (expected == "0")
        {
            Assert.Equal(path["/v1/models/".Length..], table.Match("GET", path).Id.Of<char>(path).ToString());
        }
    }

    [Theory]
    [InlineData("/a", "/a", "is the same as /a before it")]
    [InlineData("GET /a/{}", "GET /a/{}", "is the same as /a/{} before it")]
    [InlineData("/a/{}/b", "/a/{project}/**", "names a segment differently than /a/{}/b does")]
    public void Routes_that_no_rule_can_tell_apart_are_faults(string first, string second, string message)
    {
        Build([first, second], out var faults);
        Assert.Equal([new RouteFault(1, message)], faults);
    }

    [Fact]
    public void Routes_that_differ_in_method_or_end_are_no_faults() => Table("/a", "GET /a", "/a/**", "/a/{}", "GET /a/{}");

    [Theory]
    [InlineData("a", "a path begins with \"/\"")]
    [InlineData("", "a path begins with \"/\"")]
    [InlineData("/a/", "a path does not end in \"/\": a trailing slash in a request is ignored")]
    [InlineData("//a", "a path has no empty segment")]
    [InlineData("/a/..", "a path has no \".\" or \"..\" segment")]
    [InlineData("/**/a", "\"**\" stands only at the end")]
    [InlineData("/a*", "\"a*\" is not a segment: write a literal, {}, {project}, {organization}, {model}, {id} or, last, **")]
    [InlineData("/{team}", "\"{team}\" is not a segment: write a literal, {}, {project}, {organization}, {model}, {id} or, last, **")]
    [InlineData("/{project}/{project}", "{project} stands only once")]
    [InlineData("/a%20", "a path is written in plain ASCII: without spaces, %, \\, ?, # and ;")]
    [InlineData("/é", "a path is written in plain ASCII: without spaces, %, \\, ?, # and ;")]
    public void A_bad_pattern_is_named(string text, string expected)
    {
        Assert.False(RoutePattern.TryParse(text, out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [Fact]
    public void A_pattern_has_a_bound()
    {
        var most = string.Concat(Enumerable.Repeat("/a", RoutePattern.SegmentsMax));
        Assert.True(RoutePattern.TryParse(most, out _, out _));
        Assert.False(RoutePattern.TryParse(most + "/a", out _, out _));
        Assert.False(RoutePattern.TryParse("/" + new string('a', RoutePattern.LengthMax), out _, out _));
    }

    [Fact]
    public void A_table_has_a_bound()
    {
        static string[] Some(int count) => [.. Enumerable.Range(0, count).Select(i => $"/r{i}")];
        Table(Some(RouteTable.RoutesMax));
        Build(Some(RouteTable.RoutesMax + 1), out var faults);
        Assert.Equal([new RouteFault(RouteTable.RoutesMax, "a provider has at most 1000 routes")], faults);
    }

    [Fact]
    public void Each_of_many_neighbours_is_found()
    {
        var table = Table([.. Enumerable.Range(0, 300).Select(i => $"/v1/r{i}")]);
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal($"{i}", Found(table, "GET", $"/v1/r{i}"));
            Assert.Equal($"{i}", Found(table, "GET", $"/v1/%72{i}"));
            Assert.Equal("NotFound", Found(table, "GET", $"/v1/r{i}x"));
        }
    }

    [Fact]
    public void A_match_allocates_nothing()
    {
        var table = Table([.. Enumerable.Range(0, 98).Select(i => $"/v2/room{i}/**"), "/v2/o/{organization}/{project}/**", "GET /v2/{}/x"]);
        const string Path = "/v2/o/org_1/proj_1/some/thing";
        var bytes = Encoding.UTF8.GetBytes(Path);
        Assert.Equal(RouteMatchKind.Found, table.Match("POST", Path).Kind);
        Assert.Equal(RouteMatchKind.Found, table.Match("POST"u8, bytes).Kind);
        Assert.Equal(0, Allocation.LeastOf(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                table.Match("POST", Path);
                table.Match("POST"u8, bytes);
            }
        }));
    }
}
