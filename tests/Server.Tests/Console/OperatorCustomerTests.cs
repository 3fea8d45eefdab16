using System.Globalization;
using System.Net;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>Customers as who runs the gate sees them at the console, and what is done to them there.</summary>
public sealed class OperatorCustomerTests
{
    private const string List = OperatorPlace.Root + "/customers";

    private static readonly string[] Hostile =
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "O'Brien & Söhne \"quoted\"", "😀 four bytes",
        "\u202Eright to left",
    ];

    [Fact]
    public async Task A_customer_is_found_by_name_by_id_and_by_the_address_of_somebody_in_it()
    {
        await using var place = await OperatorPlace.Start();
        var (reach, browser) = (place.Console.Reach, place.Operator);
        var link = $"href=\"{place.Customer}\"";
        var address = reach["member"].Person.Email!;

        foreach (var search in new[] { "", "the TEAM", reach.Organization, $"  {reach.Organization} ", address, address[..^4] })
        {
            var page = await browser.Get($"{List}?search={Uri.EscapeDataString(search)}");
            Assert.True(page.Status == 200, page.ToString());
            Assert.Contains(link, page.Text, StringComparison.Ordinal);
        }

        var own = await browser.Get($"{List}?search={Uri.EscapeDataString(address)}");
        Assert.Contains($"href=\"{List}/{reach["member"].Person.OrganizationId}\"", own.Text, StringComparison.Ordinal);
        foreach (var search in new[] { "%_", "nobody@example.test", "No such name" })
        {
            var page = await browser.Get($"{List}?search={Uri.EscapeDataString(search)}");
            Assert.DoesNotContain(link, page.Text, StringComparison.Ordinal);
            Assert.Contains("No organization has this", page.Text, StringComparison.Ordinal);
        }

        Assert.Equal(422, (await browser.Get($"{List}?search={new string('x', 201)}")).Status);
        Assert.Equal(200, (await browser.Get($"{List}?search={new string('x', 200)}")).Status);
        Assert.Equal(422, (await browser.Get($"{List}?search=a%00b")).Status);
        Assert.Equal(400, (await browser.Get($"{List}?cursor=nonsense")).Status);
    }

    [Fact]
    public async Task The_list_is_cut_into_pages_and_has_every_customer_once()
    {
        await using var place = await OperatorPlace.Start();
        for (var i = 0; i < 60; i++)
        {
            await place.Console.Gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, $"{{\"name\":\"Customer {i:00}\"}}");
        }

        var first = await place.Operator.Get($"{List}?search=Customer");
        var next = first.Text.Split($"href=\"{List}?search=Customer&amp;cursor=")[1].Split('"')[0];
        var second = await place.Operator.Get($"{List}?search=Customer&cursor={next}");

        Assert.Equal([.. Enumerable.Range(10, 50).Reverse()], Numbers(first));
        Assert.Equal([.. Enumerable.Range(0, 10).Reverse()], Numbers(second));
        Assert.DoesNotContain("Older customers", second.Text, StringComparison.Ordinal);

        static int[] Numbers(Page page) =>
            [.. page.Text.Split("<bdi>Customer ").Skip(1).Select(part => int.Parse(part[..2], CultureInfo.InvariantCulture))];
    }

    [Fact]
    public async Task An_organization_of_ones_own_is_told_by_its_owner_and_a_name_that_says_so_makes_nobody_an_owner()
    {
        await using var place = await OperatorPlace.Start();
        var (owner, other) = (place.Console.Reach["stranger"].Person, place.Console.Reach["other"].Person);
        await Rename(place, owner.OrganizationId, $"Organization of {owner.Id}");
        await Rename(place, place.Console.Reach.Organization, $"Organization of {other.Id}");

        var page = await place.Operator.Get(List);

        Assert.Contains($"<bdi>{owner.Name}, {owner.Email}</bdi>", page.Text, StringComparison.Ordinal);
        Assert.Contains($"<bdi>Organization of {other.Id}</bdi>", page.Text, StringComparison.Ordinal);
        var one = await place.Operator.Get($"{List}/{owner.OrganizationId}");
        Assert.Contains($"href=\"{place.PersonPath("stranger")}\"", one.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customer_is_told_with_its_money_people_projects_keys_and_what_was_done()
    {
        await using var place = await OperatorPlace.Start();
        var reach = place.Console.Reach;

        var page = await place.Operator.Get(place.Customer);

        Assert.True(page.Status == 200, page.ToString());
        foreach (var text in new[]
        {
            "<dt>Balance</dt><dd>1,000.00 USD", "<td>top-up</td>", "free", "key.create", $"href=\"{place.PersonPath("billing")}\"",
            $"href=\"{OperatorPlace.Root}/projects/{reach.Project}\"", $"href=\"{place.Customer}/money\"",
            $"href=\"{place.Customer}/suspend\"", $"href=\"{place.Customer}/plan\"", reach["billing"].Person.Email!,
        })
        {
            Assert.Contains(text, page.Text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain($"href=\"{place.Customer}/reinstate\"", page.Text, StringComparison.Ordinal);
        var project = await place.Operator.Get($"{OperatorPlace.Root}/projects/{reach.Project}");
        Assert.Contains($"href=\"{OperatorPlace.Root}/keys/{reach.Key}\"", project.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"{place.Customer}\"", project.Text, StringComparison.Ordinal);
        var key = await place.Operator.Get($"{OperatorPlace.Root}/keys/{reach.Key}");
        Assert.Contains("A test key", key.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"" + OperatorPlace.Root + "/keys/" + reach.Key + "/", key.Text, StringComparison.Ordinal);
        Assert.All(new[] { project, key }, one => Assert.Equal(2, one.Text.Split("<form").Length));
        var log = await place.Operator.Get($"{place.Customer}/audit");
        Assert.DoesNotContain("operator.look", page.Text, StringComparison.Ordinal);
        Assert.Contains("operator.look", log.Text, StringComparison.Ordinal);
        Assert.Contains("organization.create", log.Text, StringComparison.Ordinal);
        Assert.Contains("member.join", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_look_is_in_the_audit_log_of_whom_it_is_at_before_it_is_shown_W14()
    {
        await using var place = await OperatorPlace.Start();
        var reach = place.Console.Reach;
        var person = reach["billing"].Person;
        foreach (var (path, target, organization, route) in new[]
        {
            (List, "all", null, "/customers"),
            (place.Customer, reach.Organization, reach.Organization, "/customers/{id}"),
            ($"{place.Customer}/audit", reach.Organization, reach.Organization, "/customers/{id}/audit"),
            ($"{place.Customer}/money", reach.Organization, reach.Organization, "/customers/{id}/money"),
            ($"{place.Customer}/suspend", reach.Organization, reach.Organization, "/customers/{id}/suspend"),
            ($"{OperatorPlace.Root}/projects/{reach.Project}", reach.Project, reach.Organization, "/projects/{id}"),
            ($"{OperatorPlace.Root}/keys/{reach.Key}", reach.Key, reach.Organization, "/keys/{id}"),
            ($"{OperatorPlace.Root}/people", "all", null, "/people"),
            ($"{OperatorPlace.Root}/people/{person.Id}", person.Id, person.OrganizationId, "/people/{person}"),
            ($"{OperatorPlace.Root}/people/{person.Id}/sessions", person.Id, person.OrganizationId, "/people/{person}/sessions"),
            ($"{List}/org_0000000000000000000000", "org_0000000000000000000000", null, "/customers/{id}"),
            ($"{List}/<script>", "unknown", null, "/customers/{id}"),
            ($"{OperatorPlace.Root}/people/<script>", "unknown", null, "/people/{person}"),
        })
        {
            var before = await place.LastSeq();
            await place.Operator.Get(path);
            var row = Assert.Single(await place.Audit(before));
            Assert.Equal(
                ("operator.look", place.OperatorId, target, organization, $"GET /console/operator{route}"),
                (row.Action, row.ActorId, row.TargetId, row.OrganizationId, row.Reason));
        }

        var operators = (await place.Ask<string>("SELECT id FROM organizations WHERE is_operator = 1"))!;
        var last = await place.LastSeq();
        Assert.Equal(200, (await place.Operator.Get($"{List}/{operators}")).Status);
        Assert.Equal(last, await place.LastSeq());
    }

    [Fact]
    public async Task Where_a_look_cannot_be_written_down_nothing_is_shown()
    {
        await using var place = await OperatorPlace.Start();
        await place.Run("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END", new { });
        var key = $"{OperatorPlace.Root}/keys/{place.Console.Reach.Key}";
        foreach (var path in new[] { List, place.Customer, place.PersonPath("billing"), key })
        {
            var page = await place.Operator.Get(path);
            Assert.True(page.Status >= 500, page.ToString());
            Assert.DoesNotContain("The team", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("A test key", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("@example.test", page.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("top_up", "12.50", "1,012.50 USD")]
    [InlineData("grant", "0.01", "1,000.01 USD")]
    public async Task Money_is_put_in_behind_a_page_that_says_what_happens_and_once_however_often_it_is_sent_TX12(
        string kind, string amount, string after)
    {
        await using var place = await OperatorPlace.Start();
        var browser = place.Operator;
        var ask = await browser.Fill($"{place.Customer}/money", ("kind", kind), ("amount", amount), ("reason", "Invoice <17>"));
        Assert.True(ask.Status == 200, ask.ToString());
        Assert.Contains($"The balance is 1,000.00 USD now and {after} after it.", ask.Text, StringComparison.Ordinal);
        Assert.Contains("Invoice &lt;17&gt;", ask.Text, StringComparison.Ordinal);
        Assert.Equal(new Money(1_000_000_000), await Balance(place));

        var pressed = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.Send(ask, $"{place.Customer}/money/enter")));

        Assert.All(pressed, page => Assert.Equal((303, $"{place.Customer}?done={kind}"), (page.Status, page.Location)));
        var page = await browser.Get(pressed[0].Location!);
        Assert.Contains($"<dt>Balance</dt><dd>{after}", page.Text, StringComparison.Ordinal);
        Assert.Contains("Invoice &lt;17&gt;", page.Text, StringComparison.Ordinal);
        Assert.Contains("role=\"status\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(2, await place.Ask<long>("SELECT COUNT(*) FROM wallet_entries WHERE note IS NOT NULL OR external_id = 'of the tests' "
            + $"AND organization_no = (SELECT organization_no FROM organizations WHERE id = '{place.Console.Reach.Organization}')"));
        Assert.Equal(
            place.OperatorId, (await place.Audit()).Single(row => row.Action == $"wallet.{kind}" && row.ActorType == "person").ActorId);

        // The form of before with another amount pays nothing more.
        var again = ask.Hidden($"{place.Customer}/money/enter").Select(field => field.Name == "amount" ? ("amount", "99") : field);
        var refused = await browser.Post($"{place.Customer}/money/enter", [.. again]);
        Assert.Equal(422, refused.Status);
        Assert.Contains("This form has paid before", refused.Text, StringComparison.Ordinal);
        Assert.Contains($"<dt>Balance</dt><dd>{after}", (await browser.Get(place.Customer)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind", "adjustment", "kind")]
    [InlineData("kind", "usage", "kind")]
    [InlineData("amount", "", "amount")]
    [InlineData("amount", "0", "amount")]
    [InlineData("amount", "-5", "amount")]
    [InlineData("amount", "1e3", "amount")]
    [InlineData("amount", "12,50", "amount")]
    [InlineData("amount", "0.0000001", "amount")]
    [InlineData("amount", "1000000000.01", "amount")]
    [InlineData("reason", " ", "reason")]
    public async Task What_is_no_amount_kind_or_reason_is_told_beside_its_field_and_what_was_typed_is_kept(
        string field, string value, string at)
    {
        await using var place = await OperatorPlace.Start();
        var fields = new Dictionary<string, string> { ["kind"] = "grant", ["amount"] = "5", ["reason"] = "Typed with care" };
        fields[field] = value;

        var page = await place.Operator.Fill($"{place.Customer}/money", [.. fields.Select(one => (one.Key, one.Value))]);

        Assert.Equal(422, page.Status);
        Assert.Contains($"id=\"{at}-fault\"", page.Text, StringComparison.Ordinal);
        Assert.Contains(field == "reason" ? "value=\"5\"" : "value=\"Typed with care\"", page.Text, StringComparison.Ordinal);
        var direct = await place.Operator.Post(
            $"{place.Customer}/money/enter",
            [.. page.Hidden($"{place.Customer}/money"), .. fields.Select(one => (one.Key, one.Value))]);
        Assert.Equal(422, direct.Status);
        Assert.Equal(new Money(1_000_000_000), await Balance(place));
    }

    [Fact]
    public async Task Where_requests_are_not_paid_for_no_money_is_offered_or_taken()
    {
        await using var place = await OperatorPlace.Start(with: provider => provider with { Wallet = null });

        var page = await place.Operator.Get(place.Customer);

        Assert.DoesNotContain("Balance", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/money", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await place.Operator.Get($"{place.Customer}/money")).Status);
    }

    [Fact]
    public async Task A_suspended_customer_is_refused_at_once_with_the_reason_in_its_log_and_passes_when_it_is_reinstated()
    {
        await using var place = await OperatorPlace.Start();
        var secret = await place.Console.Gate.NewSecret(project: place.Console.Reach.Project);
        Assert.Equal("allowed", (await place.Console.Check(secret)).GetProperty("code").GetString());
        var empty = await place.Operator.Fill($"{place.Customer}/suspend", ("reason", "  "));
        Assert.Equal(422, empty.Status);
        Assert.Contains("id=\"reason-fault\"", empty.Text, StringComparison.Ordinal);
        Assert.Equal("allowed", (await place.Console.Check(secret)).GetProperty("code").GetString());

        var done = await place.Operator.Fill($"{place.Customer}/suspend", ("reason", "Unpaid since <May>"));

        Assert.Equal($"{place.Customer}?done=suspend", done.Location);
        Assert.Equal("organization_suspended", (await place.Console.Check(secret)).GetProperty("code").GetString());
        var page = await place.Operator.Get(done.Location!);
        Assert.Contains("Its keys are refused from now on", page.Text, StringComparison.Ordinal);
        Assert.Contains("Unpaid since &lt;May&gt;", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"href=\"{place.Customer}/suspend\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(409, (await place.Operator.Get($"{place.Customer}/suspend")).Status);
        var row = (await place.Audit()).Last(one => one.Action == "organization.change");
        Assert.Equal(
            (place.OperatorId, "Unpaid since <May>", place.Console.Reach.Organization), (row.ActorId, row.Reason, row.OrganizationId));

        Assert.Equal(303, (await place.Operator.Fill($"{place.Customer}/reinstate")).Status);
        Assert.Equal("allowed", (await place.Console.Check(secret)).GetProperty("code").GetString());
        Assert.Equal(409, (await place.Operator.Get($"{place.Customer}/reinstate")).Status);
    }

    [Fact]
    public async Task A_plan_is_changed_to_one_of_the_file_and_to_no_other()
    {
        await using var place = await OperatorPlace.Start();
        var form = await place.Operator.Get($"{place.Customer}/plan");
        Assert.Contains("value=\"free\" checked", form.Text, StringComparison.Ordinal);

        Assert.Equal(422, (await place.Operator.Send(form, $"{place.Customer}/plan", ("plan", "gold"))).Status);
        Assert.Equal(422, (await place.Operator.Send(form, $"{place.Customer}/plan")).Status);
        Assert.Equal(303, (await place.Operator.Send(form, $"{place.Customer}/plan", ("plan", "pro"), ("reason", "A call"))).Status);

        var plan = await place.Console.Gate.Send("GET", $"/api/v1/organizations/{place.Console.Reach.Organization}", RunningGate.RootKey);
        Assert.Equal("pro", plan.String("plan"));
        Assert.Equal("A call", (await place.Audit()).Last(one => one.Action == "organization.change").Reason);
    }

    [Fact]
    public async Task The_operators_own_organization_is_not_suspended_from_a_page()
    {
        await using var place = await OperatorPlace.Start();
        var own = $"{List}/{await place.Ask<string>("SELECT id FROM organizations WHERE is_operator = 1")}";

        Assert.DoesNotContain($"href=\"{own}/suspend\"", (await place.Operator.Get(own)).Text, StringComparison.Ordinal);
        Assert.Equal(409, (await place.Operator.Get($"{own}/suspend")).Status);
        var form = await place.Operator.Get($"{own}/plan");
        Assert.Equal(409, (await place.Operator.Post(
            $"{own}/suspend", [.. form.Hidden($"{own}/plan"), ("reason", "By hand")])).Status);
    }

    [Fact]
    public async Task After_ten_minutes_each_change_asks_for_another_sign_in_and_nothing_happens()
    {
        await using var place = await OperatorPlace.Start();
        var (customer, person) = (place.Customer, place.PersonPath("other"));
        var money = await place.Operator.Fill($"{customer}/money", ("kind", "grant"), ("amount", "5"), ("reason", "Late"));
        string[] paths =
        [
            $"{customer}/suspend", $"{customer}/plan", $"{customer}/money", $"{person}/suspend", $"{person}/sessions",
            $"{person}/second-step",
        ];
        var forms = new Dictionary<string, Page>();
        foreach (var path in paths)
        {
            forms[path] = await place.Operator.Get(path);
        }

        place.Console.Gate.Clock.Advance(TimeSpan.FromMinutes(11));
        var before = await place.LastSeq();
        foreach (var (path, form) in forms)
        {
            var page = await place.Operator.Send(form, path, ("reason", "Late"), ("plan", "pro"), ("kind", "grant"), ("amount", "5"));
            Assert.Equal(403, page.Status);
            Assert.Contains("Sign in once more", page.Text, StringComparison.Ordinal);
            Assert.Equal(403, (await place.Operator.Get(path)).Status);
        }

        Assert.Equal(403, (await place.Operator.Send(money, $"{customer}/money/enter")).Status);
        Assert.Equal(before, await place.LastSeq());
        Assert.Equal(200, (await place.Operator.Get(customer)).Status);
    }

    [Fact]
    public async Task Hostile_names_are_shown_as_text_in_every_field()
    {
        await using var place = await OperatorPlace.Start();
        var reach = place.Console.Reach;
        foreach (var name in Hostile)
        {
            await Rename(place, reach.Organization, name);
            await place.Run("UPDATE projects SET name = @name WHERE id = @Project", new { name, reach.Project });
            await place.Run("UPDATE keys SET name = @name WHERE id = @Key", new { name, reach.Key });
            await place.Run("UPDATE people SET name = @name, email = @name WHERE id = @Id", new { name, reach["other"].Person.Id });
            await place.Run("UPDATE sessions SET device = @name", new { name });
            foreach (var path in new[]
            {
                List, $"{List}?search={Uri.EscapeDataString(name)}", place.Customer, $"{place.Customer}/suspend", $"{place.Customer}/plan",
                $"{place.Customer}/money", $"{place.Customer}/audit", $"{OperatorPlace.Root}/projects/{reach.Project}",
                $"{OperatorPlace.Root}/keys/{reach.Key}", $"{OperatorPlace.Root}/people", place.PersonPath("other"),
                $"{place.PersonPath("other")}/suspend", $"{place.PersonPath("other")}/second-step",
            })
            {
                var page = await place.Operator.Get(path);
                Assert.True(page.Status == 200, $"{path}: {page}");
                Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
                Assert.DoesNotContain("<img", page.Text, StringComparison.Ordinal);
                Assert.Contains(name, WebUtility.HtmlDecode(page.Text), StringComparison.Ordinal);
                Assert.True(page.Text.Length < 60_000, $"{path} has {page.Text.Length} characters.");
            }

            var typed = await place.Operator.Fill($"{place.Customer}/money", ("kind", "grant"), ("amount", name), ("reason", name));
            Assert.Equal(422, typed.Status);
            Assert.DoesNotContain("<script>alert", typed.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img", typed.Text, StringComparison.Ordinal);
        }
    }

    private static Task Rename(OperatorPlace place, string organization, string name) =>
        place.Run("UPDATE organizations SET name = @name WHERE id = @organization", new { name, organization });

    private static async Task<Money> Balance(OperatorPlace place) => new(await place.Ask<long>(
        "SELECT balance_micros FROM wallets WHERE organization_no = (SELECT organization_no FROM organizations WHERE id = "
        + $"'{place.Console.Reach.Organization}')"));
}
