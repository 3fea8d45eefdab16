using System.Text.RegularExpressions;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Console;

/// <summary>Pages of as much as there may be stay light: with sheet and script, none is over 150 KB, nothing compressed.</summary>
public sealed class PageWeightTests
{
    private const int Most = 120 * 1024;

    [Fact]
    public async Task A_team_of_as_many_as_there_may_be_is_read_in_parts_that_are_light()
    {
        await using var place = await ConsolePagesPlace.Start();
        Assert.True((await place.Gate.Database.Write<int>(async scope =>
        {
            await scope.Execute(
                $"""
                INSERT INTO people (person_no, id, name, email, email_key, verified_at_ms, stamp, is_operator, organization_id,
                                    created_at_ms, row_version)
                WITH RECURSIVE n(i) AS (SELECT 100001 UNION ALL SELECT i + 1 FROM n WHERE i < 100000 + {TeamRoster.MembersMax})
                SELECT i, 'per_of_a_large_team_' || i, 'Somebody of a large team ' || i, i || '@large.example.test',
                       i || '@large.example.test', 1, 's', 0, 'org_none', 1, 1 FROM n
                """);
            return await scope.Execute(
                """
                INSERT INTO team_members (member_no, organization_no, person_no, person_id, role, joined_at_ms)
                SELECT person_no, (SELECT organization_no FROM organizations WHERE id = @Organization), person_no, id, 'member',
                       2000000000000
                FROM people WHERE id LIKE 'per_of_a_large_team_%'
                """,
                new { place.Reach.Organization });
        })).IsOk);
        var (owner, seen, team) = (place.As("owner"), new HashSet<string>(StringComparer.Ordinal), $"{place.Home}/team");
        for (var next = team; next.Length > 0;)
        {
            var page = await owner.Get(next);
            Assert.True(page.Status == 200 && page.Text.Length < Most, $"{page.Text.Length} bytes");
            seen.UnionWith(Regex.Matches(page.Text, "Somebody of a large team [0-9]+").Select(found => found.Value));
            next = Regex.Match(page.Text, "href=\"([^\"]*)\">Later members").Groups[1].Value;
        }

        Assert.Equal(TeamRoster.MembersMax, seen.Count);
        var transfer = await owner.Get($"{team}/transfer");
        Assert.True(transfer.Text.Length < Most, $"{transfer.Text.Length} bytes");
        var customer = await place.As("operator").Get($"/console/operator/customers/{place.Reach.Organization}");
        Assert.True(customer.Status == 200 && customer.Text.Length < Most, $"{customer.Text.Length} bytes");
        Assert.Matches("And 4[0-9]{2} more, who are found", customer.Text);
    }

    [Fact]
    public async Task Usage_of_a_thousand_keys_with_long_names_and_a_thousand_webhooks_are_light()
    {
        await using var place = await ConsolePagesPlace.Start();
        await place.Check(await place.Gate.NewSecret(project: place.Reach.Project));
        var owner = place.As("owner");
        await owner.Get(place.Home);
        var made = await place.Gate.Send(
            "POST", $"/api/v1/organizations/{place.Reach.Organization}/webhooks", RunningGate.RootKey,
            """{"url":"https://webhooks.invalid/","events":["*"]}""");
        Assert.True((await place.Gate.Database.Write<int>(async scope =>
        {
            await scope.Execute(
                """
                INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses,
                                  metadata, limits, models, holds, created_at_ms, created_by, row_version)
                WITH RECURSIVE n(i) AS (SELECT 1000001 UNION ALL SELECT i + 1 FROM n WHERE i < 1001000)
                SELECT i, 'key_of_a_thousand_' || i, project_no, environment, type, @name, permissions, scopes, rights,
                       allowed_addresses, metadata, limits, models, 0, created_at_ms, created_by, row_version
                FROM n, keys WHERE key_no = (SELECT min(key_no) FROM usage_key_days)
                """,
                new { name = new string('\u9418', 50) });
            await scope.Execute(
                """
                INSERT INTO usage_key_days (place_no, from_ms, key_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                            loss_micros, priced, estimated, cached_tokens, reasoning_tokens)
                SELECT place_no, from_ms, n.key_no, 123456, 1234, 123456789, 123456789, 123456789, 0, 1, 0, 0, 0
                FROM (SELECT key_no FROM keys WHERE key_no > 1000000) n, usage_key_days
                """);
            return await scope.Execute(
                $"""
                INSERT INTO webhooks (webhook_no, id, organization_no, organization_id, project_id, url, events, enabled, secret, pending,
                                      dropped, failures, created_at_ms, row_version)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {WebhookRegister.WithProjectsMax - 1})
                SELECT 1000000 + i, 'whk_of_a_thousand_' || i, organization_no, organization_id, 'prj_deleted', url, events, 1, secret,
                       0, 0, 0, 1, 1
                FROM n, webhooks WHERE id = @id
                """,
                new { id = made.String("id") });
        })).IsOk);

        foreach (var path in new[] { $"{place.Home}/usage?by=key", $"/console/{place.Reach.Organization}/webhooks" })
        {
            var page = await owner.Get(path);
            Assert.True(page.Status == 200 && page.Text.Length is > 20_000 and < Most, $"{path}: {page.Status}, {page.Text.Length} bytes");
        }
    }
}
