using System.Net;
using Microsoft.Playwright;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>What Tensorlake, TensorOne and TensorPool promise of keys, as a person at the console meets it.</summary>
public sealed class CompanyRowTests
{
    private const string Ada = Flow.Ada;

    [Fact]
    public async Task Tensorlake_asks_for_no_expiry_and_refuses_one_and_two_keys_work_side_by_side_until_the_old_one_is_deleted_TL4_TL6()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorlake");
        await using var at = await Flow.Enter(place, Ada);
        await at.Open($"{at.Home}/keys/new");
        Assert.Equal(0, await at.Page.Locator("input[type=date], [name=expires_at]").CountAsync());
        Assert.DoesNotContain("expire", await at.Text(), StringComparison.OrdinalIgnoreCase);

        // Somebody who adds the field to the page is told that there is no such thing.
        await at.AskKey("Ends some day", () => at.Chromium.Run(
            """
            (() => {
              const field = document.createElement('input');
              [field.name, field.value] = ['expires_at', '2026-06-30'];
              document.querySelector('main form').append(field);
              return '';
            })()
            """));
        await at.Sees("The key was not made.");
        Assert.Contains("expires at: ", await at.Page.Locator("[role=alert]").First.InnerTextAsync(), StringComparison.Ordinal);

        var old = await at.NewKey("Rotated");
        await at.OpenKey("Rotated");
        var page = at.Page.Url;
        var fresh = await at.NewKey("Rotated");
        Assert.Matches("^tl_apiKey_[A-Za-z0-9]{40}$", fresh);
        Assert.Equal(("allowed", "allowed"), (await place.Gate.CodeOf(old), await place.Gate.CodeOf(fresh)));

        await at.Page.GotoAsync(page);
        await at.End(old, "Delete", "Rotated");
        Assert.Equal("allowed", await place.Gate.CodeOf(fresh));
        await at.Open($"{at.Home}/keys");
        Assert.Equal(1, await at.Page.Locator("[aria-label=Keys] tbody tr").CountAsync());
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task TensorOne_has_a_read_a_read_and_write_and_a_service_type_and_each_key_may_what_its_type_says_TO2()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorone");
        await using var at = await Flow.Enter(place, Ada);
        await at.Open($"{at.Home}/keys/new");
        Assert.Equal("read_write", await at.Page.Locator("input[name=type]:checked").GetAttributeAsync("value"));
        var (read, both) = (
            await at.NewKey("Reads", () => at.Pick("type", "read")), await at.NewKey("Writes", () => at.Pick("type", "read_write")));

        // A service key names its services; every scope is chosen at first.
        await at.AskKey("Serves everything", () => at.Pick("type", "service"));
        await at.Sees("The key was not made.");
        Assert.Equal("service", await at.Page.Locator("input[name=type]:checked").GetAttributeAsync("value"));
        var service = await at.NewKey("Serves", async () =>
        {
            await at.Pick("type", "service");
            for (var i = 0; i < 7; i++)
            {
                var scope = at.Page.Locator("input[name=scopes]").Nth(i);
                await scope.SetCheckedAsync(await scope.GetAttributeAsync("value") == "training");
            }
        });

        var asked = new[] { ("GET", "endpoints"), ("POST", "endpoints"), ("GET", "training"), ("POST", "training") };
        var answers = new Dictionary<string, List<bool>>(StringComparer.Ordinal);
        foreach (var secret in new[] { read, both, service })
        {
            answers[secret] = [];
            foreach (var (method, scope) in asked)
            {
                var answer = await place.Gate.Send(method, $"/v2/{scope}/x", secret, method == "GET" ? null : "{}");
                answers[secret].Add(answer.Status != HttpStatusCode.Forbidden);
            }
        }

        Assert.Equal([true, false, true, false], answers[read]);
        Assert.Equal([true, true, true, true], answers[both]);
        Assert.Equal([false, false, true, true], answers[service]);
        await at.OpenKey("Serves");
        Assert.Equal(("service", "training"), (await at.Fact("Type"), await at.Fact("Scopes")));
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task TensorOne_takes_a_description_and_an_expiry_shows_the_secret_once_and_the_key_ends_on_its_day_TO11()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorone");
        await using var at = await Flow.Enter(place, Ada);
        await at.Open($"{at.Home}/keys/new");
        await at.Sees("Expires on (optional)");
        var secret = await at.NewKey("Ends in spring", async () =>
        {
            await at.Fill("Expires on (optional)", "2026-03-31");
            await at.More();
            await at.Fill("Description (optional)", "Reads the weather,\nonce a day.");
        });

        Assert.Matches("^tpo_live_[A-Za-z0-9]{36}$", secret);
        await at.Sees("You will not see it again.");
        await at.OpenKey("Ends in spring");
        Assert.Equal("31 Mar 2026, 23:59 UTC", await at.Fact("Expires"));
        Assert.Contains("Reads the weather,", await at.Fact("Description"), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, await at.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));

        place.Clock.Advance(new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero) - place.Clock.GetUtcNow());
        Assert.Equal("key_expired", await place.Gate.CodeOf(secret));
        await using var again = await Flow.Of(place);
        await again.Open("/sign-in");
        await again.SignIn(Ada, PeoplePlace.Password);
        await again.Sees("Overview");
        again.Home = at.Home;
        await again.Open($"{again.Home}/keys");
        Assert.Equal("expired", (await again.Row("Keys", "Ends in spring"))[1]);
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task TensorPools_token_is_generated_on_the_profile_page_copied_again_later_and_each_look_is_audited_TP1()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorpool");
        await using var at = await Flow.Enter(place, Ada);
        await at.Follow("Profile");
        await at.Sees("You have none yet.");
        await at.Press("Generate my token");
        var token = await at.Secret();
        await at.Sees("This is your API token.");
        Assert.Equal(token, await at.Copied());
        Assert.Equal(HttpStatusCode.OK, (await place.Gate.Send("GET", "/me", token)).Status);

        for (var i = 0; i < 2; i++)
        {
            await at.Follow("Profile");
            await at.Page.GetByText("Each time it is shown is noted in the audit log.").WaitForAsync();
            Assert.DoesNotContain(token, await at.Page.ContentAsync(), StringComparison.Ordinal);
            await at.Press("Show my token");
            await at.Sees("That you looked is noted in the audit log.");
            Assert.Equal(token, await at.Secret());
            Assert.Equal(token, await at.Copied());
        }

        await at.Follow("Audit");
        await Assertions.Expect(at.Page.Locator("main tbody").GetByText("Looked at a key's secret")).ToHaveCountAsync(2);
        Assert.DoesNotContain(token, await at.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.Empty(at.Chromium.Complaints);
    }
}
