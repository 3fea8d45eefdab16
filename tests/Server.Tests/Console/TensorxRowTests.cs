using System.Net;
using Microsoft.Playwright;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Console;

/// <summary>
/// What docs.tensorx.ai promises of keys, as a person at the console meets it, against <c>providers/tensorx.yaml</c> alone.
/// </summary>
public sealed class TensorxRowTests(TensorxRowTests.Place place) : IClassFixture<TensorxRowTests.Place>
{
    private const string Qwen = "qwen3-235b";
    private const string Llama = "llama-3.3-70b";

    [Fact]
    public async Task A_name_of_3_to_50_characters_makes_a_key_and_any_other_is_told_so_with_what_was_typed_kept_TX1()
    {
        await using var at = await Enter("tx1@example.test");
        foreach (var name in new[] { "ab", new string('n', 51) })
        {
            await at.AskKey(name);
            await at.Sees("The key was not made.");
            Assert.Contains("3 to 50 characters", await at.Page.Locator("#name-fault").InnerTextAsync(), StringComparison.Ordinal);
            Assert.Equal(name, await at.Page.GetByLabel("Name", new() { Exact = true }).InputValueAsync());
            await at.Open($"{at.Home}/keys");
            await at.Sees("There are no keys here yet");
        }

        var names = new[] { "abc", new string('n', 50) };
        foreach (var name in names)
        {
            await at.NewKey(name);
        }

        await at.Open($"{at.Home}/keys");
        Assert.Equal(names, (await at.Page.Locator("[aria-label=Keys] tbody th").AllInnerTextsAsync()).Reverse());
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task A_secret_is_seen_once_and_neither_reload_nor_back_nor_list_nor_the_keys_page_shows_it_again_TX2()
    {
        await using var at = await Enter("tx2@example.test");
        var secret = await at.NewKey("Shown once");
        Assert.Contains(secret, await at.Page.ContentAsync(), StringComparison.Ordinal);
        await at.Sees("You will not see it again.");

        // It shows the key, and makes no other.
        await Step(() => at.Page.ReloadAsync());
        await IsNotSeen(at, secret);
        await at.Page.GetByRole(AriaRole.Heading, new() { Name = "Shown once", Exact = true }).WaitForAsync();
        await at.Page.GotoAsync(at.Page.Url);
        await IsNotSeen(at, secret);
        await at.OpenKey("Shown once");
        await IsNotSeen(at, secret);
        foreach (var page in new[] { "/keys", "", "/usage", "/audit", "/try" })
        {
            await at.Open(at.Home + page);
            await IsNotSeen(at, secret);
        }

        var other = await at.NewKey("Seen and left");
        await at.Open($"{at.Home}/keys");
        await Step(() => at.Page.GoBackAsync());
        await IsNotSeen(at, other);
        await Step(() => at.Page.GoForwardAsync());
        await IsNotSeen(at, other);
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task A_secret_is_sk_and_48_characters_and_afterwards_its_first_8_and_last_4_are_shown_TX3_TX4()
    {
        await using var at = await Enter("tx3@example.test");
        var secret = await at.NewKey("Masked");
        Assert.Matches("^sk-[A-Za-z0-9]{48}$", secret);
        Assert.Equal(secret, await at.Copied());

        await at.Open($"{at.Home}/keys");
        var mask = $"{secret[..8]}...{secret[^4..]}";
        Assert.Equal(mask, (await at.Row("Keys", "Masked"))[2]);
        await at.OpenKey("Masked");
        Assert.Equal(mask, await at.Fact("Secret"));
        await at.Choose("Delete");
        await at.Sees(mask);
    }

    [Fact]
    public async Task A_disabled_key_is_refused_at_once_until_it_is_enabled_TX5()
    {
        await using var at = await Enter("tx5@example.test");
        var secret = await at.NewKey("Switched");
        Assert.Equal(HttpStatusCode.OK, await Chat(secret));

        await at.OpenKey("Switched");
        await at.Choose("Disable");
        await at.Sees("Requests with this key are refused from now on.");
        await at.Press("Disable this key");
        await at.Sees("Switched is disabled: its requests are refused from now on.");
        Assert.Equal(HttpStatusCode.Unauthorized, await Chat(secret));
        Assert.Equal("disabled", await Status(at));
        await at.Open($"{at.Home}/keys");
        Assert.Equal("disabled", (await at.Row("Keys", "Switched"))[1]);

        await at.OpenKey("Switched");
        await at.Choose("Enable");
        await at.Press("Enable this key");
        await at.Sees("Switched is enabled: its requests pass again.");
        Assert.Equal(HttpStatusCode.OK, await Chat(secret));
        Assert.Equal("active", await Status(at));
    }

    [Fact]
    public async Task A_regenerated_key_is_the_same_entry_with_a_new_secret_shown_once_and_the_old_one_dead_TX6()
    {
        await using var at = await Enter("tx6@example.test");
        var secret = await at.NewKey("Regenerated");
        await Use(secret, Qwen, 900, 100);
        await at.OpenKey("Regenerated");
        var id = await at.Fact("Id");

        var fresh = await at.Regenerate(secret);

        Assert.Matches("^sk-[A-Za-z0-9]{48}$", fresh);
        await at.OpenKey("Regenerated");
        Assert.Equal(id, await at.Fact("Id"));
        Assert.Equal($"{fresh[..8]}...{fresh[^4..]}", await at.Fact("Secret"));
        Assert.Equal([Qwen, "1", "0", "900", "100"], (await at.Row("By model", Qwen)).Take(5));
        await IsNotSeen(at, fresh);
        Assert.Equal(
            ["Rename", "Disable", "Regenerate", "Delete"], await at.Page.Locator(".actions").GetByRole(AriaRole.Link).AllInnerTextsAsync());
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await Chat(secret), await Chat(fresh)));
        await at.Open($"{at.Home}/keys");
        Assert.Equal(1, await at.Page.Locator("[aria-label=Keys] tbody tr").CountAsync());
    }

    [Fact]
    public async Task A_deleted_key_asks_for_its_name_stops_at_once_cannot_come_back_and_leaves_its_usage_TX7()
    {
        await using var at = await Enter("tx7@example.test");
        var secret = await at.NewKey("Deleted soon");
        await Use(secret, Qwen, 900, 100);
        await at.OpenKey("Deleted soon");
        var key = at.Page.Url;
        await at.Choose("Delete");
        await at.Sees("This cannot be undone.");
        await at.Page.GetByLabel("Type the key's name").FillAsync("Another name");
        await at.Press("Delete this key");
        await at.Sees("Type the key's name, just as it is written.");
        Assert.Equal("allowed", await Gate.CodeOf(secret));

        await at.Page.GotoAsync(key);
        await at.End(secret, "Delete", "Deleted soon");

        Assert.Equal(HttpStatusCode.Unauthorized, await Chat(secret));
        Assert.Equal(0, await at.Page.GetByRole(AriaRole.Link, new() { Name = "Deleted soon" }).CountAsync());
        await at.Open($"{at.Home}/usage?by=key");
        Assert.Equal(["Deleted soon", "900", "100"], (await at.Row("Usage", "Deleted soon")).Where((_, i) => i is 0 or 3 or 4));
        await at.Page.GotoAsync(key);
        Assert.Equal([Qwen, "1", "0", "900", "100"], (await at.Row("By model", Qwen)).Take(5));
        Assert.Equal(0, await at.Page.Locator(".actions").CountAsync());
    }

    [Fact]
    public async Task A_keys_page_has_its_cost_requests_tokens_last_use_and_models_TX8()
    {
        await using var at = await Enter("tx8@example.test");
        var secret = await at.NewKey("Counted");
        await at.OpenKey("Counted");
        Assert.Equal("never", await at.Fact("Last used"));
        await Use(secret, Qwen, 900, 100);
        await Use(secret, Llama, 1_000, 2_000);

        await at.OpenKey("Counted");

        // 900 × 0.20 + 100 × 0.85 and 1,000 × 0.35 + 2,000 × 0.75 for a million.
        Assert.Equal(
            ["0.0021 USD", "2 that passed", "4,000 1,900 in, 2,100 out"],
            [await Figure(at, "Cost"), await Figure(at, "Requests"), await Figure(at, "Tokens")]);
        Assert.Equal("just now", await at.Fact("Last used"));
        Assert.Equal([Llama, "1", "0", "1,000", "2,000", "0.0019 USD"], await at.Row("By model", Llama));
        Assert.Equal([Qwen, "1", "0", "900", "100", "0.0003 USD"], await at.Row("By model", Qwen));
    }

    [Fact]
    public async Task Usage_carries_the_names_of_the_keys_TX9()
    {
        await using var at = await Enter("tx9@example.test");
        await Use(await at.NewKey("Mobile App"), Qwen, 5, 6);
        await Use(await at.NewKey("Batch jobs"), Qwen, 7, 8);

        await at.Open($"{at.Home}/usage");
        await at.Page.Locator("#by").SelectOptionAsync("key");
        await at.Press("Show");
        await at.Page.GetByRole(AriaRole.Columnheader, new() { Name = "Key", Exact = true }).WaitForAsync();

        Assert.Equal(["Mobile App", "1", "0", "5", "6"], (await at.Row("Usage", "Mobile App")).Take(5));
        Assert.Equal(["Batch jobs", "1", "0", "7", "8"], (await at.Row("Usage", "Batch jobs")).Take(5));
        var file = await at.Page.RunAndWaitForDownloadAsync(() => at.Follow("All requests of this time as CSV"));
        var lines = await File.ReadAllTextAsync(await file.PathAsync());
        Assert.Contains("Mobile App", lines, StringComparison.Ordinal);
        Assert.Contains("Batch jobs", lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_key_is_made_without_money_and_at_five_cents_keys_stop_until_money_comes_all_told_by_the_pages_TX12()
    {
        const string email = "tx12@example.test";
        await using var at = await Enter(email, fund: false);
        await at.AskKey("Too early");
        await at.Sees("balance");
        Assert.Contains("above", await at.Text(), StringComparison.Ordinal);
        await at.Open($"{at.Home}/keys");
        await at.Sees("There are no keys here yet");

        var organization = await at.OrganizationOf(email);
        await Gate.TopUp("0.25", "first", organization);
        var (secret, stopped) = (await at.NewKey("Paid for"), await at.NewKey("Stopped by me"));
        await at.OpenKey("Stopped by me");
        await at.Choose("Disable");
        await at.Press("Disable this key");
        await at.Sees("Stopped by me is disabled");
        await Use(secret, Qwen, 1_000_000, 0);

        await at.OpenKey("Paid for");
        await at.Sees("The balance is 0.05 USD: the organization's keys have stopped, until money is put in.");
        Assert.Equal("disabled", await Status(at));
        await at.Sees("the balance is used up");
        Assert.Equal(HttpStatusCode.PaymentRequired, await Chat(secret));

        await Gate.TopUp("1.00", "second", organization);
        await at.OpenKey("Paid for");
        Assert.Equal(("active", HttpStatusCode.OK), (await Status(at), await Chat(secret)));
        Assert.DoesNotContain("keys have stopped", await at.Text(), StringComparison.Ordinal);
        await at.OpenKey("Stopped by me");
        Assert.Equal(("disabled", HttpStatusCode.Unauthorized), (await Status(at), await Chat(stopped)));
        await at.Sees("by a person");
    }

    [Fact]
    public async Task An_invited_member_joins_sees_the_teams_key_and_their_own_rests_while_the_team_pays_TX11()
    {
        await using var owner = await Enter("owner-tx11@example.test");
        var team = await owner.MakeTeam();
        var shared = await owner.NewKey("Team key");
        await using var member = await Enter("member-tx11@example.test");
        var own = await member.NewKey("My own key");
        Assert.Equal("allowed", await Gate.CodeOf(own));
        await owner.Open($"{team}/invite");
        await owner.Fill("Address", "member-tx11@example.test");
        await owner.Pick("role", "member");
        await owner.Press("Send the invitation");
        await owner.Sees("An invitation to member-tx11@example.test is on its way.");

        await member.OpenMail("member-tx11@example.test");
        await member.Sees("Your own key is held while you are in a team");
        await member.Press("Join the team");
        await member.Sees("You are in the team Night shift, as");

        Assert.Equal(("allowed", "key_archived"), (await Gate.CodeOf(shared), await Gate.CodeOf(own)));
        await member.OpenKey("My own key");
        await member.Sees("it rests while its owner is in a team");
        member.Home = owner.Home;
        await member.OpenKey("Team key");
        Assert.Equal(0, await member.Page.Locator(".actions").CountAsync());
        await member.Open($"{member.Home}/keys");
        Assert.Equal(0, await member.Page.GetByRole(AriaRole.Link, new() { Name = "Make a key" }).CountAsync());

        await Use(shared, Qwen, 1_000_000, 0);
        await owner.Open($"{owner.Home}/wallet");
        await owner.Sees("0.20 USD");

        // What each of the two had paid came with them, and the request is paid from it.
        Assert.Equal("1,999.80 USD", await Figure(owner, "Balance"));
        await owner.Open(team);
        Assert.Contains("team member", string.Join(' ', await owner.Row("Members", "member-tx11")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_documentation_is_read_as_pages_and_as_Markdown_and_is_listed_for_programs_TX15()
    {
        await using var at = await Enter("tx15@example.test");
        await at.Follow("Docs");
        await Assertions.Expect(at.Page).ToHaveURLAsync($"{at.Root}/docs");
        foreach (var path in new[] { "/docs", "/docs/errors/invalid_key" })
        {
            var page = await at.Page.GotoAsync(at.Root + path);
            Assert.StartsWith("text/html", page!.Headers["content-type"], StringComparison.Ordinal);
            var title = await at.Page.Locator("h1").First.InnerTextAsync();
            var source = await at.Page.GotoAsync($"{at.Root}{path}.md");
            Assert.StartsWith("text/markdown", source!.Headers["content-type"], StringComparison.Ordinal);
            Assert.StartsWith($"# {title}", (await at.Text()).Replace("`", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        await at.Open("/llms.txt");
        Assert.StartsWith("# TensorX", await at.Text(), StringComparison.Ordinal);
        Assert.Contains("](/docs/errors/invalid_key.md)", await at.Text(), StringComparison.Ordinal);
        Assert.Empty(at.Chromium.Complaints);
    }

    private RunningGate Gate => place.People.Gate;

    private Task<Flow> Enter(string email, bool fund = true) => Flow.Enter(place.People, email, fund);

    private async Task<HttpStatusCode> Chat(string secret) =>
        (await Gate.Send("POST", "/v1/chat/completions", secret, ModelCalls.Of(Qwen))).Status;

    /// <summary>A request that used so many tokens of a model, and is booked.</summary>
    private async Task Use(string secret, string model, long input, long output) =>
        await Gate.Report(await Gate.Check(secret, model, input, output), input, output);

    private static Task<string> Status(Flow at) => at.Page.Locator("main .status").First.InnerTextAsync();

    private static async Task<string> Figure(Flow at, string title) => (await at.Page
        .Locator($"dl.figures > div:has(> dt:text-is('{title}')) > dd").First.InnerTextAsync()).Trim().ReplaceLineEndings(" ");

    private static async Task IsNotSeen(Flow at, string secret) =>
        Assert.DoesNotContain(secret, await at.Page.ContentAsync(), StringComparison.Ordinal);

    /// <summary>The browser may have a page of its own to say that the one that was asked for is not kept.</summary>
    private static async Task Step(Func<Task> go)
    {
        try
        {
            await go();
        }
        catch (PlaywrightException fault) when (fault.Message.Contains("ERR_CACHE_MISS", StringComparison.Ordinal))
        {
        }
    }

    /// <summary>The gate that the tests share; each has people of its own.</summary>
    public sealed class Place : IAsyncLifetime
    {
        internal PeoplePlace People { get; private set; } = null!;

        public async ValueTask InitializeAsync() => People = await PeoplePlace.Start(provider: "tensorx");

        public ValueTask DisposeAsync() => People.DisposeAsync();
    }
}
