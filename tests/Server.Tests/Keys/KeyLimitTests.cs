using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Verification;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>Limits of one key below its plan's.</summary>
public sealed class KeyLimitTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_keeps_its_own_limits_by_name_and_the_check_knows_them_by_number(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        string id, secret;
        await using (var gate = await provider.Start())
        {
            var made = (await gate.Create("\"name\":\"Slow\",\"limits\":{\"tpm\":500,\"rpm\":10}")).Has(HttpStatusCode.Created);
            (id, secret) = (made.String("id"), made.String("secret"));
            Assert.Equal("{\"rpm\":10,\"tpm\":500}", Limits(made));
            Assert.Equal([new KeyLimit(0, 10), new KeyLimit(1, 500)], await Known(gate, secret));

            // A number sets, null takes away, what is not mentioned stays; the next check obeys.
            Assert.Equal("{\"rpm\":3,\"tpm\":500}", Limits(await Patch(gate, id, "{\"rpm\":3}")));
            Assert.Equal([new KeyLimit(0, 3), new KeyLimit(1, 500)], await Known(gate, secret));
            Assert.Equal("{\"rpm\":3,\"parallel\":4}", Limits(await Patch(gate, id, "{\"tpm\":null,\"parallel\":4}")));
            Assert.Equal("{\"rpm\":3,\"parallel\":4}", Limits(await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)));
            Assert.Equal([new KeyLimit(0, 3), new KeyLimit(2, 4)], await Known(gate, secret));
            Assert.Equal("{\"rpm\":3,\"parallel\":4}", Limits(await gate.Act(id, "rotate", "{\"grace_seconds\":600}")));
            var audit = await gate.Send("GET", $"/api/v1/audit?target_id={id}&action=key.change", RunningGate.RootKey);
            Assert.Contains("\"limits\":{\"rpm\":3,\"parallel\":4}", audit.Text, StringComparison.Ordinal);
        }

        // Numbers are those of the file as it stands: names were kept.
        provider.Say(PlannedProvider.Plans.Replace(
            "  - { name: rpm", "  - { name: first, counts: requests, per: 1h, amount: 9 }\n  - { name: rpm", StringComparison.Ordinal));
        await using (var gate = await provider.Start())
        {
            Assert.Equal([new KeyLimit(1, 3), new KeyLimit(3, 4)], await Known(gate, secret));
            Assert.Equal("{}", Limits(await Patch(gate, id, "null")));
            Assert.Empty(await Known(gate, secret));
        }
    }

    [Theory]
    [InlineData("{\"rps\":1}", "/limits/rps", "rpm, tpm, parallel")]
    [InlineData("{\"rpm\":0}", "/limits/rpm", "between 1 and 10")]
    [InlineData("{\"rpm\":-1}", "/limits/rpm", "between 1 and 10")]
    [InlineData("{\"rpm\":11}", "/limits/rpm", "plan small")]
    [InlineData("{\"tpm\":1001}", "/limits/tpm", "between 1 and 1000")]
    [InlineData("{\"parallel\":5}", "/limits/parallel", "between 1 and 4")]
    [InlineData("{\"rpm\":1.5}", "/limits/rpm", "a whole number")]
    [InlineData("{\"rpm\":1e300}", "/limits/rpm", "a whole number")]
    [InlineData("{\"rpm\":99999999999999999999}", "/limits/rpm", "a whole number")]
    [InlineData("{\"rpm\":\"5\"}", "/limits/rpm", "a whole number")]
    [InlineData("[\"rpm\"]", "/limits", "an object")]
    [InlineData("5", "/limits", "an object")]
    public async Task What_is_no_limit_below_the_plans_is_refused_and_nothing_is_stored(string limits, string pointer, string expected)
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var (id, _) = await gate.NewPair();
        var rows = await gate.Rows();
        foreach (var refused in new[] { await gate.Create($"\"name\":\"No\",\"limits\":{limits}"), await Patch(gate, id, limits) })
        {
            refused.Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
            Assert.Equal(pointer, refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
            Assert.Contains(expected, refused.String("detail"), StringComparison.Ordinal);
        }

        Assert.Equal(rows, await gate.Rows());
        Assert.Equal("{}", Limits(await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)));
        (await gate.Create("\"name\":\"Twice\",\"limits\":{\"rpm\":1,\"rpm\":2}")).Has(HttpStatusCode.BadRequest, "invalid_json");
    }

    [Fact]
    public async Task What_a_plan_bounds_nowhere_is_bounded_by_the_largest_number_and_a_smaller_plan_leaves_what_is_there()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var (id, secret) = await gate.NewPair();
        await gate.Send("PATCH", $"/api/v1/organizations/{gate.OrganizationId}", RunningGate.RootKey, "{\"plan\":\"large\"}");
        (await Patch(gate, id, "{\"rpm\":1000000001}")).Has(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("{\"rpm\":1000000000}", Limits(await Patch(gate, id, "{\"rpm\":1000000000}")));

        await gate.Send("PATCH", $"/api/v1/organizations/{gate.OrganizationId}", RunningGate.RootKey, "{\"plan\":\"small\"}");
        Assert.Equal("{\"rpm\":1000000000,\"tpm\":5}", Limits(await Patch(gate, id, "{\"tpm\":5}")));
        Assert.Equal([new KeyLimit(0, 1_000_000_000), new KeyLimit(1, 5)], await Known(gate, secret));
        (await Patch(gate, id, "{\"rpm\":11}")).Has(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_provider_without_limits_takes_none()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, more: "");
        await using var gate = await provider.Start();
        var refused = (await gate.Create("\"name\":\"No\",\"limits\":{\"rpm\":1}")).Has(HttpStatusCode.UnprocessableEntity);
        Assert.Contains("this provider has no limits", refused.String("detail"), StringComparison.Ordinal);
        (await gate.Create("\"name\":\"Yes\",\"limits\":{}")).Has(HttpStatusCode.Created);
        (await gate.Create("\"name\":\"Yes\",\"limits\":null")).Has(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_limit_that_the_file_has_no_more_counts_nothing_is_logged_once_and_can_be_taken_away()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        string id, secret, other;
        await using (var gate = await provider.Start())
        {
            (id, secret) = await gate.NewPair("\"name\":\"Slow\",\"limits\":{\"rpm\":5,\"tpm\":5}");
            (_, other) = await gate.NewPair("\"name\":\"Slow too\",\"limits\":{\"tpm\":6}");
        }

        provider.Say(PlannedProvider.Plans.Replace("tpm", "tokens", StringComparison.Ordinal));
        await using var again = await provider.Start(logLevel: "warning");
        var log = LogCapture.Of(again);
        Assert.Equal([new KeyLimit(0, 5)], await Known(again, secret));
        Assert.Empty(await Known(again, other));
        Assert.Single(log.Lines, line => line.Contains("has no limit tpm any more", StringComparison.Ordinal));
        Assert.Equal("{\"rpm\":5}", Limits(await Patch(again, id, "{\"tpm\":null}")));
        (await Patch(again, id, "{\"tpm\":null}")).Has(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_key_makes_and_renews_none_that_is_limited_less_than_itself_and_takes_no_limit_off_itself()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var (self, manager) = await gate.NewPair("\"name\":\"Manager\",\"rights\":[\"keys:manage\"],\"limits\":{\"rpm\":5}");
        var (wide, _) = await gate.NewPair("\"name\":\"Wide\",\"limits\":{\"rpm\":6}");
        var (free, _) = await gate.NewPair("\"name\":\"Free\"");
        var rows = await gate.Rows();
        foreach (var limits in new[] { "{\"rpm\":6}", "{}", "{\"tpm\":1}" })
        {
            var refused = (await gate.Create($"\"name\":\"No\",\"limits\":{limits}", manager))
                .Has(HttpStatusCode.Forbidden, "wider_than_caller");
            Assert.Contains("limit rpm is 5", refused.String("detail"), StringComparison.Ordinal);
        }

        foreach (var id in new[] { wide, free })
        {
            (await gate.Act(id, "regenerate", null, manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        }

        (await Patch(gate, self, "{\"rpm\":6}", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        (await Patch(gate, self, "{\"rpm\":null}", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        (await Patch(gate, self, "null", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        Assert.Equal(rows, await gate.Rows());

        Assert.Equal("{\"rpm\":4}", Limits(await Patch(gate, self, "{\"rpm\":4}", manager)));
        (await gate.Create("\"name\":\"Yes\",\"limits\":{\"rpm\":4,\"tpm\":9}", manager)).Has(HttpStatusCode.Created);
    }

    private static string Limits(Answer answer) => answer.Json.GetProperty("limits").GetRawText();

    private static Task<Answer> Patch(RunningGate gate, string id, string limits, string? key = null) =>
        gate.Send("PATCH", $"/api/v1/keys/{id}", key ?? RunningGate.RootKey, $"{{\"limits\":{limits}}}");

    /// <summary>What the check knows, after it was asked and so has read the key.</summary>
    private static async Task<IReadOnlyList<KeyLimit>> Known(RunningGate gate, string secret)
    {
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var request = new CheckRequest { Secret = Encoding.ASCII.GetBytes(secret), NowMs = gate.Clock.NowMs };
        return gate.Services.GetRequiredService<Gatekeeper>().Check(request).Key.Profile.Limits;
    }
}
