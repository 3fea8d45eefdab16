using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Audit;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys.Import;

/// <summary>Other systems' keys move in, many a call, and then are keys like any other.</summary>
public sealed class ImportCallTests(ImportGates gates) : IClassFixture<ImportGates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Keys_come_in_by_text_and_by_hash_and_open_the_providers_paths_at_once(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var own = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        var legacy = "legacy_" + new string('~', 36) + Imports.NewId()[..4];
        string[] secrets = [own, Imports.Foreign(), Imports.Foreign(), Imports.Foreign(), legacy];
        foreach (var secret in secrets)
        {
            // The gate remembers that it does not know them; the import must reach that memory.
            Assert.Equal("key_unknown", await gate.CodeOf(secret));
        }

        var answer = await gate.Import(
            Imports.Row(secrets[0]),
            Imports.Row(secrets[1]),
            Imports.Hashed(Imports.Hex(secrets[2]).ToUpperInvariant()),
            Imports.Hashed(Imports.Base64(secrets[3])),
            Imports.Row(secrets[4]));

        Assert.Equal(Enumerable.Repeat("created", 5), answer.Outcomes());
        Assert.Equal((5, 0, 0), Counts(answer));
        foreach (var (secret, i) in secrets.Select((secret, i) => (secret, i)))
        {
            var verdict = await gate.Verify(secret);
            var id = verdict.Json.GetProperty("key").GetProperty("id").GetString();
            Assert.Equal(("allowed", answer.IdOf(i)), (verdict.String("code"), id));
            (await gate.Send("GET", "/v1/files/a", secret)).Has(HttpStatusCode.OK);
        }
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_imported_key_can_be_rotated_disabled_and_revoked(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var secret = Imports.Foreign();
        var id = (await gate.Import(Imports.Hashed(Imports.Hex(secret)))).IdOf();

        var fresh = (await gate.Act(id, "rotate", "{\"grace_seconds\":60}")).Has(HttpStatusCode.OK).String("secret");
        Assert.Equal(("allowed", "allowed"), (await gate.CodeOf(secret), await gate.CodeOf(fresh)));
        Assert.StartsWith("acme_live_", fresh, StringComparison.Ordinal);
        (await gate.Act(id, "regenerate")).Has(HttpStatusCode.OK);
        Assert.NotEqual("allowed", await gate.CodeOf(secret));

        var second = Imports.Foreign();
        var other = (await gate.Import(Imports.Row(second))).IdOf();
        await gate.Act(other, "disable");
        Assert.Equal("key_disabled", await gate.CodeOf(second));
        await gate.Act(other, "enable");
        Assert.Equal("allowed", await gate.CodeOf(second));
        await gate.Act(other, "revoke");
        Assert.Equal("key_revoked", await gate.CodeOf(second));
        (await gate.Send("GET", "/v1/files/a", second)).Has(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_same_rows_again_change_nothing_whatever_happened_to_the_keys_since(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var secret = Imports.Foreign();
        var metadata = JsonNode.Parse("""{"plan":"pro","seats":3}""");
        JsonObject[] rows =
        [
            Imports.Row(secret, "a-" + Imports.NewId(), ("metadata", metadata), ("scopes", new JsonArray("chat"))), Imports.Row(),
        ];
        var first = await gate.Import(rows);
        await gate.Send("PATCH", $"/api/v1/keys/{first.IdOf()}", RunningGate.RootKey, "{\"name\":\"Renamed\"}");
        await gate.Act(first.IdOf(1), "revoke");
        var before = await gate.Rows();

        var again = await gate.Import(rows);
        var byHash = await gate.Import(Imports.Hashed(
            Imports.Base64(secret),
            (string?)rows[0]["external_id"],
            ("metadata", metadata!.DeepClone()), ("scopes", new JsonArray("chat")), ("start", "sk-"), ("description", null)));

        Assert.Equal(["unchanged", "unchanged"], again.Outcomes());
        Assert.Equal((0, 2, 0), Counts(again));
        Assert.Equal([first.IdOf(), first.IdOf(1)], [again.IdOf(), again.IdOf(1)]);
        Assert.Equal(["unchanged"], byHash.Outcomes());
        Assert.Equal(before, await gate.Rows());
        Assert.Equal("Renamed", (await gate.Send("GET", $"/api/v1/keys/{first.IdOf()}", RunningGate.RootKey)).String("name"));
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_external_id_stands_for_one_key_of_a_project_and_a_secret_for_one_key_of_all(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var (secret, id) = (Imports.Foreign(), Imports.NewId());
        var first = await gate.Import(Imports.Row(secret, id));
        var other = await gate.NewProject();
        var made = await gate.NewSecret();
        var twice = Imports.Foreign();

        var answer = await gate.Import(
            Imports.Row(null, id),
            Imports.Row(secret, id, ("name", "Another name")),
            Imports.Row(secret),
            Imports.Row(made),
            Imports.Row(twice, "t"),
            Imports.Row(null, "t"),
            Imports.Row(twice),
            Imports.Row(null, id, ("project_id", other)));

        Assert.Equal(
            [
                "external_id_taken", "external_id_taken", "secret_taken", "secret_taken", "created", "external_id_taken", "secret_taken",
                "created",
            ],
            answer.Outcomes());
        Assert.Contains(first.IdOf(), answer.Detail(1), StringComparison.Ordinal);
        Assert.Contains("Line 5 ", answer.Detail(5), StringComparison.Ordinal);
        Assert.Equal("allowed", await gate.CodeOf(secret));
    }

    [Fact]
    public async Task A_key_comes_in_as_it_is_expired_disabled_and_of_its_age()
    {
        var gate = await gates.Sqlite();
        string[] secrets = [Imports.Foreign(), Imports.Foreign(), gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(1)];

        var answer = await gate.Import(
            Imports.Row(secrets[0], null, ("expires_at", "2020-01-01T00:00:00Z"), ("created_at", "2019-01-01T00:00:00Z")),
            Imports.Row(secrets[1], null, ("disabled", true), ("allowed_addresses", new JsonArray("10.0.0.0/8"))),
            Imports.Row(secrets[2], null, ("permissions", null), ("scopes", new JsonArray("files")), ("rights", new JsonArray("verify"))));

        Assert.Equal(["created", "created", "created"], answer.Outcomes());
        Assert.Equal("key_expired", await gate.CodeOf(secrets[0]));
        Assert.Equal("key_disabled", await gate.CodeOf(secrets[1]));
        Assert.Equal("allowed", await gate.CodeOf(secrets[2]));
        var expired = await gate.Send("GET", $"/api/v1/keys/{answer.IdOf()}", RunningGate.RootKey);
        Assert.Equal(("2019-01-01T00:00:00Z", "expired"), (expired.String("created_at"), expired.String("status")));
        var disabled = await gate.Send("GET", $"/api/v1/keys/{answer.IdOf(1)}", RunningGate.RootKey);
        Assert.Equal("""["person"]""", disabled.Json.GetProperty("holds").GetRawText());
        Assert.Equal("""["10.0.0.0/8"]""", disabled.Json.GetProperty("allowed_addresses").GetRawText());
        var test = await gate.Send("GET", $"/api/v1/keys/{answer.IdOf(2)}", RunningGate.RootKey);
        Assert.Equal(("test", """["files"]"""), (test.String("environment"), test.Json.GetProperty("scopes").GetRawText()));
        await gate.Act(answer.IdOf(1), "enable");
        Assert.Equal("address_refused", await gate.CodeOf(secrets[1], ",\"address\":\"192.0.2.1\""));
    }

    [Fact]
    public async Task A_mask_shows_no_more_than_it_may_of_what_was_told()
    {
        var gate = await gates.Sqlite();
        var own = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        var legacy = "legacy_abcdefghijklmnopqrstuvwxyz0123456789ABCD";

        var answer = await gate.Import(
            Imports.Row(own),
            Imports.Row("sk-abcdefghijklmnopqrstuv"),
            Imports.Row(legacy),
            Imports.Hashed(Imports.Hex(Imports.Foreign())),
            Imports.Hashed(Imports.Hex(Imports.Foreign()), null, ("start", "sk-abcd"), ("end", "wxyz")),
            Imports.Hashed(Imports.Hex(Imports.Foreign()), null, ("start", legacy[..20]), ("end", legacy[^20..])));

        string[] masks = [own[..12] + "..." + own[^4..], "sk-...", "legacy_abcd...ABCD", "(imported)", "sk-...", "legacy_abcd...ABCD"];
        for (var i = 0; i < masks.Length; i++)
        {
            var key = await gate.Send("GET", $"/api/v1/keys/{answer.IdOf(i)}", RunningGate.RootKey);
            Assert.Equal(masks[i], key.String("mask"));
        }
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Each_key_has_its_audit_row_and_the_chain_stays_whole(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var secrets = Enumerable.Range(0, 20).Select(_ => Imports.Foreign()).ToList();

        var answer = await gate.Import([.. secrets.Select(secret => Imports.Row(secret))]);

        var audit = await gate.Send("GET", "/api/v1/audit?action=key.import&limit=20", RunningGate.RootKey);
        var rows = audit.Json.GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(
            answer.Results().Select(row => row.GetProperty("id").GetString()).Reverse(),
            rows.Select(row => row.GetProperty("target").GetProperty("id").GetString()));
        Assert.All(rows, row => Assert.Equal("active", row.GetProperty("after").GetProperty("status").GetString()));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret[3..], answer.Text + audit.Text, StringComparison.Ordinal));
        Assert.All(secrets, secret => Assert.DoesNotContain(Imports.Hex(secret), answer.Text + audit.Text, StringComparison.Ordinal));
        var check = await gate.Services.GetRequiredService<AuditLog>().Verify();
        Assert.True(check.IsWhole, check.Sentence);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_trial_says_what_would_become_of_each_row_and_stores_nothing(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var known = Imports.Row();
        await gate.Import(known);
        var (before, secret) = (await gate.Rows(), Imports.Foreign());

        var answer = await gate.Import(
            Imports.Text(known, Imports.Row(secret), Imports.Row(secret), Imports.Row("nothing")),
            $"?project={gate.ProjectId}&dry_run=true");

        Assert.Equal(["unchanged", "created", "secret_taken", "validation_failed"], answer.Outcomes());
        Assert.Null(answer.Results()[1].GetProperty("id").GetString());
        Assert.Equal(before, await gate.Rows());
        Assert.Equal("key_unknown", await gate.CodeOf(secret));
        (await gate.Import(Imports.Text(known), "?dry_run=perhaps")).Has(HttpStatusCode.BadRequest, "invalid_request");
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_repeated_call_is_told_the_first_answer_again(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var body = Imports.Text(Imports.Row(), Imports.Row("nothing"));
        var key = ("Idempotency-Key", Imports.NewId());

        var first = await gate.Import(body, null, key);
        var again = await gate.Import(body, null, key);

        Assert.Equal(["created", "validation_failed"], first.Outcomes());
        Assert.Equal((first.Text, "true"), (again.Text, again.Headers["Idempotency-Replayed"]));
        (await gate.Import(body + "\n", null, key)).Has(HttpStatusCode.UnprocessableEntity, "idempotency_mismatch");
    }

    [Fact]
    public async Task Secrets_that_come_in_or_are_refused_are_in_no_log()
    {
        await using var gate = await RunningGate.Start(gates.ProviderFile, logLevel: "trace");
        var log = LogCapture.Of(gate);
        string[] secrets = [.. Enumerable.Range(0, 4).Select(_ => Imports.Foreign())];

        var answer = await gate.Import(
            Imports.Text(Imports.Row(secrets[0]), Imports.Row("x" + secrets[1]), Imports.Row(secrets[2], null, ("name", secrets[2])))
            + $"{{\"secret\":\"{secrets[3]}\"");

        Assert.Equal(["created", "validation_failed", "created", "invalid_json"], answer.Outcomes());
        Assert.NotEmpty(log.Lines);
        Assert.All(secrets, secret => Assert.DoesNotContain(log.Lines, line => line.Contains(secret[3..], StringComparison.Ordinal)));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret[3..], answer.Text, StringComparison.Ordinal));
    }

    private static (int, int, int) Counts(Answer answer) =>
        (Number(answer, "created"), Number(answer, "unchanged"), Number(answer, "refused"));

    private static int Number(Answer answer, string name) => answer.Json.GetProperty(name).GetInt32();
}
