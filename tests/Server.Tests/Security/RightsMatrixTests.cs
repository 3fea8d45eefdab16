using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Hosting;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Teams;
using Tollgate.Server.Tests.Usage;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Tests.Security;

/// <summary>
/// Who may make which call, for every endpoint that is mapped: the list is the route table's own, so an endpoint without an access row, or
/// without a row here, fails before anybody forgets it.
/// </summary>
public sealed class RightsMatrixTests(Gates gates) : IClassFixture<Gates>
{
    private const string Any = "any key";
    private const string Operator = "operator";
    private const string People = "people";
    private const string Hooks = "webhooks:manage";
    private const string Webhooks = "POST /api/v1/organizations/{id}/webhooks";

    /// <summary>Each endpoint with who may call it about another key or owner, and a body it accepts.</summary>
    private static readonly Dictionary<string, Row> Expected = new(StringComparer.Ordinal)
    {
        ["POST /api/v1/organizations"] = new(Operator, "{\"name\":\"New\"}"),
        ["GET /api/v1/organizations"] = new(Operator),
        ["GET /api/v1/organizations/{id}"] = new(Operator),
        ["PATCH /api/v1/organizations/{id}"] = new(Operator, "{\"name\":\"Other\"}"),
        ["DELETE /api/v1/organizations/{id}"] = new(Operator),
        ["POST /api/v1/organizations/{id}/projects"] = new(Operator, "{\"name\":\"New\"}"),
        ["GET /api/v1/organizations/{id}/projects"] = new(Operator),
        ["POST /api/v1/organizations/{id}/wallet/entries"] =
            new(Operator, "{\"kind\":\"top_up\",\"amount\":\"1\",\"external_id\":\"1\"}"),
        ["GET /api/v1/organizations/{id}/wallet"] = new("usage:read"),
        ["GET /api/v1/organizations/{id}/wallet/entries"] = new("usage:read"),
        ["GET /api/v1/organizations/{id}/quotas"] = new("usage:read usage:write"),
        ["PUT /api/v1/organizations/{id}/quotas/{name}"] = new("usage:write", "{\"used\":1}") { Otherwise = "operator_only" },
        ["GET /api/v1/plans"] = new(Any),
        [Webhooks] = new(Hooks, "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"*\"]}"),
        ["GET /api/v1/organizations/{id}/webhooks"] = new(Hooks),
        ["GET /api/v1/organizations/{id}/webhooks/{webhook}"] = new(Hooks),
        ["PATCH /api/v1/organizations/{id}/webhooks/{webhook}"] = new(Hooks, "{\"description\":\"Other\"}"),
        ["DELETE /api/v1/organizations/{id}/webhooks/{webhook}"] = new(Hooks),
        ["POST /api/v1/organizations/{id}/webhooks/{webhook}/rotate-secret"] = new(Hooks),
        ["POST /api/v1/organizations/{id}/webhooks/{webhook}/test"] = new(Hooks),
        ["GET /api/v1/organizations/{id}/webhooks/{webhook}/deliveries"] = new(Hooks),
        ["POST /api/v1/organizations/{id}/webhooks/{webhook}/deliveries/{delivery}/replay"] = new(Hooks),
        ["POST /api/v1/organizations/{id}/webhooks/{webhook}/replay"] = new(Hooks, "{\"since\":\"2026-01-01T00:00:00Z\"}"),
        ["POST /api/v1/projects/{id}/webhooks"] = new(Hooks, "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"*\"]}"),
        ["GET /api/v1/projects/{id}/webhooks"] = new(Hooks),
        ["GET /api/v1/projects/{id}/webhooks/{webhook}"] = new(Hooks),
        ["PATCH /api/v1/projects/{id}/webhooks/{webhook}"] = new(Hooks, "{\"description\":\"Other\"}"),
        ["DELETE /api/v1/projects/{id}/webhooks/{webhook}"] = new(Hooks),
        ["POST /api/v1/projects/{id}/webhooks/{webhook}/rotate-secret"] = new(Hooks),
        ["POST /api/v1/projects/{id}/webhooks/{webhook}/test"] = new(Hooks),
        ["GET /api/v1/projects/{id}/webhooks/{webhook}/deliveries"] = new(Hooks),
        ["POST /api/v1/projects/{id}/webhooks/{webhook}/deliveries/{delivery}/replay"] = new(Hooks),
        ["POST /api/v1/projects/{id}/webhooks/{webhook}/replay"] = new(Hooks, "{\"since\":\"2026-01-01T00:00:00Z\"}"),
        ["GET /api/v1/projects"] = new(Operator),
        ["GET /api/v1/projects/{id}"] = new(Any),
        ["PATCH /api/v1/projects/{id}"] = new(Operator, "{\"name\":\"Other\"}"),
        ["DELETE /api/v1/projects/{id}"] = new(Operator),
        ["POST /api/v1/projects/{id}/keys"] = new("keys:manage", "{\"name\":\"New\"}"),
        ["GET /api/v1/projects/{id}/keys"] = new("keys:read keys:manage"),
        ["GET /api/v1/keys/{id}"] = new("keys:read keys:manage"),
        ["PATCH /api/v1/keys/{id}"] = new("keys:manage", "{\"name\":\"Other\"}"),
        ["DELETE /api/v1/keys/{id}"] = new("keys:manage"),
        ["POST /api/v1/keys/{id}/disable"] = new("keys:manage"),
        ["POST /api/v1/keys/{id}/enable"] = new("keys:manage"),
        ["POST /api/v1/keys/{id}/revoke"] = new("keys:manage"),
        ["POST /api/v1/keys/{id}/regenerate"] = new("keys:manage"),
        ["POST /api/v1/keys/{id}/rotate"] = new("keys:manage"),
        ["POST /api/v1/keys/{id}/reveal"] = new("keys:manage"),
        ["GET /api/v1/projects/{id}/members"] = new(Operator),
        ["PUT /api/v1/projects/{id}/members/{person}"] = new(Operator, "{\"role\":\"admin\"}"),
        ["DELETE /api/v1/projects/{id}/members/{person}"] = new(Operator),
        ["GET /api/v1/me"] = new(Any),
        ["PATCH /api/v1/me"] = new(People, "{\"name\":\"New\"}"),
        ["GET /api/v1/me/sessions"] = new(People),
        ["DELETE /api/v1/me/sessions"] = new(People),
        ["DELETE /api/v1/me/sessions/{session}"] = new(People),
        ["GET /api/v1/operator/people"] = new(Operator),
        ["GET /api/v1/operator/people/{person}"] = new(Operator),
        ["PATCH /api/v1/operator/people/{person}"] = new(Operator, "{\"status\":\"suspended\"}"),
        ["DELETE /api/v1/operator/people/{person}/sessions"] = new(Operator),
        ["DELETE /api/v1/operator/people/{person}/second-step"] = new(Operator),
        ["POST /api/v1/operator/links"] = new(Operator),
        ["POST /api/v1/teams"] = new(Operator, "{\"name\":\"New\",\"owner_id\":\"{nobody}\"}"),
        ["GET /api/v1/organizations/{id}/members"] = new(Operator),
        ["PATCH /api/v1/organizations/{id}/members/{person}"] = new(Operator, "{\"role\":\"admin\"}"),
        ["DELETE /api/v1/organizations/{id}/members/{person}"] = new(Operator),
        ["GET /api/v1/organizations/{id}/members/{person}/preview"] = new(Operator),
        ["GET /api/v1/organizations/{id}/deletion"] = new(Operator),
        ["POST /api/v1/organizations/{id}/transfer"] = new(Operator, "{\"person_id\":\"{person}\"}"),
        ["GET /api/v1/organizations/{id}/invitations"] = new(Operator),
        ["POST /api/v1/organizations/{id}/invitations"] =
            new(Operator, "{\"email\":\"new@example.test\",\"role\":\"member\"}"),
        ["DELETE /api/v1/organizations/{id}/invitations/{invitation}"] = new(Operator),
        ["POST /api/v1/import"] = new(Operator, "{}", "application/x-ndjson"),
        ["POST /api/v1/verify"] = new("verify", "{\"key\":\"x\"}"),
        ["POST /api/v1/verify/batch"] = new("verify", "{\"checks\":[]}"),
        ["POST /api/v1/verify/explain"] = new("verify", "{\"key\":\"x\"}"),
        ["GET /api/v1/audit"] = new("audit:read"),
        ["GET /api/v1/changes"] = new("verify"),
        ["POST /api/v1/usage"] =
            new("usage:write", "{\"key_id\":\"{key}\",\"model\":\"echo\",\"input_tokens\":0,\"output_tokens\":0}")
            {
                Otherwise = "operator_only",
            },
        ["POST /api/v1/usage/batch"] = new("usage:write", "{\"records\":[{\"input_tokens\":0,\"output_tokens\":0}]}"),
        ["GET /api/v1/usage"] = new("usage:read"),
        ["GET /api/v1/usage/log"] = new("usage:read"),
        ["GET /api/v1/usage/log.csv"] = new("usage:read"),
        ["GET /api/v1/usage/log.ndjson"] = new("usage:read"),
        ["GET /api/v1/keys/{id}/usage"] = new("usage:read"),
        ["GET /api/v1/requests/{id}"] = new("usage:read"),
    };

    private static readonly string[] Rights = ["verify", "usage:write", "usage:read", "keys:read", "keys:manage", "audit:read", Hooks];

    [Fact]
    public async Task Every_endpoint_has_an_access_row_and_only_health_and_documents_are_open()
    {
        var gate = await gates.Of("default");
        var faults = new List<string>();
        foreach (var endpoint in Endpoints(gate))
        {
            var isClosed = endpoint.RoutePattern.RawText is "/metrics"
                || endpoint.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal);
            switch (endpoint.Metadata.GetMetadata<AccessRow>())
            {
                case null:
                    faults.Add($"{NameOf(endpoint)} has no access row.");
                    break;
                case var row when ReferenceEquals(row, AccessRow.Everybody) == isClosed:
                    faults.Add($"{NameOf(endpoint)} is {(isClosed ? "open to everybody" : "not open")}.");
                    break;
            }
        }

        Assert.Empty(faults);
        Assert.Equal(Expected.Keys.Order(StringComparer.Ordinal), ApiEndpoints(gate).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_endpoint_refuses_no_key_a_bad_key_and_a_key_without_the_right_and_takes_every_key_with_it()
    {
        // This provider's secrets are revealable, so that every call has somebody who may make it.
        await using var gate = await RunningGate.Start("tensorpool", new GateOptions { LogLevel = "none" }, with: provider => provider with
        {
            Wallet = Wallets.Rules,
            Models = [new ModelOffer("echo") { Price = new ModelPrice(0, 0) }],
            Quotas = [new Quota("things")],
            Plans = [.. provider.Plans.Select(plan => plan with { Quotas = [5] })],
        });
        var faults = new StringBuilder();
        foreach (var endpoint in ApiEndpoints(gate))
        {
            var row = Expected[endpoint];
            var place = await Place.New(gate, row.Who == Hooks);
            await Try(place, endpoint, row, null, 401, "key_missing", faults);
            await Try(place, endpoint, row, "tp_" + new string('x', 40), 401, "invalid_key", faults);
            foreach (var right in Rights.Prepend(""))
            {
                var caller =
                    await gate.NewSecret($"\"name\":\"Caller\",\"rights\":[{(right.Length == 0 ? "" : $"\"{right}\"")}]", place.Project);
                var may = row.Who == Any || row.Who.Split(' ').Contains(right);
                var isOffered =
                    !endpoint.EndsWith("/rotate", StringComparison.Ordinal) && !endpoint.EndsWith("/disable", StringComparison.Ordinal)
                    && !endpoint.EndsWith("/enable", StringComparison.Ordinal) && !endpoint.EndsWith("/revoke", StringComparison.Ordinal);
                var refusal = row.Who == Operator ? "operator_only"
                    : row.Who == People ? "people_only"
                    : !may ? "right_missing"
                    : isOffered ? row.Otherwise : "operation_not_offered";
                await Try(place, endpoint, row, caller, refusal is null ? 200 : 403, refusal, faults);
                place = refusal is null ? await Place.New(gate, row.Who == Hooks) : place;
            }

            if (!endpoint.EndsWith("/rotate", StringComparison.Ordinal))
            {
                var isPeoples = row.Who == People;
                await Try(place, endpoint, row, RunningGate.RootKey, isPeoples ? 403 : 200, isPeoples ? "people_only" : null, faults);
            }
        }

        Assert.True(faults.Length == 0, faults.ToString());
    }

    [Theory]
    [InlineData("default")]
    [InlineData("tensorone")]
    [InlineData("tensorpool")]
    public async Task What_belongs_to_another_is_as_absent_as_what_never_was_whatever_rights_one_has(string provider)
    {
        var gate = await gates.Of(provider);
        var place = await Place.New(gate, withWebhook: true);
        var home = await gate.NewProject();
        var calls = ApiEndpoints(gate).Concat(SurfacePlaces(gate).Keys)
            .Where(name => name.Contains("{id}", StringComparison.Ordinal)).ToList();
        Assert.Equal(Expected.Keys.Count(name => name.Contains("{id}", StringComparison.Ordinal)), ApiCalls(calls));
        Assert.Equal(provider switch { "default" => 6, "tensorone" => 2, _ => 0 }, calls.Count - ApiCalls(calls));
        var faults = new StringBuilder();
        foreach (var rights in Rights.Select(right => $"\"{right}\"").Append("").Append($"\"{string.Join("\",\"", Rights)}\""))
        {
            var stranger = await gate.NewSecret($"\"name\":\"Stranger\",\"rights\":[{rights}]", home);
            var before = await gate.Rows();
            foreach (var call in calls)
            {
                await Compare(place, call, stranger, rights, faults);
            }

            Assert.Equal(before, await gate.Rows());
        }

        Assert.True(faults.Length == 0, faults.ToString());

        static int ApiCalls(List<string> calls) => calls.Count(name => name.Contains(" /api/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_of_the_other_environment_is_as_absent_as_one_that_never_was()
    {
        var gate = await gates.Of("default");
        var place = await Place.New(gate);
        var calls = ApiEndpoints(gate).Concat(SurfacePlaces(gate).Keys).Where(name => name.Contains("keys/{id}", StringComparison.Ordinal));
        var faults = new StringBuilder();
        foreach (var rights in Rights.Select(right => $"\"{right}\"").Append(""))
        {
            var members = $"\"name\":\"Tester\",\"environment\":\"test\",\"rights\":[{rights}]";
            var tester = await gate.NewSecret(members, place.Project);
            foreach (var call in calls)
            {
                await Compare(place, call, tester, rights, faults);
            }
        }

        Assert.True(faults.Length == 0, faults.ToString());
    }

    [Fact]
    public async Task An_endpoint_somebody_forgot_to_give_a_row_is_the_operators_alone()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret("\"name\":\"Any\",\"rights\":[\"keys:manage\"]");
        Assert.Equal("allowed", await gate.CodeOf(secret));
        Assert.Equal(403, await Reach(secret));
        Assert.Equal(200, await Reach(RunningGate.RootKey));

        async Task<int> Reach(string key)
        {
            var forgotten = new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/api/v1/forgotten"), 0, null, null);
            var call = new HttpCall("GET", "/api/v1/forgotten").With("Authorization", $"Bearer {key}");
            call.Context.SetEndpoint(forgotten);
            await gate.Services.GetRequiredService<CallerGate>().Invoke(call.Context, _ => Task.CompletedTask);
            return call.Status;
        }
    }

    private static async Task Try(Place place, string endpoint, Row row, string? key, int status, string? code, StringBuilder faults)
    {
        var (method, path) = (endpoint.Split(' ')[0], endpoint.Split(' ')[1]);
        var answer = await place.Gate.Send(
            method, place.Filled(path, place.IdFor(path)), key,
            row.Body?.Replace("{key}", place.Key, StringComparison.Ordinal).Replace("{person}", place.Person, StringComparison.Ordinal)
                .Replace("{nobody}", place.Nobody, StringComparison.Ordinal),
            ("Content-Type", row.MediaType));
        var isRight = status == 200 ? (int)answer.Status is 200 or 201 : (int)answer.Status == status && answer.String("code") == code;
        if (!isRight || !answer.Headers.ContainsKey("X-Request-Id") || answer.Headers.GetValueOrDefault("Cache-Control") != "no-store")
        {
            faults.AppendLine($"{endpoint} expected {status} {code}, got {answer}");
        }
    }

    /// <summary>Asks for what is another's and for what is nobody's: the answers are the same, and 404 or a refusal.</summary>
    private static async Task Compare(Place place, string call, string caller, string rights, StringBuilder faults)
    {
        var (method, path) = (call.Split(' ')[0], call.Split(' ')[1]);
        var (id, body) = (place.IdFor(path), Expected.GetValueOrDefault(call)?.Body);
        var foreign = await place.Gate.Send(method, place.Filled(path, id), caller, body);
        var absent = await place.Gate.Send(method, place.Filled(path, Absent(id)), caller, body);
        if (foreign.Plain() != absent.Plain() || (int)foreign.Status != StatusForAbsent(place.Gate, call, rights))
        {
            faults.AppendLine($"{call} with [{rights}]: foreign {foreign}, absent {absent}");
        }
    }

    /// <summary>404, but where the endpoint refuses the caller whatever the id is.</summary>
    private static int StatusForAbsent(RunningGate gate, string call, string rights)
    {
        if (SurfacePlaces(gate).TryGetValue(call, out var needs))
        {
            return needs == SurfaceNeeds.ManageKeys && !rights.Contains("keys:manage", StringComparison.Ordinal) ? 403 : 404;
        }

        return call switch
        {
            "GET /api/v1/projects/{id}/keys" => rights.Contains("keys:", StringComparison.Ordinal) ? 404 : 403,
            _ when Expected[call].Who == Hooks => rights.Contains(Hooks, StringComparison.Ordinal) ? 404 : 403,
            "POST /api/v1/keys/{id}/reveal" when !gate.Services.GetRequiredService<ProviderModel>().Keys.Revealable =>
                ProblemCode.NotRevealable.Status,
            "GET /api/v1/organizations/{id}/wallet" or "GET /api/v1/organizations/{id}/wallet/entries" =>
                rights.Contains("usage:read", StringComparison.Ordinal) ? 404 : 403,
            "GET /api/v1/organizations/{id}/quotas" => rights.Contains("usage:", StringComparison.Ordinal) ? 404 : 403,
            "PUT /api/v1/organizations/{id}/quotas/{name}" => rights.Contains("usage:write", StringComparison.Ordinal) ? 404 : 403,
            _ => Expected[call].Who == Operator ? 403 : 404,
        };
    }

    private static Dictionary<string, SurfaceNeeds> SurfacePlaces(RunningGate gate) =>
        gate.Services.GetRequiredService<ProviderModel>().Surface.Routes.ToDictionary(
            place => $"{place.Method.ToString().ToUpperInvariant()} {place.Pattern.Text}", place => place.Needs, StringComparer.Ordinal);

    private static string Absent(string id) => id[..^4] + (id.EndsWith("0000", StringComparison.Ordinal) ? "1111" : "0000");

    private static IEnumerable<RouteEndpoint> Endpoints(RunningGate gate) =>
        gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    private static List<string> ApiEndpoints(RunningGate gate) =>
        [.. Endpoints(gate).Select(NameOf).Where(name => name.Contains(" /api/", StringComparison.Ordinal))];

    private static string NameOf(RouteEndpoint endpoint)
    {
        var methods = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [];
        return $"{string.Join('|', methods)} {endpoint.RoutePattern.RawText!.TrimEnd('/')}";
    }

    /// <param name="Who">May call.</param>
    /// <param name="Body">What it takes.</param>
    /// <param name="MediaType">How it is sent.</param>
    private sealed record Row(string Who, string? Body = null, string MediaType = "application/json")
    {
        /// <summary>What a customer's key with the right hears all the same.</summary>
        public string? Otherwise { get; init; }
    }

    /// <summary>An organization, a project, a key and perhaps a webhook that a call may do to whatever it does.</summary>
    private sealed record Place(RunningGate Gate, string Organization, string Project, string Key, string Request)
    {
        private string Webhook { get; init; } = "";

        private string Delivery { get; init; } = "";

        /// <summary>A member of the organization, which is a team.</summary>
        public string Person { get; private init; } = "";

        /// <summary>Somebody who is in no team.</summary>
        public string Nobody { get; private init; } = "";

        private string Invitation { get; init; } = "";

        public static async Task<Place> New(RunningGate gate, bool withWebhook = false)
        {
            var project = await gate.NewProject();
            var organization = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
            var key = (await gate.NewPair(project: project)).Id;
            var (person, nobody, invitation) = await TeamRows.Make(gate.Database, organization);
            await TeamRows.GiveStep(gate.Database, person);
            await gate.Send("PUT", $"/api/v1/projects/{project}/members/{person}", RunningGate.RootKey, "{\"role\":\"viewer\"}");
            var place = new Place(gate, organization, project, key, await gate.NewRequest(key))
            {
                Person = person, Nobody = nobody, Invitation = invitation,
            };
            if (!withWebhook)
            {
                return place;
            }

            // Of the project: who comes by the organization finds it as well.
            var path = $"/api/v1/projects/{project}/webhooks";
            var webhook = (await gate.Send("POST", path, RunningGate.RootKey, Expected[Webhooks].Body)).String("id");
            var delivery = (await gate.Send("POST", $"{path}/{webhook}/test", RunningGate.RootKey)).String("id");
            return place with { Webhook = webhook, Delivery = delivery };
        }

        public string Filled(string path, string id) => path.Replace("{id}", id, StringComparison.Ordinal)
            .Replace("{name}", "things", StringComparison.Ordinal)
            .Replace("{person}", Person, StringComparison.Ordinal).Replace("{invitation}", Invitation, StringComparison.Ordinal)
            .Replace("{webhook}", Webhook, StringComparison.Ordinal).Replace("{delivery}", Delivery, StringComparison.Ordinal);

        public string IdFor(string path) =>
            path.StartsWith("/api/v1/organizations", StringComparison.Ordinal) ? Organization
            : path.StartsWith("/api/v1/projects", StringComparison.Ordinal) ? Project
            : path.StartsWith("/api/v1/requests", StringComparison.Ordinal) ? Request
            : Key;
    }
}
