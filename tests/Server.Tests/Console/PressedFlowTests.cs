using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tollgate.Client;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Webhooks;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Console;

/// <summary>What people come to the console for, pressed, typed and read in a real browser from the first page to what it does.</summary>
public sealed class PressedFlowTests
{
    private const string Ada = Flow.Ada;
    private const string Grace = "grace@example.test";
    private const string Model = "llama-3.3-70b";

    [Theory]
    [InlineData("default", true, "/v1/models")]
    [InlineData("tensorone", true, "/v2/endpoints/x")]
    [InlineData("default", false, "/v1/models")]
    [InlineData("tensorone", false, "/v2/endpoints/x")]
    public async Task A_key_is_rotated_both_secrets_work_for_the_hour_that_was_typed_and_its_page_tells_the_last_use_of_the_old_one(
        string provider, bool hasScript, string path)
    {
        await using var place = await PeoplePlace.Start(provider: provider);
        await using var at = await Flow.Enter(place, Ada, hasScript: hasScript);
        var old = await at.NewKey("My program");
        await at.OpenKey("My program");
        var (key, oldMask) = (at.Page.Url, await at.Fact("Secret"));
        await at.Choose("Rotate");
        await at.Sees("The key gets a new secret, which is shown on the next page. Name, history and limits stay.");
        await at.Sees("The old secret works on for the hours below, so that apps can change over without a gap. Then it stops.");
        await at.Fill("Hours that the old secret works on", "1");
        await at.Press("Make a new secret");
        await at.Sees("My program has a new secret. Put it where the old one is; the old one works on until the end of its grace.");
        var fresh = await at.Secret();
        Assert.Equal(hasScript, await at.Page.Locator("[data-copy=secret]").IsVisibleAsync());
        Assert.Equal(fresh, hasScript ? await at.Copied() : fresh);
        Assert.NotEqual(old, fresh);
        Assert.Equal(("allowed", "allowed"), (await place.Gate.CodeOf(old), await place.Gate.CodeOf(fresh)));
        Assert.Equal((true, true), (await Passes(old), await Passes(fresh)));

        var until = place.Clock.GetUtcNow().AddHours(1).ToString("d MMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);
        await at.Page.GotoAsync(key);
        Assert.Equal($"{oldMask} works until {until}; unused for less than a minute", await at.Fact("Old secret"));
        place.Clock.Advance(TimeSpan.FromMinutes(20));
        await at.Page.ReloadAsync();
        Assert.Equal($"{oldMask} works until {until}; unused for 20 minutes", await at.Fact("Old secret"));
        Assert.NotEqual(oldMask, await at.Fact("Secret"));
        Assert.DoesNotContain(fresh, await at.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.True(await Passes(fresh));
        await at.Page.ReloadAsync();
        Assert.EndsWith("unused for 20 minutes", await at.Fact("Old secret"), StringComparison.Ordinal);
        Assert.True(await Passes(old));
        await at.Page.ReloadAsync();
        Assert.EndsWith("unused for less than a minute", await at.Fact("Old secret"), StringComparison.Ordinal);

        place.Clock.Advance(TimeSpan.FromMinutes(40));
        Assert.Equal((false, true), (await Passes(old), await Passes(fresh)));
        await at.Page.ReloadAsync();
        Assert.Equal(0, await at.Page.Locator("dt").GetByText("Old secret").CountAsync());
        Assert.Empty(at.Chromium.Complaints);

        async Task<bool> Passes(string secret) =>
            (await place.Gate.Send("GET", path, secret)).Status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_webhook_is_made_by_its_form_a_test_event_arrives_and_one_that_failed_is_sent_again_by_its_button_and_arrives()
    {
        await using var receiver = await Receiver.Start();
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.0/8",
        });
        await using var at = await Flow.Enter(place, Ada);
        await at.Follow("Webhooks");
        await at.Follow("Make the first webhook");
        await at.Fill("URL", receiver.Url);
        await at.Fill("Description (optional)", "My server");
        await at.Press("Make the webhook");
        await at.Sees("The webhook is made. Events are sent to it from now on.");
        var secret = await at.Copied();
        await at.Follow("I have stored it");
        await at.Sees("Nothing was sent yet.");
        Assert.Equal("My server", await at.Fact("Description"));
        var webhook = at.Page.Url;

        await at.Press("Send a test event");
        await at.Sees("A test event is on its way. Load this page again to see whether it arrived.");
        await Arrived();
        Assert.Equal(WebhookCheck.Valid, WebhookSignature.Verify(
            receiver.Only.Headers.GetValueOrDefault, receiver.Only.Body, [secret], place.Clock.GetUtcNow()));
        await at.Page.ReloadAsync();
        Assert.Equal(["webhook.test", "just now", "delivered", "1", "200", "none"], await at.Row("Deliveries", "webhook.test"));

        receiver.Status = 500;
        await at.Press("Send a test event");
        await Arrived();
        await at.Page.GotoAsync(webhook);
        Assert.Equal(["pending", "1", "500", "in a moment"], (await at.Row("Deliveries", "pending")).Skip(2));
        await at.OpenRow("Deliveries", "pending");
        await at.Sees("it failed, and is tried again");
        Assert.StartsWith("500, after ", await at.Fact("Last answer"), StringComparison.Ordinal);

        receiver.Status = 200;
        await at.Press("Send it again");
        await at.Sees("The event is on its way again. Load this page again to see whether it arrived.");
        // The rest after one failure, and less than until it would be tried again by itself.
        place.Clock.Advance(TimeSpan.FromSeconds(1));
        await Arrived();
        Assert.Equal(receiver.Log[1].Id, receiver.Log[2].Id);
        Assert.NotEqual(receiver.Log[0].Id, receiver.Log[2].Id);
        await at.Page.ReloadAsync();
        Assert.Equal("delivered", await at.Page.Locator("main .status").First.InnerTextAsync());
        Assert.StartsWith("200, after ", await at.Fact("Last answer"), StringComparison.Ordinal);
        await at.Follow("All deliveries of this webhook");
        await at.Page.Locator("[aria-label=Deliveries]").WaitForAsync();
        Assert.Equal(0, await at.Page.Locator("[aria-label=Deliveries]").GetByText("pending").CountAsync());
        Assert.Empty(at.Chromium.Complaints);

        async Task Arrived()
        {
            await receiver.Arrived();
            await place.Gate.Services.GetRequiredService<WebhookCourier>().Idle();
        }
    }

    [Fact]
    public async Task The_audit_page_is_filtered_by_what_and_by_who_a_row_is_read_and_the_file_has_that_row_alone()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorx");
        await using var ada = await Enter(place, Ada, "Ada Example");
        await using var grace = await Enter(place, Grace, "Grace Example");
        var team = await ada.MakeTeam();
        await Join(ada, grace, team, "admin");
        await ada.NewKey("Key of Ada");
        grace.Home = ada.Home;
        await grace.NewKey("Key of Grace");
        await grace.NewKey("Second of Grace");
        await grace.OpenKey("Second of Grace");
        await grace.Choose("Disable");
        await grace.Press("Disable this key");
        await grace.Sees("Second of Grace is disabled");

        await ada.Open(ada.Home);
        await ada.Follow("Audit");
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "Audit", Exact = true }).WaitForAsync();
        Assert.Equal("you", (await ada.Row("Audit", "Key of Ada"))[1]);
        await Filter("Disabled a key", "everybody");
        Assert.Equal(1, await Lines().CountAsync());
        await Filter("Made a key", "Ada Example");
        Assert.Equal("Key of Ada key", (await Row("key.create"))[3]);
        Assert.Equal(1, await Lines().CountAsync());
        await Filter("Disabled a key", "Ada Example");
        await ada.Sees("Nothing that was done is like that.");
        await Filter("Disabled a key", "Grace Example");

        Assert.Equal(1, await Lines().CountAsync());
        var row = await Row("Second of Grace");
        Assert.Equal(["Jan 2, 2026, 3:04 AM", "Grace Example"], row.Take(2));
        Assert.StartsWith("Disabled a key key.disable", row[2], StringComparison.Ordinal);
        Assert.Equal(["Second of Grace key", "", "127.0.0.1"], row.Skip(3));
        var file = await ada.Page.RunAndWaitForDownloadAsync(() => ada.Follow("All of this as CSV"));
        Assert.Equal("audit.csv", file.SuggestedFilename);
        var lines = await File.ReadAllLinesAsync(await file.PathAsync(), TestContext.Current.CancellationToken);
        Assert.Equal(2, lines.Length);
        Assert.Contains(",Grace Example,key.disable,key,", lines[1], StringComparison.Ordinal);
        await ada.Follow("Second of Grace");
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "Second of Grace" }).WaitForAsync();
        Assert.Contains($",{await ada.Fact("Id")},", lines[1], StringComparison.Ordinal);
        Assert.Empty(ada.Chromium.Complaints.Concat(grace.Chromium.Complaints));

        ILocator Lines() => ada.Page.Locator("[aria-label=Audit] tbody tr");

        // As it reads in one line.
        async Task<IReadOnlyList<string>> Row(string text) => [.. (await ada.Row("Audit", text)).Select(
            cell => string.Join(' ', cell.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)))];

        async Task Filter(string what, string who)
        {
            await ada.Page.GetByLabel("What", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = what });
            await ada.Page.GetByLabel("Who", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = who });
            await ada.Chromium.Leave(() => ada.Press("Show"));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_operator_finds_a_customer_puts_money_in_suspends_it_for_a_reason_and_reinstates_it_TX12(bool hasScript)
    {
        await using var place = await PeoplePlace.Start(provider: "tensorx");
        await using var customer = await Enter(place, Ada, "Ada Example");
        await using var at = await Operator(place, hasScript);
        var secret = await customer.NewKey("My program");
        Assert.Equal(HttpStatusCode.OK, await Chat());

        await Find(at, Ada);
        await PutIn(at, "12.50", "Invoice 17", "1,000.00 USD now and 1,012.50 USD after it");
        Assert.Equal("1,012.50 USD", await at.Fact("Balance"));
        Assert.Equal(
            ["top-up", "12.50 USD", "1,012.50 USD", "you", "Invoice 17"], (await at.Row("Wallet", "Invoice 17")).Skip(1));

        await at.Choose("Suspend");
        await at.Sees("All of its keys are refused from the next request on, in every project, until it is reinstated.");
        Assert.Equal(HttpStatusCode.OK, await Chat());
        await at.Fill("Why", "Unpaid since May");
        await at.Press("Suspend");
        await at.Sees("The organization is suspended. Its keys are refused from now on.");
        Assert.Equal(HttpStatusCode.Unauthorized, await Chat());
        Assert.Equal("organization_suspended", await place.Gate.CodeOf(secret));
        Assert.Equal("suspended", await at.Page.Locator("main .status").First.InnerTextAsync());
        await customer.Open($"/console/{await customer.OrganizationOf(Ada)}/audit");
        Assert.Equal("Unpaid since May", (await customer.Row("Audit", "organization.change"))[4]);

        await at.Choose("Reinstate");
        await at.Sees("Its keys pass again from the next request on.");
        await at.Press("Reinstate");
        await at.Sees("The organization is open again. Its keys pass from now on.");
        Assert.Equal(HttpStatusCode.OK, await Chat());
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));
        Assert.Equal("active", await at.Page.Locator("main .status").First.InnerTextAsync());
        Assert.Empty(at.Chromium.Complaints);

        async Task<HttpStatusCode> Chat() =>
            (await place.Gate.Send("POST", "/v1/chat/completions", secret, ModelCalls.Of(Model))).Status;
    }

    [Theory]
    [InlineData("tensorlake")]
    [InlineData("tensorx")]
    [InlineData("tensorone")]
    [InlineData("tensoras")]
    [InlineData("tensorpool")]
    public async Task The_operator_runs_the_examples_of_the_provider_file_by_the_button_and_all_are_answered_as_written(string provider)
    {
        var examples = ProviderFiles.Shipped.Load(provider).Model!.Examples;
        await using var place = await PeoplePlace.Start(provider: provider);
        await using var at = await Operator(place);
        await at.Follow("Gate");
        await at.Page.GetByRole(AriaRole.Heading, new() { Name = "Gate", Exact = true }).WaitForAsync();
        await at.Page.Locator("main a[href$='/examples']").ClickAsync();
        await at.Sees($"There are {examples.Count} of them. They have not been run since the start.");

        await at.Press("Run the examples");

        await at.Sees("The examples were run, and all is as written.");
        await at.Sees($"{examples.Count} of {examples.Count} answered as written");
        Assert.Equal(examples.Select(one => one.Name), await at.Page.Locator(".examples > li strong").AllInnerTextsAsync());
        Assert.All(await at.Page.Locator(".examples > li .status").AllInnerTextsAsync(), text => Assert.Equal("as written", text));
        Assert.NotEmpty(examples);
        Assert.Empty(at.Chromium.Complaints);
    }

    [Fact]
    public async Task Money_that_the_operator_puts_in_is_on_the_customers_wallet_page_with_its_reason_TX12()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorx");
        await using var customer = await Enter(place, Ada, "Ada Example", fund: false);
        await customer.Open($"{customer.Home}/wallet");
        await customer.Sees("No money has been put in yet.");
        Assert.Equal("0.00 USD", await customer.Fact("Balance"));
        await using var at = await Operator(place);
        await Find(at, Ada);
        await PutIn(at, "25", "Invoice <18> & \"thanks\"", "0.00 USD now and 25.00 USD after it");

        await customer.Open(customer.Home);
        await customer.Follow("Wallet");
        await customer.Page.GetByRole(AriaRole.Heading, new() { Name = "Wallet", Exact = true }).WaitForAsync();
        Assert.Equal("25.00 USD", await customer.Fact("Balance"));
        Assert.Equal(
            ["Jan 2, 2026, 3:04 AM", "Money put in", "+25.00", "25.00", "Invoice <18> & \"thanks\"", "Olga Operator"],
            await customer.Row("Statement", "Invoice"));
        Assert.Empty(customer.Chromium.Complaints.Concat(at.Chromium.Complaints));
    }

    [Fact]
    public async Task Somebody_is_invited_joins_by_the_link_of_the_mail_gets_another_role_and_is_put_out()
    {
        await using var place = await PeoplePlace.Start(provider: "tensorx");
        await using var ada = await Enter(place, Ada, "Ada Example");
        await using var grace = await Enter(place, Grace, "Grace Example");
        var team = await ada.MakeTeam();
        await Join(ada, grace, team, "member");
        Assert.Equal(0, await grace.Page.GetByRole(AriaRole.Link, new() { Name = "Invite somebody" }).CountAsync());
        Assert.Equal(403, await StatusOf($"{team}/invite"));

        await ada.Open(team);
        Assert.Equal(["Grace Example", Grace, "team member", "just now"], await ada.Row("Members", Grace));
        await ada.OpenRow("Members", Grace);
        await ada.Pick("role", "admin");
        await ada.Press("Change the role");
        await ada.Sees("The role is changed. It counts from the next click on.");
        Assert.Equal("team admin", await ada.Fact("Role"));
        await grace.Open(team);
        await grace.Follow("Invite somebody");
        await grace.Page.GetByRole(AriaRole.Heading, new() { Name = "Invite somebody", Exact = true }).WaitForAsync();

        await ada.Choose("Remove");
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "Remove Grace Example from Night shift" }).WaitForAsync();
        await ada.Press("Remove from the team");
        await ada.Sees("Grace Example is out of the team.");
        Assert.Equal(1, await ada.Page.Locator("[aria-label=Members] tbody tr").CountAsync());
        Assert.Equal(404, await StatusOf(team));
        Assert.Empty(ada.Chromium.Complaints.Concat(grace.Chromium.Complaints));

        async Task<int> StatusOf(string path) => (await grace.Page.GotoAsync(grace.Root + path))!.Status;
    }

    [Theory]
    [InlineData("tensorx", true, "USD")]
    [InlineData("tensoras", true, "no price")]
    [InlineData("tensorx", false, "USD")]
    [InlineData("tensoras", false, "no price")]
    public async Task A_key_is_tried_with_one_message_and_the_answer_its_tokens_and_its_cost_are_read(
        string provider, bool hasScript, string cost)
    {
        await using var place = await PeoplePlace.Start(provider: provider);
        await using var at = await Flow.Enter(place, Ada, hasScript: hasScript);
        await at.NewKey("My program");
        await at.Follow("I have stored it: try it");
        await at.Page.GetByRole(AriaRole.Heading, new() { Name = "Try it", Exact = true }).WaitForAsync();
        await at.Page.GetByLabel("Model", new() { Exact = true }).SelectOptionAsync(Model);
        await at.Fill("Message", "Tell me of gates");
        await at.Press("Send");

        await at.Page.Locator("#used dt").First.WaitForAsync();
        Assert.Contains("gates", await at.Page.Locator("#answer").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(("My program", Model, "200"), (await at.Fact("Key"), await at.Fact("Model"), await at.Fact("Status")));
        Assert.Matches("^[1-9][0-9]* in, [1-9][0-9]* out$", await at.Fact("Tokens"));
        Assert.EndsWith(cost, await at.Fact("Cost"), StringComparison.Ordinal);
        Assert.NotEqual("0.00 USD", await at.Fact("Cost"));
        Assert.False(await at.Page.Locator("#broken").IsVisibleAsync());
        Assert.Empty(at.Chromium.Complaints);
    }

    [Theory]
    [InlineData("tensorlake")]
    [InlineData("tensorone")]
    [InlineData("tensorpool")]
    public async Task Where_the_api_has_no_chat_no_page_offers_to_try_a_key(string provider)
    {
        await using var place = await PeoplePlace.Start(provider: provider);
        await using var at = await Flow.Enter(place, Ada);
        Assert.Equal(0, await at.Page.GetByRole(AriaRole.Link, new() { Name = "Try it" }).CountAsync());
        await at.NewKey("My program");
        await at.Follow("I have stored it");
        await at.Page.GetByRole(AriaRole.Heading, new() { Name = "My program", Exact = true }).WaitForAsync();
        Assert.Equal(0, await at.Page.Locator("a[href$='/try'], a[href*='/try?']").CountAsync());

        Assert.Equal(404, (await at.Page.GotoAsync($"{at.Root}{at.Home}/try"))!.Status);
        await at.Sees("This API has no chat to try a key with.");
    }

    private static async Task<Flow> Enter(
        PeoplePlace place, string email, string name, bool fund = true, bool hasScript = true, bool isOperator = false)
    {
        await place.SignedUp(email);
        await place.Run($"UPDATE people SET name = '{name}', is_operator = {(isOperator ? 1 : 0)} WHERE email_key = '{email}'");
        var flow = await Flow.Of(place, hasScript);
        await flow.Open("/sign-in");
        await flow.SignIn(email, PeoplePlace.Password);
        await flow.Sees("Overview");
        if (fund)
        {
            await place.Gate.Fund(await flow.OrganizationOf(email));
        }

        await flow.Begin();
        return flow;
    }

    private static Task<Flow> Operator(PeoplePlace place, bool hasScript = true) =>
        Enter(place, "olga@example.test", "Olga Operator", hasScript: hasScript, isOperator: true);

    /// <summary>Looks for a customer by an address, and opens its page.</summary>
    private static async Task Find(Flow at, string email)
    {
        await at.Follow("Customers");
        await at.Fill("Name, id, or a member's address", email);
        await at.Press("Search");
        await at.Sees("Show all");
        Assert.Equal(1, await at.Page.Locator("[aria-label=Customers] tbody tr").CountAsync());
        await at.OpenRow("Customers", email);
        await at.Sees("What was done lately");
    }

    private static async Task PutIn(Flow at, string amount, string reason, string said)
    {
        await at.Choose("Put money in");
        await at.Fill("Amount in USD", amount);
        await at.Fill("Why", reason);
        await at.Press("Go on");
        await at.Sees($"The balance is {said}.");
        await at.Sees($"The reason is told in the customer's statement: {reason}");
        await at.Page.Locator("main button[type=submit]").ClickAsync();
        await at.Sees("The money is in the wallet.");
    }

    /// <summary>The one invites, and the other joins by the mail and looks at the team.</summary>
    private static async Task Join(Flow owner, Flow member, string team, string role)
    {
        await owner.Open(team);
        await owner.Follow("Invite somebody");
        await owner.Fill("Address", Grace);
        await owner.Pick("role", role);
        await owner.Press("Send the invitation");
        await owner.Sees($"An invitation to {Grace} is on its way.");
        Assert.Equal($"team {role}", (await owner.Row("Invitations", Grace))[1]);

        await member.OpenMail(Grace);
        await member.Sees("Ada Example invites you to the team");
        await member.Press("Join the team");
        await member.Sees("You are in the team Night shift, as");
        await member.Follow("To the team");
        await member.Follow("Team");
        Assert.Equal($"team {role}", (await member.Row("Members", Grace))[2]);
    }
}
