using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>Keys, usage and refusals, as <see cref="PageLook"/> sees them; and that no page of the console is without a look.</summary>
public sealed class ConsoleLookTests
{
    [Fact]
    public async Task The_pages_of_keys_and_usage_are_for_everybody()
    {
        await using var place = await LookPlace.Start();
        await place.See(LookRoutes.Keys);
        var home = place.At("/console/PROJECT");
        await place.Chromium.Open(place.Look.Url($"{home}/keys/new"));
        await place.Look.Send($"{home}/keys/new", "key-secret", ("name", "Laptop"));
        await place.Chromium.Open(place.Look.Url($"{home}/keys/new"));
        await place.Look.Send($"{home}/keys/new", "key-faults", ("name", ""), ("expires_at", "2020-01-01"));
        place.Look.End();
    }

    [Fact]
    public async Task Every_page_is_looked_at()
    {
        await using var place = await ConsolePagesPlace.Start();
        var routes = place.Gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(one => one.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("GET") == true)
            .Select(one => one.RoutePattern)
            .Where(one => (string[])["/console", "/account", "/docs"] is var roots
                && roots.Any(root => ("/" + one.RawText!.TrimStart('/')).StartsWith(root, StringComparison.Ordinal)))
            .OrderBy(one => one.InboundPrecedence).ToList();
        var seen = LookRoutes.Pages.Concat(LookRoutes.NotPages).Select(path => Route(routes, path)).ToHashSet();

        Assert.True(routes.Count > 50, $"There are {routes.Count} routes only.");
        Assert.Equal([], routes.Where(one => !seen.Contains(one)).Select(one => one.RawText));
    }

    [Fact]
    public async Task What_is_not_looked_at_is_no_page()
    {
        await using var place = await ConsolePagesPlace.Start();
        var browser = place.As("owner");
        foreach (var path in LookRoutes.NotPages)
        {
            var page = await browser.Get(
                path.Replace("PROJECT", place.Reach.Project, StringComparison.Ordinal)
                    .Replace("TEAM", place.Reach.Organization, StringComparison.Ordinal));
            Assert.False(page.Status == 200 && page.Answer.Content.Headers.ContentType?.MediaType == "text/html", path);
        }
    }

    [Fact]
    public async Task On_a_wide_screen_lines_end_where_they_can_be_read()
    {
        await using var place = await LookPlace.Start();
        foreach (var path in new[] { "/console/PROJECT", "/console/PROJECT/keys", "/console/TEAM/audit", "/account", "/docs" })
        {
            await place.Chromium.Look(2560, isDark: false);
            await place.Chromium.Open(place.Look.Url(place.At(path)));
            var widest = await place.Chromium.Run(
                "Math.max(...[...document.querySelectorAll('main > *')].map(one => one.getBoundingClientRect().width))");
            var bar = await place.Chromium.Run("document.querySelector('main').getBoundingClientRect().left");
            Assert.InRange(double.Parse(widest, null), 500, 1080);
            Assert.InRange(double.Parse(bar, null), 200, 280);
        }
    }

    [Fact]
    public async Task Without_script_nothing_is_shown_that_needs_it_and_nothing_moves_for_who_wants_no_motion()
    {
        await using var place = await LookPlace.Start(hasScript: false);
        var page = place.Chromium.Page;
        foreach (var path in LookRoutes.Keys.Concat(LookRoutes.Own))
        {
            await place.Chromium.Open(place.Look.Url(place.At(path)));
            Assert.NotEmpty(await page.Locator("h1").InnerTextAsync());
            foreach (var button in await page.Locator("button:visible").AllAsync())
            {
                // A form is sent, and a sheet is opened, by the browser alone.
                var isSent = await button.EvaluateAsync<bool>(
                    "one => one.type === 'submit' ? one.form.action.length > 0 : one.hasAttribute('popovertarget')");
                Assert.True(isSent, $"{path}: {await button.EvaluateAsync<string>("one => one.outerHTML")}");
            }
        }

        var moving = await place.Chromium.Run(
            """
            [...document.querySelectorAll('*')].map(one => getComputedStyle(one))
              .filter(one => parseFloat(one.transitionDuration) > 0 || one.animationName !== 'none').length
            """);
        Assert.Equal("0", moving);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ReducedMotion = ReducedMotion.NoPreference });
        await place.Chromium.Open(place.Look.Url(place.At("/console/PROJECT")));
        var slowest = await place.Chromium.Run(
            "Math.max(...[...document.querySelectorAll('*')].map(one => parseFloat(getComputedStyle(one).transitionDuration)))");
        Assert.InRange(double.Parse(slowest, null), 0.01, 0.15);
    }

    /// <summary>The route that a path takes: of those that fit, the one that the framework asks first.</summary>
    private static RoutePattern? Route(List<RoutePattern> routes, string path)
    {
        var route = routes.Find(one =>
            new TemplateMatcher(new RouteTemplate(one), []).TryMatch(path.Split('?')[0], []));
        Assert.True(route is not null, $"No route for {path}");
        return route;
    }
}

/// <summary>Team and projects.</summary>
public sealed class TeamPagesLookTests
{
    [Fact]
    public async Task The_pages_of_teams_and_projects_are_for_everybody()
    {
        await using var place = await LookPlace.Start();
        await place.See(LookRoutes.Team);
        var team = place.At("/console/TEAM/team");
        await place.Chromium.Open(place.Look.Url($"{team}/invite"));
        await place.Look.Send($"{team}/invite", "invite-fault", ("email", "no address"));
        place.Look.End();
    }
}

/// <summary>Wallet, audit and webhooks.</summary>
public sealed class MoneyPagesLookTests
{
    [Fact]
    public async Task The_pages_of_money_changes_and_webhooks_are_for_everybody()
    {
        await using var place = await LookPlace.Start();
        await place.See(LookRoutes.Money);
        var hooks = place.At("/console/PROJECT/webhooks");
        await place.Chromium.Open(place.Look.Url($"{hooks}/new"));
        await place.Look.Send($"{hooks}/new", "webhook-fault", ("url", "no url"));
        place.Look.End();
    }
}

/// <summary>Over everybody.</summary>
public sealed class OperatorPagesLookTests
{
    [Fact]
    public async Task The_pages_of_the_operator_are_for_everybody()
    {
        await using var place = await LookPlace.Start("operator");
        await place.See(LookRoutes.Operator);
        var money = place.At("/console/operator/customers/TEAM/money");
        await place.Chromium.Open(place.Look.Url(money));
        await place.Look.Send(money, "money-fault", ("amount", "much"));
        place.Look.End();
    }
}

/// <summary>One's own account, and the documentation.</summary>
public sealed class OwnPagesLookTests
{
    [Fact]
    public async Task The_pages_of_ones_own_account_and_the_documentation_are_for_everybody()
    {
        await using var place = await LookPlace.Start();
        await place.See(LookRoutes.Own);
        await place.Chromium.Open(place.Look.Url("/account"));
        await place.Look.Send("/account/delete", "account-delete-fault", ("confirm", "no"));
        place.Look.End();
    }
}
