using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tollgate.Server.Hosting;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>W7, and the headers of pages: what is sent from elsewhere is not taken.</summary>
public sealed partial class PageShieldTests
{
    private const string Email = "ada@example.test";

    [Fact]
    public async Task W7_every_route_that_changes_something_refuses_a_form_without_its_token_and_one_of_another_browser()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        var foreign = (await place.Browser().Get("/sign-in")).Hidden("/sign-in").First();
        var before = (await place.Audit()).Count;
        var routes = Unsafe(place);
        Assert.True(routes.Count >= 28, string.Join('\n', routes));
        foreach (var route in routes)
        {
            var path = Parameter().Replace(route, new string('x', 43));
            (string, string)[] fields = [("email", Email), ("password", PeoplePlace.Password), ("confirm", "delete")];
            Assert.Equal((path, 400), (path, (await browser.Post(path, fields)).Status));
            Assert.Equal((path, 400), (path, (await browser.Post(path, [foreign, .. fields])).Status));
        }

        Assert.Equal(before, (await place.Audit()).Count);
        Assert.Equal(200, (await browser.Get("/account")).Status);
    }

    [Fact]
    public async Task W7_a_form_that_was_made_without_the_session_is_refused_in_it()
    {
        await using var place = await PeoplePlace.Start();
        var other = place.Browser();
        var planted = (await other.Get("/sign-in")).Hidden("/sign-in").First();
        var browser = await place.SignedIn(Email);
        // Who can set cookies for the host, from under the same domain, plants his own.
        browser.Jar.Add(other.Jar.GetAllCookies().Single(cookie => cookie.Name == "tollgate-form"));

        Assert.Equal(400, (await browser.Post("/account/delete", planted, ("confirm", "delete"))).Status);
        Assert.Equal(400, (await browser.Post("/sign-out", planted)).Status);
        Assert.Equal(200, (await browser.Get("/account")).Status);
        Assert.Equal("/account?done=ended", (await browser.Send(await browser.Get("/account"), "/account/sessions/end-others")).Location);
    }

    [Theory]
    [InlineData("cross-site", 403)]
    [InlineData("same-site", 403)]
    [InlineData("Same-Origin", 403)]
    [InlineData("anything", 403)]
    [InlineData("same-origin", 401)]
    [InlineData("none", 401)]
    public async Task W7_only_our_own_pages_and_the_person_itself_may_send_forms(string from, int status)
    {
        await using var place = await PeoplePlace.Start();
        var browser = place.Browser();
        browser.Headers.Add("Sec-Fetch-Site", from);

        Assert.Equal(status, (await browser.SignIn(Email, PeoplePlace.Password)).Status);
    }

    [Fact]
    public async Task W7_every_route_that_changes_something_refuses_what_another_site_sends()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        var token = (await browser.Get("/account")).Hidden("/sign-out").First();
        browser.Headers.Add("Sec-Fetch-Site", "cross-site");
        foreach (var route in Unsafe(place))
        {
            var path = route.Replace("{token}", new string('x', 43), StringComparison.Ordinal);
            Assert.Equal((path, 403), (path, (await browser.Post(path, token, ("confirm", "delete"))).Status));
        }

        // A link on another site may lead here.
        Assert.Equal(200, (await browser.Get("/account")).Status);
    }

    [Fact]
    public async Task Every_page_lets_nothing_run_but_files_of_ours_and_is_kept_nowhere()
    {
        await using var place = await PeoplePlace.Start();
        var browser = await place.SignedIn(Email);
        foreach (var path in new[]
        {
            "/sign-in", "/sign-up", "/forgot", "/magic", "/reset", "/verify", "/verify/anew", "/account", "/account/export",
            "/sign-in/second", "/sign-in/google/callback", "/account/second",
        })
        {
            var headers = (await browser.Get(path)).Answer.Headers;
            Assert.StartsWith("default-src 'none'; style-src 'self';", headers.GetValues("Content-Security-Policy").Single(),
                StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("same-origin", headers.GetValues("Referrer-Policy").Single());
            Assert.Equal("same-origin", headers.GetValues("Cross-Origin-Opener-Policy").Single());
            Assert.Contains("no-store", headers.GetValues("Cache-Control").Single(), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<script", (await browser.Get("/sign-in")).Text, StringComparison.Ordinal);
        var page = await browser.Get("/account");
        Assert.EndsWith("; script-src 'self'", page.Answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        var script = Assert.Single(page.Text.Split("<script ").Skip(1));
        Assert.StartsWith("type=\"module\" src=\"/assets/", script, StringComparison.Ordinal);
        Assert.Contains("\"></script>", script, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", page.Text, StringComparison.Ordinal);
        var style = page.Text.Split("href=\"").First(part => part.StartsWith("/assets/", StringComparison.Ordinal)).Split('"')[0];
        Assert.Equal("text/css", (await browser.Get(style)).Answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Over_plain_http_pages_are_for_the_machine_itself()
    {
        await using var place = await PeoplePlace.Start();
        foreach (var (host, status) in new[]
        {
            ("localhost", 200), ("127.0.0.1:1", 200), ("[::1]", 200), ("10.1.2.3", 421), ("console.example.test", 421),
            ("localhost.example.test", 421),
        })
        {
            var browser = place.Browser();
            browser.Headers.Host = host;
            var page = await browser.Get("/sign-in");
            Assert.Equal((host, status), (host, page.Status));
            Assert.Equal(status == 200, page.SetCookies.Count > 0);
        }
    }

    [Fact]
    public async Task Over_https_the_session_is_bound_to_the_host()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, PublicUrl = "https://console.example.test",
        });
        var link = (await place.Gate.Send("POST", "/api/v1/operator/links", RunningGate.RootKey)).String("url");
        var browser = place.Browser();
        var page = await browser.Get(link);
        browser.Headers.Add("Cookie", page.SetCookies.Single().Split(';')[0]);

        page = await browser.Send(page, page.Action);

        var cookie = page.SetCookies.Single(set => set.StartsWith("__Host-tollgate=", StringComparison.Ordinal));
        Assert.All(
            ["; path=/", "; secure", "; httponly", "; samesite=lax"],
            part => Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("GET", "/account/nothing", 404)]
    [InlineData("GET", "/sign-out", 405)]
    [InlineData("GET", "/sign-in/once/a%2Fb", 400)]
    public async Task What_goes_wrong_at_a_page_is_told_as_a_page(string method, string path, int status)
    {
        await using var place = await PeoplePlace.Start();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await place.Gate.Http.SendAsync(request);

        Assert.Equal((status, "text/html"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Contains("That did not work", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_form_at_the_bound_is_read_and_one_past_it_is_refused()
    {
        await using var place = await PeoplePlace.Start();
        var browser = place.Browser();
        var page = await browser.Get("/sign-in");
        var most = 16_384 - "email=a%40b.example&password=&form_token=".Length - page.Hidden("/sign-in").First().Value.Length;

        var read = await browser.Send(page, "/sign-in", ("email", "a@b.example"), ("password", new string('x', most)));
        var refused = await browser.Send(page, "/sign-in", ("email", "a@b.example"), ("password", new string('x', most + 1)));

        Assert.Equal((401, 413), (read.Status, refused.Status));
        using var json = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using var answer = await place.Gate.Http.PostAsync("/sign-in", json);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Requests_that_are_no_pages_pay_nothing_for_people()
    {
        await using var place = await PeoplePlace.Start();

        // With these among the services the framework would put work ahead of every request.
        Assert.Null(place.Gate.Services.GetService<IAuthenticationSchemeProvider>());
        Assert.Null(place.Gate.Services.GetService<IHttpContextAccessor>());
        // And this would make a file of keys that nothing uses.
        Assert.DoesNotContain(
            place.Gate.Services.GetServices<IHostedService>(),
            service => service.GetType().Name.Contains("DataProtection", StringComparison.Ordinal));
    }

    [GeneratedRegex("\\{[^}]+\\}")]
    private static partial Regex Parameter();

    private static List<string> Unsafe(PeoplePlace place) =>
    [
        .. place.Gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0] != "GET")
            .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.Trim('/')).Where(ConsolePaths.IsAt),
    ];
}
