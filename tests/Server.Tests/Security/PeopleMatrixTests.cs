using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Reach;
using Tollgate.Server.Tests.Teams;
using Tollgate.Server.Tests.Usage;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Security;

/// <summary>
/// TL12: every endpoint of the management API × everybody who may come to it, with what they hear. The list of endpoints is the route
/// table's own: one without a row here fails, and so does one that says nothing of people.
/// </summary>
public sealed class PeopleMatrixTests(Gates gates) : IClassFixture<Gates>
{
    private const string Org = "/api/v1/organizations/{id}";
    private const string Prj = "/api/v1/projects/{id}";
    private const string OneKey = "/api/v1/keys/{id}";
    private const string Hook = Org + "/webhooks/{webhook}";
    private const string PrjHook = Prj + "/webhooks/{webhook}";

    /// <summary>Of a team: owner, admin, billing, member. Of the project: its admin, a member of it, a viewer.</summary>
    private static readonly (char Letter, string Role)[] Roles =
    [
        ('O', "owner"), ('A', "admin"), ('B', "billing"), ('M', "member"), ('P', "project admin"), ('J', "project member"),
        ('V', "viewer"),
    ];

    /// <summary>Who may, by the letters; whoever has signed in; the operator alone; programs alone.</summary>
    private const string All = "OABMPJV";
    private const string Self = "self";
    private const string Operator = "operator";
    private const string Keys = "keys";

    private static readonly Dictionary<string, Row> Expected = new(StringComparer.Ordinal)
    {
        ["POST /api/v1/organizations"] = new(Operator, "{\"name\":\"New\"}"),
        ["GET /api/v1/organizations"] = new(Operator),
        ["GET " + Org] = new(All),
        ["PATCH " + Org] = new("OA", "{\"name\":\"Other\"}"),
        ["DELETE " + Org] = new("O"),
        [$"GET {Org}/deletion"] = new("O"),
        [$"POST {Org}/projects"] = new("OA", "{\"name\":\"New\"}"),
        [$"GET {Org}/projects"] = new(All),
        [$"POST {Org}/wallet/entries"] = new(Operator, "{\"kind\":\"top_up\",\"amount\":\"1\",\"external_id\":\"1\"}"),
        [$"GET {Org}/wallet"] = new("OAB") { Key = "right" },
        [$"GET {Org}/wallet/entries"] = new("OAB") { Key = "right" },
        [$"GET {Org}/quotas"] = new("OAB") { Key = "right" },
        [$"PUT {Org}/quotas/{{name}}"] = new(Operator, "{\"used\":1}") { Key = "operator" },
        ["GET /api/v1/plans"] = new(Self) { Key = "any" },
        [$"POST {Org}/webhooks"] = new("OA", "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"*\"]}") { Key = "right" },
        [$"GET {Org}/webhooks"] = new("OA") { Key = "right" },
        ["GET " + Hook] = new("OA") { Key = "right" },
        ["PATCH " + Hook] = new("OA", "{\"description\":\"Other\"}") { Key = "right" },
        ["DELETE " + Hook] = new("OA") { Key = "right" },
        [$"POST {Hook}/rotate-secret"] = new("OA") { Key = "right" },
        [$"POST {Hook}/test"] = new("OA") { Key = "right" },
        [$"GET {Hook}/deliveries"] = new("OA") { Key = "right" },
        [$"POST {Hook}/deliveries/{{delivery}}/replay"] = new("OA") { Key = "right" },
        [$"POST {Hook}/replay"] = new("OA", "{\"since\":\"2026-01-01T00:00:00Z\"}") { Key = "right" },
        [$"POST {Prj}/webhooks"] = new("OAP", "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"*\"]}") { Key = "right" },
        [$"GET {Prj}/webhooks"] = new("OAP") { Key = "right" },
        ["GET " + PrjHook] = new("OAP") { Key = "right" },
        ["PATCH " + PrjHook] = new("OAP", "{\"description\":\"Other\"}") { Key = "right" },
        ["DELETE " + PrjHook] = new("OAP") { Key = "right" },
        [$"POST {PrjHook}/rotate-secret"] = new("OAP") { Key = "right" },
        [$"POST {PrjHook}/test"] = new("OAP") { Key = "right" },
        [$"GET {PrjHook}/deliveries"] = new("OAP") { Key = "right" },
        [$"POST {PrjHook}/deliveries/{{delivery}}/replay"] = new("OAP") { Key = "right" },
        [$"POST {PrjHook}/replay"] = new("OAP", "{\"since\":\"2026-01-01T00:00:00Z\"}") { Key = "right" },
        ["GET /api/v1/projects"] = new(Operator),
        ["GET " + Prj] = new("OABPJV") { Key = "any" },
        ["PATCH " + Prj] = new("OAP", "{\"name\":\"Other\"}"),
        ["DELETE " + Prj] = new("OA"),
        [$"GET {Prj}/members"] = new("OAPJV"),
        [$"PUT {Prj}/members/{{person}}"] = new("OAP", "{\"role\":\"admin\"}"),
        [$"DELETE {Prj}/members/{{person}}"] = new("OAP"),
        [$"POST {Prj}/keys"] = new("OAP", "{\"name\":\"New\"}") { Key = "right" },
        [$"GET {Prj}/keys"] = new("OAPJV") { Key = "right" },
        ["GET " + OneKey] = new("OAPJV") { Key = "right" },
        ["PATCH " + OneKey] = new("OAP", "{\"name\":\"Other\"}") { Key = "right" },
        ["DELETE " + OneKey] = new("OAP") { Key = "right" },
        [$"POST {OneKey}/disable"] = new("OAP") { Key = "right" },
        [$"POST {OneKey}/enable"] = new("OAP") { Key = "right" },
        [$"POST {OneKey}/revoke"] = new("OAP") { Key = "right" },
        [$"POST {OneKey}/regenerate"] = new("OAP") { Key = "right" },
        [$"POST {OneKey}/rotate"] = new("OAP") { Key = "right" },
        [$"POST {OneKey}/reveal"] = new("OAP") { Key = "right" },
        [$"GET {OneKey}/usage"] = new("OABPJV") { Key = "right" },
        ["GET /api/v1/requests/{id}"] = new("OABPJV") { Key = "right" },
        ["POST /api/v1/operator/links"] = new(Operator),
        ["GET /api/v1/me"] = new(Self) { Key = "any" },
        ["PATCH /api/v1/me"] = new(Self, "{\"name\":\"New name\"}") { Key = "people" },
        ["GET /api/v1/me/sessions"] = new(Self) { Key = "people" },
        ["DELETE /api/v1/me/sessions/{session}"] = new(Self) { Key = "people" },
        ["DELETE /api/v1/me/sessions"] = new(Self) { Key = "people" },
        ["GET /api/v1/operator/people"] = new(Operator),
        ["GET /api/v1/operator/people/{person}"] = new(Operator),
        ["PATCH /api/v1/operator/people/{person}"] = new(Operator, "{\"status\":\"suspended\"}"),
        ["DELETE /api/v1/operator/people/{person}/sessions"] = new(Operator),
        ["DELETE /api/v1/operator/people/{person}/second-step"] = new(Operator),
        ["POST /api/v1/teams"] = new(Self, "{\"name\":\"New\",\"owner_id\":\"{self}\"}") { Busy = 'O' },
        [$"GET {Org}/members"] = new(All),
        [$"PATCH {Org}/members/{{person}}"] = new("OA", "{\"role\":\"admin\"}"),
        [$"DELETE {Org}/members/{{person}}"] = new("OA"),
        [$"GET {Org}/members/{{person}}/preview"] = new("OA"),
        [$"POST {Org}/transfer"] = new("O", "{\"person_id\":\"{person}\"}"),
        [$"GET {Org}/invitations"] = new("OA"),
        [$"POST {Org}/invitations"] = new("OA", "{\"email\":\"new@example.test\",\"role\":\"member\"}"),
        [$"DELETE {Org}/invitations/{{invitation}}"] = new("OA"),
        ["POST /api/v1/import"] = new(Operator, "{}", "application/x-ndjson"),
        ["POST /api/v1/verify"] = new(Keys, "{\"key\":\"x\"}"),
        ["POST /api/v1/verify/batch"] = new(Keys, "{\"checks\":[]}"),
        ["POST /api/v1/verify/explain"] = new(Keys, "{\"key\":\"x\"}"),
        ["GET /api/v1/changes"] = new(Keys),
        ["POST /api/v1/usage"] = new(Keys, "{\"key_id\":\"{key}\",\"model\":\"echo\",\"input_tokens\":0,\"output_tokens\":0}")
        {
            Key = "operator",
        },
        ["POST /api/v1/usage/batch"] = new(Keys, "{\"records\":[{\"input_tokens\":0,\"output_tokens\":0}]}"),
        ["GET /api/v1/audit"] = new("OAB") { Query = "?organization_id={org}", Key = "right" },
        ["GET /api/v1/usage"] = new("OAB") { Query = "?organization_id={org}", Key = "right" },
        ["GET /api/v1/usage/log"] = new("OABPJV") { Query = "?project_id={project}", Key = "right" },
        ["GET /api/v1/usage/log.csv"] = new("OABPJV") { Query = "?key_id={key}", Key = "right" },
        ["GET /api/v1/usage/log.ndjson"] = new("OABPJV") { Query = "?organization_id={org}&project_id={project}", Key = "right" },
    };

    [Fact]
    public async Task Every_endpoint_says_what_people_do_by_it_and_has_a_row()
    {
        var gate = await gates.Of("default");
        Assert.Equal(Expected.Keys.Order(StringComparer.Ordinal), Endpoints(gate).Select(NameOf).Order(StringComparer.Ordinal));
        Assert.Empty(Endpoints(gate).Where(endpoint => endpoint.Metadata.GetMetadata<PeopleRow>() is null).Select(NameOf));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TL12_everybody_reaches_what_their_role_allows_and_nothing_else(int part)
    {
        // This provider's secrets are revealable, and here all operations are offered: so every call has somebody who may make it.
        await using var gate = await RunningGate.Start("tensorpool", new GateOptions { LogLevel = "none" }, with: provider => provider with
        {
            Keys = provider.Keys with { Operations = (KeyOperations)~0 },
            Wallet = Wallets.Rules,
            Models = [new ModelOffer("echo") { Price = new ModelPrice(0, 0) }],
            Quotas = [new Quota("things")],
            Plans = [.. provider.Plans.Select(plan => plan with { Quotas = [5] })],
        });
        var faults = new StringBuilder();
        foreach (var (name, row) in Expected.Where((_, i) => i % 3 == part))
        {
            await new Column(gate, name, row, faults).Try();
        }

        Assert.True(faults.Length == 0, faults.ToString());
    }

    private static IEnumerable<RouteEndpoint> Endpoints(RunningGate gate) =>
        gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal));

    private static string NameOf(RouteEndpoint endpoint) =>
        $"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]} {endpoint.RoutePattern.RawText!.TrimEnd('/')}";

    /// <param name="Who">May call, of those who are signed in.</param>
    /// <param name="Body">What it takes.</param>
    /// <param name="MediaType">How it is sent.</param>
    private sealed record Row(string Who, string? Body = null, string MediaType = "application/json")
    {
        public string Query { get; init; } = "";

        /// <summary>
        /// Which keys of a customer may: <c>any</c>, one with the <c>right</c>, or none but the <c>operator</c>'s; where it is for
        /// <c>people</c> alone, not even that.
        /// </summary>
        public string Key { get; init; } = Who == Keys ? "right" : "operator";

        /// <summary>Whose state stands in the way, not their role.</summary>
        public char? Busy { get; init; }
    }

    /// <summary>One endpoint and all who come to it.</summary>
    private sealed class Column(RunningGate gate, string name, Row row, StringBuilder faults)
    {
        private readonly string _method = name.Split(' ')[0];
        private readonly string _path = name.Split(' ')[1];
        private MatrixPlace _place = null!;

        private bool IsOfProject => _path.StartsWith(Prj, StringComparison.Ordinal) || _path.StartsWith(OneKey, StringComparison.Ordinal)
            || _path.Contains("/requests/", StringComparison.Ordinal) || row.Query.Contains("{project}", StringComparison.Ordinal)
            || row.Query.Contains("{key}", StringComparison.Ordinal);

        private bool HasTarget => _path.Contains("{id}", StringComparison.Ordinal) || row.Query.Length > 0;

        public async Task Try()
        {
            _place = await MatrixPlace.Make(gate, _path);
            await Expect("nobody", () => Send(null), 401, "key_missing");
            await Expect("suspended", () => As("suspended"), 401, "session_ended");
            await Expect("stranger", () => As("stranger"), row.Who switch
            {
                Self => (200, null),
                Operator => (403, "operator_only"),
                Keys => (403, "keys_only"),
                _ => (404, "not_found"),
            });
            foreach (var (letter, role) in Roles)
            {
                await Expect(role, () => As(role), OfRole(letter));
            }

            await Expect("operator", () => As("operator"), row.Who == Keys ? (403, "keys_only") : (200, null));
            await Expect("root key", () => Send(RunningGate.RootKey), row.Key == "people" ? (403, "people_only") : (200, null));
            var (bare, full) = await _place.NewKeys();
            await Expect("key without a right", () => Send(bare), row.Key switch
            {
                "any" => (200, null),
                "right" => (403, "right_missing"),
                "people" => (403, "people_only"),
                _ => (403, "operator_only, right_missing"),
            });
            (_, full) = await _place.NewKeys();
            await Expect("key with every right", () => Send(full), row.Key switch
            {
                "operator" => (403, "operator_only"),
                "people" => (403, "people_only"),
                _ => (200, null),
            });
        }

        private (int Status, string? Code) OfRole(char letter) =>
            row.Busy == letter ? (409, "conflict")
            : row.Who switch
            {
                Self => (200, null),
                Operator => (403, "operator_only"),
                Keys => (403, "keys_only"),
                _ when row.Who.Contains(letter, StringComparison.Ordinal) => (200, null),
                // Who is in the team and not in the project does not see it.
                _ when letter == 'M' && IsOfProject => (404, "not_found"),
                _ => HasTarget ? (403, "role_missing") : throw new InvalidOperationException($"{name} has no target."),
            };

        private Task Expect(string who, Func<Task<Answer>> call, (int Status, string? Code) expected) =>
            Expect(who, call, expected.Status, expected.Code);

        private async Task Expect(string who, Func<Task<Answer>> call, int status, string? code)
        {
            var answer = await call();
            var isRight = status == 200
                ? (int)answer.Status is 200 or 201
                : (int)answer.Status == status && code!.Split(", ").Contains(answer.String("code"));
            if (!isRight)
            {
                faults.AppendLine($"{name} as {who}: expected {status} {code}, got {answer}");
            }

            if ((int)answer.Status < 400 && _method != "GET")
            {
                _place = await MatrixPlace.Make(gate, _path);
            }
        }

        /// <summary>A session that is one's own, and not the one that asks.</summary>
        private async Task<string> AnotherSession(string role)
        {
            var person = _place.Place[role].Person;
            var begun = await gate.Database.Write<string>(async scope =>
            {
                await SignedPerson.Begin(gate, scope, person);
                return (await scope.Query<string>(
                    "SELECT id FROM sessions WHERE person_no = @PersonNo ORDER BY session_no DESC", new { person.PersonNo }))[0];
            });
            return begun.Value;
        }

        private async Task<Answer> As(string role) => await _place.Place.As(
            role, _method,
            _place.Filled(_path + row.Query).Replace(
                "{session}", _path.Contains("{session}", StringComparison.Ordinal) ? await AnotherSession(role) : "",
                StringComparison.Ordinal),
            Filled(role == "operator" ? _place.Place["stranger"].Person.Id : _place.Place[role].Person.Id),
            ("Content-Type", row.MediaType));

        private Task<Answer> Send(string? key) => gate.Send(
            _method, _place.Filled(_path + row.Query), key, Filled(_place.Place["stranger"].Person.Id), ("Content-Type", row.MediaType));

        private string? Filled(string self) => row.Body is null
            ? null
            : _place.Filled(row.Body).Replace("{self}", self, StringComparison.Ordinal);
    }

    /// <summary>A place with what the path names beside the team: a webhook, an invitation, a request.</summary>
    private sealed record MatrixPlace(ReachPlace Place)
    {
        private string Webhook { get; init; } = "";

        private string Delivery { get; init; } = "";

        private string Invitation { get; init; } = "";

        private string Request { get; init; } = "";

        private string Id { get; init; } = "";

        public static async Task<MatrixPlace> Make(RunningGate gate, string path)
        {
            var reach = await ReachPlace.Make(gate);
            var place = new MatrixPlace(reach)
            {
                Id = path.StartsWith("/api/v1/organizations", StringComparison.Ordinal) ? reach.Organization
                    : path.StartsWith("/api/v1/projects", StringComparison.Ordinal) ? reach.Project
                    : reach.Key,
            };
            var root = $"/api/v1/organizations/{reach.Organization}";
            if (path.EndsWith("/second-step", StringComparison.Ordinal))
            {
                await TeamRows.GiveStep(gate.Database, reach["other"].Person.Id);
            }

            if (path.Contains("{webhook}", StringComparison.Ordinal))
            {
                var hooks = (path.StartsWith(Prj, StringComparison.Ordinal) ? $"/api/v1/projects/{reach.Project}" : root) + "/webhooks";
                var webhook = (await gate.Send("POST", hooks, RunningGate.RootKey, Expected[$"POST {Org}/webhooks"].Body)).String("id");
                var delivery = await gate.Send("POST", $"{hooks}/{webhook}/test", RunningGate.RootKey);
                place = place with { Webhook = webhook, Delivery = delivery.String("id") };
            }

            if (path.Contains("{invitation}", StringComparison.Ordinal))
            {
                var made = await gate.Send(
                    "POST", root + "/invitations", RunningGate.RootKey, "{\"email\":\"waits@example.test\",\"role\":\"member\"}");
                place = place with { Invitation = made.String("id") };
            }

            return path.Contains("/requests/", StringComparison.Ordinal) ? place with { Id = await gate.NewRequest(reach.Key) } : place;
        }

        public string Filled(string text) => text.Replace("{id}", Id, StringComparison.Ordinal)
            .Replace("{name}", "things", StringComparison.Ordinal).Replace("{key}", Place.Key, StringComparison.Ordinal)
            .Replace("{person}", Place["other"].Person.Id, StringComparison.Ordinal)
            .Replace("{org}", Place.Organization, StringComparison.Ordinal)
            .Replace("{project}", Place.Project, StringComparison.Ordinal)
            .Replace("{invitation}", Invitation, StringComparison.Ordinal)
            .Replace("{webhook}", Webhook, StringComparison.Ordinal).Replace("{delivery}", Delivery, StringComparison.Ordinal);

        /// <summary>Two keys of the project: one without any right, one with all.</summary>
        public async Task<(string Bare, string Full)> NewKeys() => (
            await Place.Gate.NewSecret("\"name\":\"Bare\"", Place.Project),
            await Place.Gate.NewSecret(
                $"\"name\":\"Full\",\"rights\":[{string.Join(',', RightNames.All.Select(right => $"\"{right}\""))}]", Place.Project));
    }
}
