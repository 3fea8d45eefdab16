using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>What a stranger learns from a refused key is that it was refused.</summary>
public sealed class StrangerTests(Gates gates) : IClassFixture<Gates>
{
    public static TheoryData<string> Providers => [.. ProviderFiles.Shipped.Names().Where(name => name != "template")];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Unknown_malformed_revoked_deleted_expired_disabled_and_replaced_keys_read_the_same(string provider)
    {
        var gate = await gates.Of(provider);
        var model = gate.Services.GetRequiredService<ProviderModel>();
        var bad = await BadKeys(gate, model);
        var paths = new List<string> { Path(model), $"/api/v1/projects/{gate.ProjectId}" };
        paths.AddRange(model.Surface.Routes.Where(route => route.Method == Methods.Get).Select(route => route.Pattern.Text));
        foreach (var path in paths)
        {
            var expected = await gate.Send("GET", path, bad["unknown"]);
            Assert.Equal(HttpStatusCode.Unauthorized, expected.Status);
            Assert.Equal("Bearer", expected.Headers["WWW-Authenticate"]);
            foreach (var (state, secret) in bad)
            {
                var answer = await gate.Send("GET", path, secret);
                Assert.True(expected.Plain() == answer.Plain(), $"{provider} {path} {state}: {answer} instead of {expected}");
            }
        }
    }

    [Fact]
    public async Task Another_projects_key_reads_like_an_unknown_one_where_a_path_names_the_project()
    {
        var gate = await gates.Of("tensorlake");
        var model = gate.Services.GetRequiredService<ProviderModel>();
        var path = $"/platform/v1/organizations/{gate.OrganizationId}/projects/{gate.ProjectId}/secrets";
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", path, await gate.NewSecret())).Status);
        var other = await gate.Send("GET", path, await gate.NewSecret("\"name\":\"Other\"", await gate.NewProject()));
        Assert.Equal((await gate.Send("GET", path, model.Keys.Format.Mint(0))).Plain(), other.Plain());
    }

    [Fact]
    public async Task Once_seen_no_refused_key_costs_a_look_into_the_database()
    {
        // Equal work: with the database gone, whatever still needed it would answer 500 or 503.
        var gate = await RunningGate.Start("default");
        var model = gate.Services.GetRequiredService<ProviderModel>();
        var bad = await BadKeys(gate, model);
        foreach (var secret in bad.Values)
        {
            await gate.Send("GET", "/v1/models", secret);
        }

        await gate.Database.DisposeAsync();
        foreach (var (state, secret) in bad)
        {
            var answer = await gate.Send("GET", "/v1/models", secret);
            Assert.True(answer.Status == HttpStatusCode.Unauthorized, $"{state}: {answer}");
        }

        Assert.InRange((int)(await gate.Send("GET", "/v1/models", model.Keys.Format.Mint(0))).Status, 500, 503);
        await gate.DisposeAsync();
    }

    private static async Task<Dictionary<string, string>> BadKeys(RunningGate gate, ProviderModel model)
    {
        var bad = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["unknown"] = model.Keys.Format.Mint(0),
            ["junk"] = "not-a-key",
            ["too long"] = new string('k', 10_000),
            ["empty prefix"] = model.Keys.Environments[0].Prefix,
        };
        bad["bad checksum"] = bad["unknown"][..^1] + (bad["unknown"][^1] == 'a' ? 'b' : 'a');
        var expiry = model.Keys.Expiry == ExpiryRule.Required ? ",\"expires_at\":\"2099-01-01T00:00:00Z\"" : "";
        async Task<(string Id, string Secret)> New() => await gate.NewPair($"\"name\":\"To be refused\"{expiry}");

        var (id, secret) = await New();
        await gate.Act(id, "revoke");
        bad["revoked"] = secret;
        (id, secret) = await New();
        await gate.Act(id, "disable");
        bad["disabled"] = secret;
        if (model.Keys.Offers(KeyOperations.Delete))
        {
            (id, secret) = await New();
            await gate.Send("DELETE", $"/api/v1/keys/{id}", RunningGate.RootKey);
            bad["deleted"] = secret;
        }

        if (model.Keys.Offers(KeyOperations.Regenerate))
        {
            (id, secret) = await New();
            await gate.Act(id, "regenerate");
            bad["replaced"] = secret;
        }

        if (model.Keys.Expiry != ExpiryRule.Forbidden)
        {
            var soon = gate.Clock.GetUtcNow().AddMinutes(1);
            bad["expired"] = await gate.NewSecret($"\"name\":\"Short\",\"expires_at\":\"{soon:yyyy-MM-dd'T'HH:mm:ss'Z'}\"");
            gate.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        return bad;
    }

    private static string Path(ProviderModel model) => model.Routes.Routes
        .First(route => route.Method is Methods.None or Methods.Get
            && route.Pattern.Segments.All(segment => segment.Kind == SegmentKind.Literal))
        .Pattern.Text.Replace("/**", "/x", StringComparison.Ordinal);
}
