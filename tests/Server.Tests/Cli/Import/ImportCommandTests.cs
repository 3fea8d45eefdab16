using System.Text.Json.Nodes;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Keys.Import;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Cli.Import;

/// <summary>Files of every format move into a real gate, whose keys then work.</summary>
public sealed class ImportCommandTests(ImportGates gates) : IClassFixture<ImportGates>
{
    [Fact]
    public async Task Lines_of_json_come_in_and_again_change_nothing()
    {
        using var place = await ImportPlace.New(gates);
        string[] secrets = [Imports.Foreign(), Imports.Foreign()];
        var file = place.Write("keys.ndjson", "\uFEFF" + Imports.Text([.. secrets.Select(secret => Imports.Row(secret))]));

        var first = await place.Run(file);
        var again = await place.Run(file + " --json");

        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        Assert.Matches("created +2\nunchanged +0\nrefused +0\n", first.Out);
        Assert.Equal(
            """
            {"dry_run":false,"rows":2,"created":0,"unchanged":2,"refused":0,"skipped":0,"left_out":{},"not_enforced":{},
            "refused_file":null}
            """.ReplaceLineEndings(""),
            JsonNode.Parse(again.Out)!.ToJsonString());
        Assert.Equal(["allowed", "allowed"], [await place.Gate.CodeOf(secrets[0]), await place.Gate.CodeOf(secrets[1])]);
        Assert.Equal(["keys.ndjson"], place.Files);
    }

    [Fact]
    public async Task A_table_of_our_own_has_a_column_for_each_member()
    {
        using var place = await ImportPlace.New(gates);
        string[] secrets = [Imports.Foreign(), Imports.Foreign()];
        var file = place.Write(
            "keys.csv",
            "external_id,name,secret,secret_sha256,scopes,rights,allowed_addresses,metadata,disabled,expires_at,created_at,models,"
            + "description\r\n"
            + $"1,\"Büro, \"\"West\"\"\",{secrets[0]},,files;chat,\"[\"\"verify\"\"]\",10.0.0.0/8;::1/128,\"{{\"\"a\"\":1}}\",f,,"
            + "2024-05-06 07:08:09,m/1:x;n,\"two\nlines\"\r\n"
            + $"2,Second,,{Imports.Base64(secrets[1])},,,,,true,2020-01-01,,,\n");

        var ran = await place.Run(file);

        Assert.Equal((0, ""), (ran.ExitCode, ran.Error));
        var key = await place.KeyOf(secrets[0]);
        Assert.Equal(
            ("Büro, \"West\"", """["files","chat"]""", """["verify"]""", """["10.0.0.0/8","::1/128"]""", """{"a":1}"""),
            (key.String("name"), Raw(key, "scopes"), Raw(key, "rights"), Raw(key, "allowed_addresses"), Raw(key, "metadata")));
        Assert.Equal("""["m/1:x","n"]""", Raw(key, "models"));
        Assert.Equal(("2024-05-06T07:08:09Z", "two\nlines"), (key.String("created_at"), key.String("description")));
        Assert.Equal("key_expired", await place.Gate.CodeOf(secrets[1]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_key_table_of_unkey_moves_in_and_what_has_no_place_is_told(bool isCsv)
    {
        using var place = await ImportPlace.New(gates);
        string[] secrets = [.. Enumerable.Range(0, 3).Select(_ => "legacy_" + Imports.Foreign()[..20] + new string('k', 20))];
        JsonObject[] rows =
        [
            Unkey(
                "key_1" + place.Id,
                secrets[0],
                ("name", "Prod"), ("meta", "{\"plan\":\"pro\"}"), ("owner_id", "user_1"), ("remaining_requests", "10")),
            Unkey("key_2" + place.Id, secrets[1], ("enabled", "0"), ("expires", "2999-01-01 00:00:00.000"), ("ratelimit_limit", "5")),
            Unkey("key_3" + place.Id, secrets[2], ("deleted_at_m", "1700000000000")),
        ];
        var file = isCsv ? place.Write("unkey.csv", Csv(rows)) : place.Write("unkey.json", new JsonArray([.. rows]).ToJsonString());

        var ran = await place.Run(file + " --format unkey --environment live --scopes files");

        Assert.Equal(0, ran.ExitCode);
        Assert.Matches("created +2\nunchanged +0\nrefused +0\nskipped +1 deleted there\n", ran.Out);
        Assert.Matches("left out +ratelimit_limit \\(1\\), remaining_requests \\(1\\)\n", ran.Out);
        var key = await place.KeyOf(secrets[0]);
        Assert.Equal(
            ("Prod", """{"unkey":{"owner_id":"user_1","meta":{"plan":"pro"}}}""", """["files"]""", "2023-11-14T22:13:20Z"),
            (key.String("name"), Raw(key, "metadata"), Raw(key, "scopes"), key.String("created_at")));
        Assert.Equal("legacy_" + secrets[0][7..11] + "...", key.String("mask"));
        Assert.Equal(["key_disabled", "key_unknown"], [await place.Gate.CodeOf(secrets[1]), await place.Gate.CodeOf(secrets[2])]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_key_table_of_litellm_moves_in_and_what_limits_nothing_here_is_told(bool isCsv)
    {
        using var place = await ImportPlace.New(gates);
        string[] secrets = [Imports.Foreign(), Imports.Foreign(), Imports.Foreign()];
        JsonObject[] rows =
        [
            LiteLlm(
                secrets[0],
                ("key_alias", "prod"), ("models", "{gpt-4o,\"a b\"}"), ("max_budget", "10"), ("user_id", "u1"),
                ("metadata", "{\"team\": \"x\"}")),
            LiteLlm(secrets[1], ("blocked", "t"), ("spend", "1.5"), ("permissions", "{}")),
            LiteLlm(secrets[2], ("token", secrets[2]), ("key_name", secrets[2]), ("tpm_limit", "100"), ("spend", "0.1")),
        ];
        var file = isCsv
            ? place.Write("tokens.csv", Csv(rows))
            : place.Write("tokens.jsonl", string.Join('\n', rows.Select(row => row.ToJsonString())));

        var ran = await place.Run(file + " --format litellm");
        var again = await place.Run(file + " --format litellm --json");

        Assert.Equal(0, ran.ExitCode);
        Assert.Matches("created +3\n", ran.Out);
        Assert.Matches("left out +max_budget \\(1\\), spend \\(2\\), tpm_limit \\(1\\)\nnot enforced +models \\(1\\)\n", ran.Out);
        Assert.Contains("limit nothing here", ran.Error, StringComparison.Ordinal);
        Assert.Equal((3, 0), ((int)JsonNode.Parse(again.Out)!["unchanged"]!, again.ExitCode));
        var key = await place.KeyOf(secrets[0]);
        Assert.Equal(
            ("prod", """{"litellm":{"models":["gpt-4o","a b"],"user_id":"u1","metadata":{"team":"x"}}}""", "sk-..."),
            (key.String("name"), Raw(key, "metadata"), key.String("mask")));
        Assert.Equal(["key_disabled", "allowed"], [await place.Gate.CodeOf(secrets[1]), await place.Gate.CodeOf(secrets[2])]);
        Assert.Equal("LiteLLM key", (await place.KeyOf(secrets[2])).String("name"));
    }

    [Fact]
    public async Task Of_a_refused_row_only_known_members_are_told_and_none_that_repeats_its_secret()
    {
        using var place = await ImportPlace.New(gates);
        var secret = "wrong-" + Imports.Foreign();
        var row = Imports.Row(secret, "x");
        (row["Secret"], row["metadata"]) = ("another-" + Imports.Foreign(), new JsonObject { ["was"] = new JsonArray($"key {secret}") });
        (row["description"], row["start"]) = (secret, "wrong");
        var other = (string)row["Secret"]!;
        var file = place.Write("keys.ndjson", row.ToJsonString() + "\n");

        Assert.Equal(1, (await place.Run(file)).ExitCode);
        var text = place.Read("keys.ndjson.refused.ndjson");
        Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain(other, text, StringComparison.Ordinal);
        Assert.Equal("wrong", (string?)JsonNode.Parse(text)!["row"]!["start"]);
    }

    [Fact]
    public async Task Refused_rows_are_told_in_a_file_without_their_secrets_and_the_exit_code_is_1()
    {
        using var place = await ImportPlace.New(gates);
        var (good, bad) = (Imports.Foreign(), "wrong-" + Imports.Foreign());
        var row = Imports.Row(good).ToJsonString();
        var file = place.Write(
            "keys.ndjson",
            $"{row}\n\n{Imports.Row(bad, "x").ToJsonString()}\n{{\"external_id\":\n{new string('x', 40_000)}\n"
            + Imports.Row(good, "y").ToJsonString());

        var ran = await place.Run(file);

        Assert.Equal(1, ran.ExitCode);
        Assert.Matches("created +1\nunchanged +0\nrefused +4\n", ran.Out);
        Assert.Contains("keys.ndjson.refused.ndjson", ran.Error, StringComparison.Ordinal);
        var text = place.Read("keys.ndjson.refused.ndjson");
        Assert.DoesNotContain(bad, text, StringComparison.Ordinal);
        var refused = text.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(
            [(3, "validation_failed"), (4, "invalid_json"), (5, "invalid_row"), (6, "secret_taken")],
            refused.Select(row => ((int)row["line"]!, (string)row["code"]!)));
        Assert.Equal(("x", "Moved in"), ((string?)refused[0]["external_id"], (string?)refused[0]["row"]!["name"]));
        Assert.Equal("/secret", (string?)refused[0]["errors"]![0]!["pointer"]);
        Assert.Equal("A line may have at most 32768 bytes.", (string?)refused[2]["detail"]);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file + ".refused.ndjson"));
        }

        place.Write("keys.ndjson", row);
        await place.Run(file);
        Assert.Equal(["keys.ndjson"], place.Files);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_and_leaves_nothing()
    {
        using var place = await ImportPlace.New(gates);
        var secret = Imports.Foreign();
        var file = place.Write("keys.csv", $"external_id,name,secret\n1,A key,{secret}\n2,,{secret}\n");
        var before = await place.Gate.Rows();

        var ran = await place.Run(file + " --dry-run");

        Assert.Equal(1, ran.ExitCode);
        Assert.Matches("would create +1\nunchanged +0\nrefused +1\n", ran.Out);
        Assert.Equal("key_unknown", await place.Gate.CodeOf(secret));
        // What a dry run keeps is its own answer for a repeated call.
        Assert.Equal(WithoutAnswers(before), WithoutAnswers(await place.Gate.Rows()));
    }

    [Theory]
    [InlineData("missing.ndjson", "The file cannot be read")]
    [InlineData("keys.txt", "--format: say which of")]
    [InlineData("keys.csv --format xml", "\"xml\" is not one of ndjson, csv, unkey, litellm.")]
    [InlineData("keys.csv --batch 0", "--batch: a number from 1 to 1000.")]
    [InlineData("keys.csv --batch 1001", "--batch: a number from 1 to 1000.")]
    [InlineData("keys.csv --format ndjson --scopes a", "not for ndjson")]
    [InlineData("keys.csv --dry-run --resume", "do not go together")]
    [InlineData("keys.csv", "The column \"token\" is not known: there are external_id,")]
    public async Task A_command_line_or_a_file_that_is_wrong_is_2(string line, string said)
    {
        using var place = await ImportPlace.New(gates);
        place.Write("keys.csv", "token,name\n1,2\n");
        place.Write("keys.txt", "");

        var ran = await place.Run(Path.Combine(place.Folder, line));

        Assert.Equal(2, ran.ExitCode);
        Assert.Contains(said, ran.Error, StringComparison.Ordinal);
    }

    private static string WithoutAnswers(string rows) =>
        string.Join(',', rows.Split(", ").Where(row => !row.StartsWith("idem", StringComparison.Ordinal)));

    private static string Raw(Answer answer, string member) => answer.Json.GetProperty(member).GetRawText();

    private static JsonObject Unkey(string id, string secret, params (string Name, string Value)[] cells)
    {
        var row = new JsonObject
        {
            ["id"] = id, ["key_auth_id"] = null, ["hash"] = Imports.Base64(secret), ["start"] = secret[..11], ["workspace_id"] = "ws_1",
            ["name"] = null, ["owner_id"] = null, ["meta"] = null, ["expires"] = null, ["created_at_m"] = "1700000000000",
            ["deleted_at_m"] = null, ["enabled"] = "1", ["remaining_requests"] = null, ["ratelimit_limit"] = null,
        };
        return With(row, cells);
    }

    private static JsonObject LiteLlm(string secret, params (string Name, string Value)[] cells)
    {
        var row = new JsonObject
        {
            ["token"] = Imports.Hex(secret), ["key_name"] = "sk-..." + secret[^4..], ["key_alias"] = null,
            ["soft_budget_cooldown"] = "f", ["spend"] = "0", ["expires"] = null, ["models"] = "{}", ["aliases"] = "{}", ["config"] = "{}",
            ["user_id"] = null, ["team_id"] = null, ["permissions"] = "{}", ["metadata"] = "{}", ["blocked"] = null, ["tpm_limit"] = null,
            ["max_budget"] = null, ["created_at"] = "2025-06-07 08:09:10.123", ["updated_at"] = "2025-06-07 08:09:10.123",
        };
        return With(row, cells);
    }

    private static JsonObject With(JsonObject row, (string Name, string Value)[] cells)
    {
        foreach (var (name, value) in cells)
        {
            row[name] = value;
        }

        return row;
    }

    /// <summary>As <c>\copy … csv header</c> writes it: null is nothing, what needs quotes has them.</summary>
    private static string Csv(JsonObject[] rows) => string.Join(',', rows[0].Select(cell => cell.Key)) + "\n"
        + string.Concat(rows.Select(row => string.Join(',', row.Select(cell => Field((string?)cell.Value))) + "\n"));

    private static string Field(string? value) => value is null ? ""
        : value.AsSpan().IndexOfAny("\",\n") < 0 ? value
        : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
