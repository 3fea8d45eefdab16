using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Access;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Reach;

/// <summary>Which rights people give to keys by their roles, and what asks them for a fresh sign-in.</summary>
public sealed class GivenRightsTests(Gates gates) : IClassFixture<Gates>
{
    private static readonly string[] Everything =
        ["verify", "usage:write", "usage:read", "keys:read", "keys:manage", "audit:read", "webhooks:manage"];

    /// <summary>Whoever makes keys, with the rights they give. A project member does where the provider lets members make keys.</summary>
    public static TheoryData<string, string[]> Givers => new()
    {
        { "owner", Everything },
        { "admin", Everything },
        { "operator", Everything },
        { "project admin", ["keys:read", "keys:manage", "audit:read"] },
        { "project member", ["keys:read"] },
    };

    [Theory, MemberData(nameof(Givers))]
    public async Task TL12_K7_nobody_gives_a_key_a_right_that_their_role_has_not_or_gets_the_secret_of_one_with_it(
        string who, string[] gives)
    {
        Assert.Equal(Everything, RightNames.All);
        await using var gate = await Gate();
        var place = await ReachPlace.Make(gate);
        var keys = $"/api/v1/projects/{place.Project}/keys";
        foreach (var right in Everything)
        {
            var (may, rights) = (gives.Contains(right), $"\"rights\":[\"{right}\"]");
            Expect(await place.As(who, "POST", keys, $"{{\"name\":\"New key\",{rights}}}"), may);
            var own = (await place.As(who, "POST", keys, "{\"name\":\"Own key\"}")).Has(HttpStatusCode.Created).String("id");
            var path = $"/api/v1/keys/{own}";
            Expect(await place.As(who, "PATCH", path, $"{{{rights}}}"), may);

            // Who looks after a key that somebody else has widened gets its secret no more than that of a foreign one.
            (await gate.Send("PATCH", path, RunningGate.RootKey, $"{{{rights}}}")).Has(HttpStatusCode.OK);
            (await place.As(who, "PATCH", path, "{\"name\":\"Renamed\",\"allowed_addresses\":[\"127.0.0.1\"]}")).Has(HttpStatusCode.OK);
            Expect(await place.As(who, "PATCH", path, "{\"allowed_addresses\":[]}"), may);
            Expect(await place.As(who, "POST", path + "/regenerate"), may);
            Expect(await place.As(who, "POST", path + "/rotate"), may);
            Expect(await place.As(who, "POST", path + "/reveal"), may);
            (await place.As(who, "POST", path + "/disable")).Has(HttpStatusCode.OK);
            Expect(await place.As(who, "POST", path + "/enable"), may);
            (await place.As(who, "PATCH", path, "{\"rights\":[]}")).Has(HttpStatusCode.OK);
            (await place.As(who, "POST", path + "/revoke")).Has(HttpStatusCode.OK);

            void Expect(Answer answer, bool isAllowed)
            {
                if (isAllowed)
                {
                    Assert.True((int)answer.Status is 200 or 201, $"{who} {right}: {answer}");
                    return;
                }

                answer.Has(HttpStatusCode.Forbidden, "wider_than_caller");
                Assert.Equal(right, answer.String("required_permission"));
                Assert.Contains(right, answer.String("detail"), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void The_guide_says_which_role_gives_which_right()
    {
        var guide = File.ReadAllText(Path.Combine(Repository.Root, "docs/guides/teams.md"));
        (string Name, Roles Role)[] columns =
        [
            ("owner", Roles.Owner), ("admin", Roles.Admin), ("project admin", Roles.ProjectAdmin),
            ("project member", Roles.ProjectMember | Roles.Maker),
        ];
        Assert.Contains($"| right | {string.Join(" | ", columns.Select(column => column.Name))} |", guide, StringComparison.Ordinal);
        foreach (var right in RightNames.All)
        {
            var marks = columns.Select(column => RightNames.Of(RoleTable.MayGive(column.Role)).Contains(right) ? "yes" : " ");
            Assert.Contains($"| `{right}` | {string.Join(" | ", marks)} |", guide, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W12_to_make_an_owner_or_unmake_one_asks_for_a_sign_in_of_the_last_minutes(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var place = await ReachPlace.Make(gate);
        var members = $"/api/v1/organizations/{place.Organization}/members/";
        gate.Clock.Advance(SignedIn.FreshFor + TimeSpan.FromMilliseconds(1));
        foreach (var who in new[] { "owner", "operator" })
        {
            (await place.As(who, "PATCH", members + place["admin"].Person.Id, "{\"role\":\"owner\"}"))
                .Has(HttpStatusCode.Forbidden, "proof_needed");
            // What makes nobody an owner goes on.
            (await place.As(who, "PATCH", members + place["billing"].Person.Id, "{\"role\":\"admin\"}")).Has(HttpStatusCode.OK);
            (await place.As(who, "PATCH", members + place["billing"].Person.Id, "{\"role\":\"billing\"}")).Has(HttpStatusCode.OK);
        }

        (await gate.Send("PATCH", members + place["admin"].Person.Id, RunningGate.RootKey, "{\"role\":\"owner\"}")).Has(HttpStatusCode.OK);
        (await place.As("owner", "PATCH", members + place["admin"].Person.Id, "{\"role\":\"member\"}"))
            .Has(HttpStatusCode.Forbidden, "proof_needed");
        (await place.As("owner", "DELETE", members + place["admin"].Person.Id)).Has(HttpStatusCode.Forbidden, "proof_needed");
        var fresh = (await gate.Database.Write<SignedPerson>(
            async scope => await SignedPerson.Begin(gate, scope, place["owner"].Person))).Value;
        (await fresh.Send(gate, "PATCH", members + place["admin"].Person.Id, "{\"role\":\"admin\"}")).Has(HttpStatusCode.OK);
        (await fresh.Send(gate, "PATCH", members + place["admin"].Person.Id, "{\"role\":\"owner\"}")).Has(HttpStatusCode.OK);
        // To go oneself hands nothing over.
        (await place.As("admin", "DELETE", members + place["admin"].Person.Id)).Has(HttpStatusCode.OK);
    }

    [Fact]
    public async Task W12_what_an_operator_gives_or_takes_asks_for_a_sign_in_of_the_last_minutes()
    {
        await using var gate = await Gate();
        var place = await ReachPlace.Make(gate);
        var organization = $"/api/v1/organizations/{place.Organization}";
        var person = $"/api/v1/operator/people/{place["viewer"].Person.Id}";
        var entry = "{\"kind\":\"top_up\",\"amount\":\"1\",\"external_id\":\"stale\"}";
        var own = $"/api/v1/projects/{gate.ProjectId}/keys";
        (string Method, string Path, string Body)[] calls =
        [
            ("POST", organization + "/wallet/entries", entry),
            ("PATCH", organization, $"{{\"plan\":\"{gate.Services.GetRequiredService<ProviderModel>().Plans[0].Name}\"}}"),
            ("PATCH", organization, "{\"status\":\"suspended\"}"),
            ("PATCH", organization, "{\"status\":\"active\"}"),
            ("PATCH", person, "{\"status\":\"suspended\"}"),
            ("PATCH", person, "{\"status\":\"active\"}"),
            // Keys of the operator's own organization act for every customer.
            ("POST", own, "{\"name\":\"New key\",\"rights\":[\"verify\"]}"),
            ("POST", own, "{\"name\":\"New key\",\"rights\":[\"usage:read\"]}"),
            ("POST", own, "{\"name\":\"New key\",\"rights\":[\"usage:write\"]}"),
        ];
        gate.Clock.Advance(SignedIn.FreshFor + TimeSpan.FromMilliseconds(1));
        foreach (var (method, path, body) in calls)
        {
            (await place.As("operator", method, path, body)).Has(HttpStatusCode.Forbidden, "proof_needed");
        }

        (await place.As("operator", "PATCH", organization, "{\"name\":\"Renamed\"}")).Has(HttpStatusCode.OK);
        (await place.As("operator", "POST", own, "{\"name\":\"New key\",\"rights\":[\"audit:read\"]}")).Has(HttpStatusCode.Created);
        (await place.As("operator", "POST", $"/api/v1/projects/{place.Project}/keys", "{\"name\":\"New key\",\"rights\":[\"verify\"]}"))
            .Has(HttpStatusCode.Created);
        var fresh = (await gate.Database.Write<SignedPerson>(
            async scope => await SignedPerson.Begin(gate, scope, place["operator"].Person))).Value;
        foreach (var (method, path, body) in calls)
        {
            var answer = await fresh.Send(gate, method, path, body);
            Assert.True((int)answer.Status is 200 or 201, $"{method} {path} {body}: {answer}");
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task People_make_so_many_projects_in_an_organization_and_no_more(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var path = $"/api/v1/organizations/{place.Organization}/projects";
        var register = place.Gate.Services.GetRequiredService<OrganizationRegister>();
        // Two are there.
        var made = await place.Gate.Database.Write<bool>(
            async scope =>
            {
                for (var i = 2; i < OrganizationRegister.ProjectsMax - 1; i++)
                {
                    Assert.True((await register.CreateProject(scope, place.Organization, "One of many")).IsOk);
                }

                return true;
            },
            MutationContext.Of(Caller.Root));
        Assert.True(made.IsOk);
        var last = (await place.As("owner", "POST", path, "{\"name\":\"The last\"}")).Has(HttpStatusCode.Created).String("id");
        (await place.As("owner", "POST", path, "{\"name\":\"Too many\"}")).Has(HttpStatusCode.Conflict, "conflict");
        (await place.As("owner", "DELETE", $"/api/v1/projects/{last}")).Has(HttpStatusCode.OK);
        (await place.As("admin", "POST", path, "{\"name\":\"Instead\"}")).Has(HttpStatusCode.Created);
        (await place.As("admin", "POST", path, "{\"name\":\"Too many\"}")).Has(HttpStatusCode.Conflict, "conflict");
        (await place.As("operator", "POST", path, "{\"name\":\"Not bound\"}")).Has(HttpStatusCode.Created);
        (await place.Gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"Not bound\"}")).Has(HttpStatusCode.Created);
    }

    /// <summary>All operations on offer, secrets kept, members make keys, money.</summary>
    private static Task<RunningGate> Gate() => RunningGate.Start(
        "tensorpool", new GateOptions { LogLevel = "none" }, with: provider => provider with
        {
            Keys = provider.Keys with { Operations = (KeyOperations)~0 },
            Wallet = Wallets.Rules,
            Teams = new TeamRules { MembersMakeKeys = true },
        });
}
