using System.Text.Json.Nodes;
using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

public sealed class KeyCommandTests
{
    [Fact]
    public async Task Create_prints_the_secret_alone_on_standard_output_and_says_that_it_is_shown_once()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "keys create --name first");

        Assert.Equal((0, Sample.Secret + "\n"), (ran.ExitCode, ran.Out));
        Assert.Contains("You will not see it again", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Sample.Secret, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_takes_the_oldest_project_unless_one_is_named()
    {
        await using var gate = await StandInGate.Start(Routes);

        await Ran.Command(gate, "keys create --name first");
        await Ran.Command(gate, "keys create --name first --project prj_9", "", ("TOLLGATE_PROJECT", "prj_8"));
        await Ran.Command(gate, "keys create --name first", "", ("TOLLGATE_PROJECT", "prj_8"));

        Assert.Equal(
            [
                "GET /api/v1/projects?limit=100",
                "POST /api/v1/projects/prj_1/keys",
                "POST /api/v1/projects/prj_9/keys",
                "POST /api/v1/projects/prj_8/keys",
            ],
            gate.Log.Select(asked => $"{asked.Method} {asked.Path}"));
    }

    [Theory]
    [InlineData(200, """{"data":[],"next_cursor":null}""")]
    [InlineData(200, """{"data":[],"next_cursor":"more"}""")]
    [InlineData(403, "{}")]
    public async Task Where_no_first_project_can_be_found_one_must_be_named(int status, string projects)
    {
        await using var gate = await StandInGate.Start(new Answer(status, projects));

        var ran = await Ran.Command(gate, "keys create --name first");

        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("--project or TOLLGATE_PROJECT", ran.Error, StringComparison.Ordinal);
        Assert.Equal("GET", gate.Only.Method);
    }

    [Fact]
    public async Task Create_sends_every_option()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(
            gate,
            """
            keys create --project prj_1 --name first --environment test --type read --permissions read,write --scopes a --scopes b,c
            --rights verify --description @why --expires 30d --allowed-addresses 10.0.0.0/8 --limits rpm=10,tpm=500
            --model a,b --model c/d:e --metadata {"team":"a"} --secret-sha256 00ff
            """.ReplaceLineEndings(" "));

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(
            """
            {"name":"first","environment":"test","type":"read","permissions":["read","write"],"scopes":["a","b","c"],"rights":["verify"],
            "description":"@why","expires_at":"2026-02-01T03:04:05Z","allowed_addresses":["10.0.0.0/8"],"limits":{"rpm":10,"tpm":500},
            "models":["a,b","c/d:e"],"metadata":{"team":"a"},"secret_sha256":"00ff"}
            """.ReplaceLineEndings(""),
            gate.Only.Body);
    }

    [Theory]
    [InlineData("rpm")]
    [InlineData("rpm=")]
    [InlineData("=1")]
    [InlineData("rpm=-1")]
    [InlineData("rpm=1.5")]
    [InlineData("rpm=1=2")]
    [InlineData("rpm=1,rpm=2")]
    [InlineData("rpm=99999999999999999999")]
    public async Task Create_sends_nothing_where_a_limit_is_no_name_and_number(string limits)
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, $"keys create --project prj_1 --name first --limits {limits}");

        Assert.Equal((2, 0), (ran.ExitCode, gate.Log.Count));
        Assert.Contains("such as rpm=10", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_with_json_prints_the_key_and_its_secret_as_the_api_does()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "keys create --name first --json");

        var answer = JsonNode.Parse(ran.Out)!;
        Assert.Equal(("key_1", Sample.Secret), ((string?)answer["id"], (string?)answer["secret"]));
        Assert.Equal("", ran.Error);
    }

    [Fact]
    public async Task List_shows_a_table_to_people()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "keys list --status active");

        Assert.Equal(0, ran.ExitCode);
        var lines = ran.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.Matches("^ID +NAME +STATUS +MASK +ENVIRONMENT +MAY +EXPIRES", lines[0]);
        Assert.Matches("^key_1 +first +active +abc...wxyz +live +read,write endpoints verify +2027-01-02 03:04:05Z", lines[1]);
        Assert.Equal("/api/v1/projects/prj_1/keys?status=active", gate.Log[1].Path);
    }

    [Fact]
    public async Task List_with_json_prints_every_page_and_with_a_limit_so_many_rows()
    {
        await using var gate = await StandInGate.Start(Routes);

        var all = await Ran.Command(gate, "keys list --json");
        var two = await Ran.Command(gate, "keys list --json --limit 2");
        var one = await Ran.Command(gate, "keys list --limit 1");

        Assert.Equal(["key_1", "key_2", "key_3"], JsonNode.Parse(all.Out)!["data"]!.AsArray().Select(key => (string?)key!["id"]));
        Assert.Equal(2, JsonNode.Parse(two.Out)!["data"]!.AsArray().Count);
        Assert.Contains("There are more than 1", one.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_holds_an_escape_sequence_or_markup_is_printed_harmless()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key(name: @"[red]\u001b[2Jx\u009b")));

        var ran = await Ran.Command(gate, "keys show key_1");

        Assert.Contains("[red]\uFFFD[2Jx\uFFFD", ran.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(ran.Out, c => char.IsControl(c) && c != '\n');
    }

    [Theory]
    [InlineData("disable", "POST /api/v1/keys/key_1/disable ")]
    [InlineData("enable", "POST /api/v1/keys/key_1/enable ")]
    [InlineData("revoke", "POST /api/v1/keys/key_1/revoke ")]
    [InlineData("show", "GET /api/v1/keys/key_1 ")]
    public async Task A_verb_on_a_key_goes_where_the_api_says_and_shows_the_key(string verb, string asked)
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key()));

        var ran = await Ran.Command(gate, $"keys {verb} key_1");

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(asked, $"{gate.Only.Method} {gate.Only.Path} {gate.Only.Body}");
        Assert.Equal("Bearer " + Ran.ActingKey, gate.Only.Headers["Authorization"]);
        Assert.Matches("name +first", ran.Out);
    }

    [Fact]
    public async Task Show_tells_the_models_that_a_key_is_for()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key(more: ",\"models\":[\"a\",\"b/c\"]")));

        var ran = await Ran.Command(gate, "keys show key_1");

        Assert.Matches("models +a, b/c\n", ran.Out);
    }

    [Fact]
    public async Task Rotate_sends_its_grace_in_seconds_and_prints_the_new_secret()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "keys rotate key_1 --grace 24h --force --expires 2027-01-31");
        var plain = await Ran.Command(gate, "keys rotate key_1");

        Assert.Equal((0, Sample.Secret + "\n"), (ran.ExitCode, ran.Out));
        Assert.Equal("""{"grace_seconds":86400,"force":true,"expires_at":"2027-01-31T00:00:00Z"}""", gate.Log[0].Body);
        Assert.Equal((0, "{}"), (plain.ExitCode, gate.Log[1].Body));
    }

    [Fact]
    public async Task Regenerate_prints_the_new_secret()
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "keys regenerate key_1");

        Assert.Equal((0, Sample.Secret + "\n"), (ran.ExitCode, ran.Out));
        Assert.Equal("/api/v1/keys/key_1/regenerate", gate.Only.Path);
    }

    [Theory]
    [InlineData("regenerate", "2026-01-02T03:04:06Z", "regenerated; the old secret is refused now.", false)]
    [InlineData("rotate", "2026-01-02T03:04:06Z", "is rotated.", false)]
    [InlineData("rotate", "2026-01-03T03:04:06Z", "The old secret abc...wxyz works until 2026-01-03 03:04:06Z.", true)]
    public async Task Only_an_old_secret_that_still_works_is_said_to_work(string verb, string oldEnds, string said, bool works)
    {
        await using var gate = await StandInGate.Start(new Answer(201, WithSecrets(Sample.Issued(), oldEnds)));

        var ran = await Ran.Command(gate, $"keys {verb} key_1");

        Assert.Contains(said, ran.Error, StringComparison.Ordinal);
        Assert.Equal(works, ran.Error.Contains("works until", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_running_grace_is_told_in_the_shells_words_and_with_json_in_the_apis()
    {
        await using var gate = await StandInGate.Start(Answer.Problem(409, "rotation_running", "Or send \\\"force\\\": true."));

        var ran = await Ran.Command(gate, "keys rotate key_1");
        var json = await Ran.Command(gate, "keys rotate key_1 --json");

        Assert.Contains("say --force to end it now. (rotation_running)", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("true", ran.Error, StringComparison.Ordinal);
        Assert.Equal("Or send \"force\": true.", (string?)JsonNode.Parse(json.Error)!["detail"]);
    }

    [Theory]
    [InlineData("revoke", "revoked", 0)]
    [InlineData("delete --yes", "deleted", 0)]
    [InlineData("show", "active", 2)]
    public async Task A_key_that_is_stopped_for_good_shows_no_end_of_its_secrets(string verb, string status, int lines)
    {
        await using var gate = await StandInGate.Start(
            new Answer(200, WithSecrets(Sample.Key(status: status), "2026-01-03T03:04:06Z")));

        var ran = await Ran.Command(gate, $"keys {verb} key_1");

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(lines, ran.Out.Split('\n').Count(line => line.StartsWith("secret ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_disabled_key_says_why()
    {
        var key = Sample.Key(status: "disabled").Replace("\"holds\":[]", "\"holds\":[\"person\",\"new\"]", StringComparison.Ordinal);
        await using var gate = await StandInGate.Start(new Answer(200, key));

        var ran = await Ran.Command(gate, "keys show key_1");

        Assert.Contains("disabled (by a person, new)", ran.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("keys list")]
    [InlineData("keys show key_1")]
    public async Task Tables_have_no_spaces_at_the_ends_of_their_lines(string line)
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, line);

        Assert.DoesNotContain(" \n", ran.Out, StringComparison.Ordinal);
        Assert.EndsWith("Z\n", ran.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("first\n", 0, 1)]
    [InlineData("First\n", 1, 0)]
    [InlineData("y\n", 1, 0)]
    [InlineData("", 1, 0)]
    public async Task Delete_goes_on_only_when_the_name_is_typed(string typed, int exitCode, int deletions)
    {
        await using var gate = await StandInGate.Start(Routes);

        var ran = await Ran.Command(gate, "keys delete key_1", typed);

        Assert.Equal(exitCode, ran.ExitCode);
        Assert.Equal(deletions, gate.Log.Count(asked => asked.Method == "DELETE"));
    }

    [Fact]
    public async Task Delete_with_yes_asks_nobody_and_with_json_wants_it()
    {
        await using var gate = await StandInGate.Start(Routes);

        Assert.Equal(2, (await Ran.Command(gate, "keys delete key_1 --json", "first\n")).ExitCode);
        Assert.Empty(gate.Log);

        Assert.Equal(0, (await Ran.Command(gate, "keys delete key_1 --yes --json")).ExitCode);
        Assert.Equal("DELETE", gate.Only.Method);
    }

    /// <summary>The same key with a new secret, made at 03:04:06, beside its old one.</summary>
    private static string WithSecrets(string key, string oldEnds)
    {
        var node = JsonNode.Parse(key)!;
        node["secrets"] = JsonNode.Parse(
            $$"""
            [{"mask":"new...wxyz","created_at":"2026-01-02T03:04:06Z","ends_at":null},
             {"mask":"abc...wxyz","created_at":"2026-01-02T03:04:05Z","ends_at":"{{oldEnds}}"}]
            """);
        return node.ToJsonString();
    }

    private static Answer Routes(Asked asked) => (asked.Method, asked.Path) switch
    {
        ("GET", "/api/v1/projects?limit=100") => new Answer(200, Sample.Page(null, Sample.Project("prj_2"), Sample.Project())),
        ("GET", "/api/v1/keys/key_1") => new Answer(200, Sample.Key()),
        ("GET", var path) when path.EndsWith("cursor=c1", StringComparison.Ordinal) =>
            new Answer(200, Sample.Page(null, Sample.Key("key_3"))),
        ("GET", _) => new Answer(200, Sample.Page("c1", Sample.Key(), Sample.Key("key_2", "second"))),
        ("DELETE", _) => new Answer(200, Sample.Key(status: "deleted")),
        _ => new Answer(201, Sample.Issued()),
    };
}
