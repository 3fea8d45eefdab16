using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>Money that comes in and is corrected, over HTTP: once, whole, or not at all.</summary>
public sealed class WalletEntryTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_is_entered_is_answered_listed_and_audited(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        Assert.Equal("0.00 0.00 0.00", await gate.Figures());

        var made = (await gate.Post("""{"kind":"top_up","amount":"50.00","external_id":"evt 1","note":"card"}"""))
            .Has(HttpStatusCode.Created);
        Assert.Equal(
            "{'number':1,'kind':'top_up','amount':'50.00','balance_after':'50.00','external_id':'evt 1','note':'card','requests':null,"
            + "'created_at':'2026-01-02T03:04:05Z','created_by':'root'}",
            made.Text.Replace('"', '\''));
        (await gate.Enter("adjustment", "-0.000125", "evt 2")).Has(HttpStatusCode.Created);
        (await gate.Enter("refund", "7", "evt 3")).Has(HttpStatusCode.Created);
        (await gate.Enter("adjustment", "0.5", "evt 4")).Has(HttpStatusCode.Created);

        Assert.Equal("57.499875 0.00 57.499875", await gate.Figures());
        Assert.Equal("USD", (await gate.Wallet()).String("currency"));
        Assert.Equal(
            ["adjustment 0.50 57.499875", "refund 7.00 56.999875", "adjustment -0.000125 49.999875", "top_up 50.00 50.00"],
            await gate.Told());
        var audit = (await gate.Send("GET", "/api/v1/audit?action=wallet.refund", RunningGate.RootKey)).Json.GetProperty("data")[0];
        Assert.Equal("7.00", audit.GetProperty("after").GetProperty("amount").GetString());
        Assert.Equal(gate.OrganizationId, audit.GetProperty("organization_id").GetString());
    }

    [Theory]
    [InlineData("""{"kind":"top_up","amount":"-1","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"0","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"refund","amount":"-1","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"refund","amount":"0.000000","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"adjustment","amount":"-0","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"0.0000001","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"1e3","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"+1","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"1,000","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"NaN","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"1000000000.000001","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":"99999999999999999999","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":50.00,"external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","amount":null,"external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"top_up","external_id":"x"}""", 422, "/amount")]
    [InlineData("""{"kind":"usage","amount":"1","external_id":"x"}""", 422, "/kind")]
    [InlineData("""{"kind":"Top_up","amount":"1","external_id":"x"}""", 422, "/kind")]
    [InlineData("""{"amount":"1","external_id":"x"}""", 422, "/kind")]
    [InlineData("""{"kind":"top_up","amount":"1"}""", 422, "/external_id")]
    [InlineData("""{"kind":"top_up","amount":"1","external_id":""}""", 422, "/external_id")]
    [InlineData("""{"kind":"top_up","amount":"1","external_id":"a\nb"}""", 422, "/external_id")]
    [InlineData("""{"kind":"top_up","amount":"1","external_id":"x","note":"a\u0007"}""", 422, "/note")]
    [InlineData("""{"kind":"top_up","amount":"1","external_id":"x","currency":"EUR"}""", 422, "/currency")]
    [InlineData("""{"kind":"top_up","amount":"1","amount":"2","external_id":"x"}""", 400, null)]
    [InlineData("""{"kind":"top_up","amount":"1","external_id":"x","external_id":"y"}""", 400, null)]
    [InlineData("""["top_up"]""", 400, null)]
    public async Task What_is_no_sound_entry_is_refused_with_its_place_and_nothing_is_stored(string body, int status, string? pointer)
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        var before = await gate.Rows();

        var refused = await gate.Post(body);

        Assert.Equal(status, (int)refused.Status);
        Assert.Equal(status == 422 ? "validation_failed" : "invalid_json", refused.String("code"));
        if (pointer is not null)
        {
            Assert.Equal(pointer, refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
        }

        Assert.Equal(before, await gate.Rows());
        Assert.Equal("0.00 0.00 0.00", await gate.Figures());
    }

    [Fact]
    public async Task Ids_notes_and_balances_are_taken_up_to_their_bounds_and_not_one_past_them()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        var (id, note) = (new string('x', 200), new string('n', 500));
        (await gate.Post($$"""{"kind":"top_up","amount":"999999999.5","external_id":"{{id}}","note":"{{note}}"}"""))
            .Has(HttpStatusCode.Created);
        (await gate.Post($$"""{"kind":"top_up","amount":"1","external_id":"{{id}}y"}""")).Has(
            HttpStatusCode.UnprocessableEntity, "validation_failed");
        (await gate.Post($$"""{"kind":"top_up","amount":"1","external_id":"y","note":"{{note}}n"}""")).Has(
            HttpStatusCode.UnprocessableEntity, "validation_failed");

        var over = (await gate.Enter("top_up", "0.500001", "over")).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        Assert.Contains("above 1000000000.00", over.Text, StringComparison.Ordinal);
        (await gate.Enter("top_up", "0.500000", "over")).Has(HttpStatusCode.Created);
        Assert.Equal("1000000000.00 0.00 1000000000.00", await gate.Figures());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_external_id_counts_once_in_its_organization_for_good_with_and_without_an_idempotency_key(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        var first = (await gate.Enter("top_up", "50.00", "evt")).Has(HttpStatusCode.Created);

        var again = (await gate.Enter("top_up", "50", "evt")).Has(HttpStatusCode.OK);
        Assert.Equal(first.Text, again.Text);
        (await gate.Enter("top_up", "50.01", "evt")).Has(HttpStatusCode.UnprocessableEntity, "external_id_mismatch");
        (await gate.Enter("refund", "50.00", "evt")).Has(HttpStatusCode.UnprocessableEntity, "external_id_mismatch");
        (await gate.Enter("adjustment", "-50.00", "evt")).Has(HttpStatusCode.UnprocessableEntity, "external_id_mismatch");
        Assert.Equal("50.00 0.00 50.00", await gate.Figures());

        var keyed = (await Keyed("key-1")).Has(HttpStatusCode.OK);
        Assert.Equal(first.Text, keyed.Text);
        Assert.Equal("true", (await Keyed("key-1")).Headers["Idempotency-Replayed"]);
        Assert.Equal(1, (await gate.Stored()).Entries);

        // Another organization's events have nothing to do with it.
        var other = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Other\"}")).String("id");
        (await gate.Enter("top_up", "3", "evt", other)).Has(HttpStatusCode.Created);
        Assert.Equal("3.00 0.00 3.00", await gate.Figures(other));

        // A negative one again, when the money for it is no longer there.
        (await gate.Enter("adjustment", "-50", "out")).Has(HttpStatusCode.Created);
        (await gate.Enter("adjustment", "-50", "out")).Has(HttpStatusCode.OK);
        Assert.Equal("0.00 0.00 0.00", await gate.Figures());

        // And when it is: nothing stays taken.
        await gate.TopUp("60", "evt 2");
        (await gate.Enter("adjustment", "-50", "out")).Has(HttpStatusCode.OK);
        Assert.Equal("60.00 0.00 60.00", await gate.Figures());

        Task<Answer> Keyed(string key) => gate.Send(
            "POST", $"/api/v1/organizations/{gate.OrganizationId}/wallet/entries", RunningGate.RootKey,
            Wallets.Body("top_up", "50.00", "evt"), ("Idempotency-Key", key));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Fifty_posts_of_one_event_at_once_make_one_entry(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => gate.Enter("top_up", "1.25", "evt")));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.Equal(49, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Equal((Wallets.Dollars("1.25"), Wallets.Dollars("1.25"), 1), await gate.Stored());
        Assert.Equal("1.25 0.00 1.25", await gate.Figures());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_adjustment_takes_what_is_available_and_nothing_that_is_held(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("10", "evt");
        var balance = await gate.Balance();
        Assert.True(balance.TryHold(Wallets.Dollars("4")));

        var refused = (await gate.Enter("adjustment", "-6.000001", "out")).Has(HttpStatusCode.Conflict, "conflict");
        Assert.Contains("Only 6.00 of the balance of 10.00 is available; 4.00 is held", refused.String("detail"), StringComparison.Ordinal);
        Assert.Equal("10.00 4.00 6.00", await gate.Figures());
        (await gate.Enter("adjustment", "-6", "out")).Has(HttpStatusCode.Created);
        Assert.Equal("4.00 4.00 0.00", await gate.Figures());

        balance.Settle(Wallets.Dollars("4"), Wallets.Dollars("3"));
        await gate.Book("3");
        Assert.Equal("1.00 0.00 1.00", await gate.Figures());
        Assert.Equal((Wallets.Dollars("1"), Wallets.Dollars("1"), 3), await gate.Stored());
    }

    [Fact]
    public async Task Entries_are_told_page_by_page_newest_first_and_a_cursor_is_its_lists_alone()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        for (var i = 1; i <= 5; i++)
        {
            await gate.TopUp("1", i.Text());
        }

        var first = await gate.Entries("?limit=2");
        var second = await gate.Entries($"?limit=2&cursor={first.String("next_cursor")}");
        var third = await gate.Entries($"?limit=2&cursor={second.String("next_cursor")}");
        Assert.Equal(
            ["5", "4", "3", "2", "1"],
            new[] { first, second, third }.SelectMany(page => page.Json.GetProperty("data").EnumerateArray())
                .Select(entry => entry.GetProperty("external_id").GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, third.Json.GetProperty("next_cursor").ValueKind);
        var other = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Other\"}")).String("id");
        (await gate.Entries($"?limit=2&cursor={first.String("next_cursor")}", other)).Has(HttpStatusCode.BadRequest, "invalid_cursor");
        (await gate.Entries("?limit=101")).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
    }

    [Fact]
    public async Task An_organizations_own_keys_look_with_usage_read_and_nobody_but_the_operator_puts_money_in()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        await gate.TopUp("10", "evt");
        var reader = await gate.NewSecret("\"name\":\"Reader\",\"rights\":[\"usage:read\"]");
        var other = await gate.NewSecret("\"name\":\"Other\",\"rights\":[\"keys:read\"]");
        var foreign = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Other\"}")).String("id");

        (await gate.Wallet(key: reader)).Has(HttpStatusCode.OK);
        (await gate.Wallet(key: other)).Has(HttpStatusCode.Forbidden, "right_missing");
        (await gate.Wallet(foreign, reader)).Has(HttpStatusCode.NotFound, "not_found");
        (await gate.Post(Wallets.Body("top_up", "1", "y"), key: reader)).Has(HttpStatusCode.Forbidden, "operator_only");
        (await gate.Wallet("org_nosuch")).Has(HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    public async Task Without_wallets_in_the_provider_file_there_are_none()
    {
        await using var gate = await RunningGate.Start(Wallets.Provider(null));
        (await gate.Wallet()).Has(HttpStatusCode.NotFound, "not_found");
        (await gate.Entries()).Has(HttpStatusCode.NotFound, "not_found");
        (await gate.Enter("top_up", "1", "x")).Has(HttpStatusCode.NotFound, "not_found");
    }
}
