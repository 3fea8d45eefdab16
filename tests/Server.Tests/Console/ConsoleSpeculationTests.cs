using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.Console;

/// <summary>Which pages a browser may open before somebody has pressed the link.</summary>
public sealed partial class ConsoleSpeculationTests
{
    [Fact]
    public async Task Pages_of_the_console_name_a_file_of_links_that_is_kept_for_good()
    {
        await using var place = await ConsolePagesPlace.Start();
        var rules = await Rules(place, place.Home);

        Assert.Equal("application/speculationrules+json", rules.Type);
        Assert.Contains("immutable", rules.Cache, StringComparison.Ordinal);
        var rule = Assert.Single(rules.Json.GetProperty("prefetch").EnumerateArray());
        Assert.Equal("moderate", rule.GetProperty("eagerness").GetString());
        Assert.False(rules.Json.TryGetProperty("prerender", out _));
    }

    [Fact]
    public async Task Reading_pages_of_the_side_bar_are_opened_ahead_and_nothing_that_writes_tells_or_ends()
    {
        await using var place = await ConsolePagesPlace.Start();
        var patterns = Patterns((await Rules(place, place.Home)).Json);
        var team = $"/console/{place.Reach.Organization}";

        string[] ahead = [place.Home, place.Keys, $"{place.Home}/usage", $"{place.Home}/refusals", $"{team}/all", $"{team}/team", "/docs"];
        Assert.All(ahead, path => Assert.True(IsMatch(path), path));
        string[] never =
        [
            "/", "/console", "/console/operator", "/console/operator/customers", "/console/operator/people", "/console/operator/plans",
            $"/console/operator/customers/{place.Reach.Organization}", $"/console/operator/projects/{place.Reach.Project}", "/sign-out",
            "/account", $"{place.Home}/usage.csv", $"{place.Home}/wallet.csv", $"{place.Home}/audit.csv", $"{place.Keys}/new",
            $"{place.Keys}/{place.Reach.Key}/revoke", $"{place.Home}/team/delete", $"{place.Home}/webhooks/new", $"{place.Home}/profile",
            $"{place.Home}/try", "https://elsewhere.example/docs",
        ];
        Assert.All(never, path => Assert.False(IsMatch(path), path));

        bool IsMatch(string path) => patterns.Exists(pattern => pattern.IsMatch(path));
    }

    private static async Task<(string? Type, string Cache, JsonElement Json)> Rules(ConsolePagesPlace place, string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri(place.Gate.Address) };
        using var ask = new HttpRequestMessage(HttpMethod.Get, path);
        ask.Headers.Add("Cookie", $"tollgate={place.Reach["owner"].Cookie}");
        using var page = await http.SendAsync(ask, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.DoesNotContain("unsafe", Assert.Single(page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        var named = Assert.Single(page.Headers.GetValues("Speculation-Rules"));
        Assert.Matches("^\"/assets/[0-9a-f]{16}/speculation\\.json\"$", named);
        using var file = await http.GetAsync(named.Trim('"'), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, file.StatusCode);
        return (
            file.Content.Headers.ContentType?.MediaType, file.Headers.CacheControl?.ToString() ?? "",
            JsonElement.Parse(await file.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    /// <summary>Of the patterns of URLs only what the file uses: plain text, and one part with a name and an expression.</summary>
    private static List<Regex> Patterns(JsonElement rules) =>
    [
        .. rules.GetProperty("prefetch")[0].GetProperty("where").GetProperty("and")[1].GetProperty("href_matches").EnumerateArray()
            .Select(one => one.GetString()!).Select(text => Part().Match(text) is { Success: true } part
                ? new Regex($"^{Regex.Escape(text[..part.Index])}{part.Groups[1].Value}{Regex.Escape(text[(part.Index + part.Length)..])}$")
                : new Regex($"^{Regex.Escape(text)}$")),
    ];

    [GeneratedRegex(@":place(\(\(\?:prj\|org\)_\[0-9A-Za-z\]\+\))")]
    private static partial Regex Part();
}
