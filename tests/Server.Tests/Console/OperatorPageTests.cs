using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Console.Operator;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>Who comes to the operator's pages, and what they tell of the gate, its plans and its provider file.</summary>
public sealed partial class OperatorPageTests
{
    private const string Root = OperatorPlace.Root;

    [Fact]
    public async Task To_everybody_but_who_runs_the_gate_the_pages_are_as_absent_as_what_never_was_and_no_link_leads_there()
    {
        await using var place = await OperatorPlace.Start();
        var person = place.PersonPath("other");
        string[] pages =
        [
            Root, $"{Root}/customers", place.Customer, $"{place.Customer}/audit", $"{place.Customer}/money", $"{place.Customer}/suspend",
            $"{Root}/projects/{place.Console.Reach.Project}", $"{Root}/keys/{place.Console.Reach.Key}", $"{Root}/people", person,
            $"{person}/second-step", $"{Root}/plans", $"{Root}/examples",
        ];
        foreach (var role in new[] { "owner", "stranger" })
        {
            var browser = place.Console.As(role);
            var never = await browser.Get("/console/nothing-of-this-kind");
            Assert.Equal(404, never.Status);
            foreach (var path in pages)
            {
                var page = await browser.Get(path);
                Assert.Equal((404, never.Plain), (page.Status, page.Plain));
            }

            var token = (await browser.Get("/account")).Hidden("/sign-out").Single(field => field.Name == "form_token");
            var before = await place.LastSeq();
            foreach (var path in new[]
            {
                $"{place.Customer}/suspend", $"{place.Customer}/reinstate", $"{place.Customer}/plan", $"{place.Customer}/money",
                $"{place.Customer}/money/enter", $"{person}/suspend", $"{person}/reinstate", $"{person}/sessions", $"{person}/second-step",
                $"{Root}/examples",
            })
            {
                var page = await browser.Post(path, token, ("reason", "Because"), ("plan", "pro"), ("kind", "grant"), ("amount", "5"));
                Assert.Equal((404, never.Plain), (page.Status, page.Plain));
            }

            Assert.Equal(before, await place.LastSeq());
        }

        Assert.DoesNotContain(Root, (await place.Console.As("owner").Get(place.Console.Home)).Text, StringComparison.Ordinal);
        using var nobody = new Browser(place.Console.Gate);
        Assert.Equal("/sign-in", (await nobody.Get(Root)).Location);
    }

    [Fact]
    public async Task Who_runs_the_gate_sees_the_links_in_every_place_and_the_way_back_on_every_page()
    {
        await using var place = await OperatorPlace.Start();
        var own = await place.Operator.Get($"/console/{place.Console.Reach["operator"].Person.OrganizationId}/all");
        Assert.True(own.Status == 200, own.ToString());
        foreach (var (title, path) in new[] { ("Customers", "/customers"), ("People", "/people"), ("Plans", "/plans"), ("Gate", "") })
        {
            Assert.Contains($"<a href=\"{Root}{path}\">{title}</a>", own.Text, StringComparison.Ordinal);
            var page = await place.Operator.Get(Root + path);
            Assert.True(page.Status == 200, page.ToString());
            Assert.Contains($"<a href=\"{Root}{path}\" aria-current=\"page\">{title}</a>", page.Text, StringComparison.Ordinal);
            Assert.Contains("All customers", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_form_without_its_token_is_refused_and_changes_nothing()
    {
        await using var place = await OperatorPlace.Start();
        var before = await place.LastSeq();
        foreach (var path in new[]
        {
            $"{place.Customer}/suspend", $"{place.Customer}/plan", $"{place.Customer}/money/enter",
            $"{place.PersonPath("other")}/second-step",
            $"{place.PersonPath("other")}/suspend", $"{Root}/examples",
        })
        {
            var page = await place.Operator.Post(path, ("reason", "Because"), ("plan", "pro"));
            Assert.Equal(400, page.Status);
            Assert.Contains("did not come from our own page", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal(before, await place.LastSeq());
        Assert.Equal(404, (await place.Operator.Get($"{Root}/customers/org_0000000000000000000000")).Status);
        Assert.Equal(404, (await place.Operator.Get($"{Root}/people/nobody-at-all")).Status);
        Assert.Equal(404, (await place.Operator.Get($"{Root}/keys/no-key-at-all")).Status);
    }

    [Fact]
    public async Task The_gate_tells_how_many_checks_there_are_why_they_were_refused_and_how_its_parts_do()
    {
        await using var place = await OperatorPlace.Start();
        var gate = place.Console.Gate;
        var secret = await gate.NewSecret(project: place.Console.Reach.Project);
        var pulse = gate.Services.GetRequiredService<CheckPulse>();
        gate.Clock.Advance(TimeSpan.FromMinutes(5));
        pulse.Note();
        gate.Clock.Advance(TimeSpan.FromSeconds(30));
        var before = Checks(await gate.Send("GET", "/metrics", RunningGate.RootKey));
        for (var i = 0; i < 6; i++)
        {
            await gate.Send("GET", "/v1/models", secret);
        }

        await place.Console.Check(secret, ",\"method\":\"GET\",\"path\":\"/nowhere/at/all\"");
        await place.Console.Check("no key at all");

        var page = await place.Operator.Get(Root);

        Assert.True(page.Status == 200, page.ToString());
        Assert.Contains("<span class=\"status good\">ready</span>", page.Text, StringComparison.Ordinal);
        var metrics = Checks(await gate.Send("GET", "/metrics", RunningGate.RootKey));
        Assert.Equal(before + 8, metrics);
        Assert.Equal(metrics.ToString(CultureInfo.InvariantCulture), Figure(page, "Checks"));
        Assert.Equal((8 / 30.0).ToString("0.##", CultureInfo.InvariantCulture), Figure(page, "Checks a second"));
        Assert.Equal("2", Figure(page, "Refused"));
        Assert.Matches("^[0-9.]+ (µs|ms)$", Figure(page, "A check takes").Replace("&#xB5;", "µ", StringComparison.Ordinal));
        Assert.Contains("href=\"/docs/errors/route_unknown\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("No route of the provider has this method and path.", page.Text, StringComparison.Ordinal);
        Assert.Contains("50 %", page.Text, StringComparison.Ordinal);
        Assert.Contains("built-in model", page.Text, StringComparison.Ordinal);
        Assert.Contains("SQLite, answers and makes changes last", page.Text, StringComparison.Ordinal);
        Assert.Contains(GateMetrics.Version, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("notice wrong", page.Text, StringComparison.Ordinal);
        Assert.Equal(CheckPulse.MinutesShown, Bar().Count(page.Text));
    }

    [Fact]
    public async Task An_upstream_that_fails_is_told_with_its_last_fault_and_rests_after_a_few()
    {
        await using var place = await OperatorPlace.Start(with: provider => provider with { Wallet = null });
        var gate = place.Console.Gate;
        var far = new UpstreamConfig { Name = "far", Url = new Uri("http://127.0.0.1:1/"), ConcurrencyMax = 7 };
        gate.Services.GetRequiredService<UpstreamPool>().Replace([far, far with { Name = "idle", Routes = ["/nothing"] }]);
        var secret = await gate.NewSecret(project: place.Console.Reach.Project);
        Assert.Contains("serving", (await place.Operator.Get(Root)).Text, StringComparison.Ordinal);

        for (var i = 0; i < UpstreamStanding.FailuresMax; i++)
        {
            var answer = await gate.Send(
                "POST", "/v1/chat/completions", secret, "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
            Assert.True((int)answer.Status >= 500, answer.ToString());
        }

        var row = Row(await place.Operator.Get(Root), "far");
        Assert.Contains("resting", row, StringComparison.Ordinal);
        Assert.Contains("0 of 7", row, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">3</td>", row, StringComparison.Ordinal);
        Assert.Contains("refused", row, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("<time ", row, StringComparison.Ordinal);
        var idle = Row(await place.Operator.Get(Root), "idle");
        Assert.Contains("serving", idle, StringComparison.Ordinal);
        Assert.Contains("none", idle, StringComparison.Ordinal);

        static string Row(Page page, string name) => page.Text.Split($"<bdi>{name}</bdi>")[1].Split("</tr>")[0];
    }

    [Fact]
    public async Task A_gate_that_is_not_ready_says_why()
    {
        await using var place = await OperatorPlace.Start();
        var probe = place.Console.Gate.Services.GetRequiredService<GateProbe>();
        probe.Fault = _ => Task.FromResult<string?>("the database cannot make a change durable");

        var page = await place.Operator.Get(Root);

        Assert.Contains("<span class=\"status bad\">not ready</span>", page.Text, StringComparison.Ordinal);
        Assert.Contains("the database cannot make a change durable", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_provider_file_is_told_with_its_hash_and_a_file_that_has_changed_since_is_warned_of()
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-operator-");
        var file = Path.Combine(folder.FullName, "own.yaml");
        File.Copy(ProviderFiles.Shipped.PathOf("default"), file);
        File.Copy(ProviderFiles.Shipped.PathOf("openai"), Path.Combine(folder.FullName, "openai.yaml"));
        await using (var place = await OperatorPlace.Start(file))
        {
            var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            var page = await place.Operator.Get(Root);
            Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(bytes)), page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("not as it was loaded", page.Text, StringComparison.Ordinal);

            await File.AppendAllTextAsync(file, "\n# Another word\n", TestContext.Current.CancellationToken);
            page = await place.Operator.Get(Root);
            Assert.Contains("The file own.yaml is not as it was loaded", page.Text, StringComparison.Ordinal);
            Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(bytes)), page.Text, StringComparison.Ordinal);

            File.Delete(file);
            Assert.Contains("The file own.yaml is not as it was loaded", (await place.Operator.Get(Root)).Text, StringComparison.Ordinal);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_examples_are_run_by_a_button_and_told_one_by_one_with_what_was_answered()
    {
        await using var place = await OperatorPlace.Start();
        var all = ProviderFiles.Shipped.Load("default").Model!.Examples;
        Assert.Contains("They have not been run", (await place.Operator.Get($"{Root}/examples")).Text, StringComparison.Ordinal);
        var before = await place.LastSeq();

        var sent = await place.Operator.Fill($"{Root}/examples");

        Assert.Equal($"{Root}/examples?done=run", sent.Location);
        var page = await place.Operator.Get(sent.Location!);
        Assert.Contains($"{all.Count} of {all.Count} answered as written", page.Text, StringComparison.Ordinal);
        Assert.All(all, example => Assert.Contains(System.Net.WebUtility.HtmlEncode(example.Name), page.Text, StringComparison.Ordinal));
        Assert.Contains("role=\"status\"", page.Text, StringComparison.Ordinal);
        Assert.Contains(
            $"{all.Count} of {all.Count} were answered as written", (await place.Operator.Get(Root)).Text, StringComparison.Ordinal);
        Assert.Equal(before, await place.LastSeq());
    }

    [Fact]
    public async Task An_example_that_is_answered_otherwise_comes_first_with_what_was_expected_and_its_text_is_text()
    {
        await using var place = await OperatorPlace.Start(with: provider => provider with
        {
            Examples =
            [
                provider.Examples[0],
                provider.Examples[1] with { Name = "<script>alert(1)</script>", ExpectedStatus = 418 },
            ],
        });

        await place.Operator.Fill($"{Root}/examples");

        var page = await place.Operator.Get($"{Root}/examples");
        Assert.Contains("1 of 2 answered as written", page.Text, StringComparison.Ordinal);
        Assert.Contains("expected 418, got", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
        Assert.True(
            page.Text.IndexOf(">failed<", StringComparison.Ordinal) < page.Text.IndexOf(">as written<", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_runs_of_the_examples_at_once_are_one_and_a_refusal()
    {
        await using var place = await OperatorPlace.Start();
        var (probe, running) = (place.Console.Gate.Services.GetRequiredService<GateProbe>(), new TaskCompletionSource());
        probe.RunExamples = async () =>
        {
            await running.Task;
            return [];
        };
        var form = await place.Operator.Get($"{Root}/examples");
        var first = place.Operator.Send(form, $"{Root}/examples");
        var second = place.Operator.Send(form, $"{Root}/examples");

        var refused = await await Task.WhenAny(first, second);
        running.SetResult();

        Assert.Equal(409, refused.Status);
        Assert.Equal([303, 409], (await Task.WhenAll(first, second)).Select(page => page.Status).Order());
        probe.RunExamples = () => Task.FromResult<IReadOnlyList<ExampleOutcome>>([]);
        Assert.Equal(303, (await place.Operator.Send(form, $"{Root}/examples")).Status);
    }

    [Fact]
    public async Task Plans_are_told_with_what_they_allow_and_how_many_are_on_each()
    {
        await using var place = await OperatorPlace.Start();
        Assert.Equal(303, (await place.Operator.Fill($"{place.Customer}/plan", ("plan", "pro"))).Status);

        var page = await place.Operator.Get($"{Root}/plans");

        var parts = page.Text.Split("<section>");
        Assert.Equal(4, parts.Length);
        Assert.Contains("<bdi>pro</bdi>", parts[2], StringComparison.Ordinal);
        Assert.Contains("1 organization is on it.", parts[2], StringComparison.Ordinal);
        Assert.Contains("100,000", parts[2], StringComparison.Ordinal);
        Assert.Contains("no bound", parts[2], StringComparison.Ordinal);
        Assert.Contains("the default", parts[1], StringComparison.Ordinal);
        await place.Run("UPDATE organizations SET plan = 'gone' WHERE id = @Id", new { Id = place.Console.Reach.Organization });
        page = await place.Operator.Get($"{Root}/plans");
        Assert.Contains("The provider file has no plan gone any more. 1 on it have free instead.", page.Text, StringComparison.Ordinal);
        Assert.Contains("no plan gone any more", (await place.Operator.Get(Root)).Text, StringComparison.Ordinal);
    }

    /// <summary>Of all doors but explain.</summary>
    private static long Checks(Answer metrics) => Sample().Matches(metrics.Text)
        .Where(sample => sample.Groups["door"].Value != "explain")
        .Sum(sample => long.Parse(sample.Groups["count"].Value, CultureInfo.InvariantCulture));

    private static string Figure(Page page, string title)
    {
        var found = Regex.Match(page.Text, $"<dt>{title}</dt><dd>(?<text>[^<]*)");
        Assert.True(found.Success, page.ToString());
        return found.Groups["text"].Value.Trim();
    }

    [GeneratedRegex("tollgate_checks_total\\{door=\"(?<door>[a-z]+)\",code=\"[a-z_]+\"\\} (?<count>[0-9]+)")]
    private static partial Regex Sample();

    [GeneratedRegex("<g class=\"day")]
    private static partial Regex Bar();
}
