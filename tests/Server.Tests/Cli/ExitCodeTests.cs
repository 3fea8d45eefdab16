using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

public sealed class ExitCodeTests
{
    [Theory]
    [InlineData(401, 3)]
    [InlineData(403, 3)]
    [InlineData(404, 4)]
    [InlineData(400, 5)]
    [InlineData(409, 5)]
    [InlineData(422, 5)]
    [InlineData(429, 7)]
    [InlineData(500, 7)]
    [InlineData(503, 7)]
    public async Task Each_kind_of_refusal_has_its_exit_code(int status, int exitCode)
    {
        await using var gate = await StandInGate.Start(Answer.Problem(status, "some_code", "A sentence."));

        var ran = await Ran.Command(gate, "keys show key_1");

        Assert.Equal((exitCode, ""), (ran.ExitCode, ran.Out));
        Assert.Equal(
            "error: A sentence. (some_code)\n  name: 3 to 50 characters\n  needed: keys:manage\n  request: req_1\n", ran.Error);
    }

    [Fact]
    public async Task With_json_a_refusal_is_the_problem_on_standard_error()
    {
        await using var gate = await StandInGate.Start(Answer.Problem(409, "key_final", "A sentence."));

        var ran = await Ran.Command(gate, "keys revoke key_1 --json");

        Assert.Equal((5, ""), (ran.ExitCode, ran.Out));
        var problem = JsonNode.Parse(ran.Error)!;
        Assert.Equal(("key_final", 409), ((string?)problem["code"], (int)problem["status"]!));
        Assert.Equal("/name", (string?)problem["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_gate_that_is_not_there_is_6()
    {
        Uri gone;
        await using (var gate = await StandInGate.Start(new Answer(200, "{}")))
        {
            gone = gate.Address;
        }

        var ran = await Ran.Command(null, $"keys list --url {gone}");
        var json = await Ran.Command(null, $"keys list --json --url {gone}");

        Assert.Equal((6, 6), (ran.ExitCode, json.ExitCode));
        Assert.StartsWith("error: The gate could not be reached.", ran.Error, StringComparison.Ordinal);
        Assert.Equal("unreachable", (string?)JsonNode.Parse(json.Error)!["code"]);
    }

    [Fact]
    public async Task Something_else_at_the_address_is_7()
    {
        await using var gate = await StandInGate.Start(new Answer(200, "<html>"));

        var ran = await Ran.Command(gate, "keys show key_1");

        Assert.Equal(7, ran.ExitCode);
        Assert.Contains("is this the address of a Tollgate?", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operation_that_the_provider_does_not_offer_is_5()
    {
        await using var gate = await StandInGate.Start(Answer.Problem(403, "operation_not_offered", "A sentence."));

        Assert.Equal(5, (await Ran.Command(gate, "keys regenerate key_1")).ExitCode);
    }

    [Theory]
    [InlineData("220 mail ready\r\n")]
    [InlineData("")]
    public async Task Another_program_that_speaks_no_http_is_7_with_a_sentence(string greeting)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var running = Ran.Command(null, $"keys show key_1 --url http://{listener.LocalEndpoint}");
        while (await Task.WhenAny(running, listener.AcceptTcpClientAsync(cancel).AsTask()) is Task<TcpClient> accepted)
        {
            using var connection = await accepted;
            var stream = connection.GetStream();
            await stream.ReadAtLeastAsync(new byte[1], 1, cancellationToken: cancel);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(greeting), cancel);
        }

        var ran = await running;

        Assert.Equal((7, ""), (ran.ExitCode, ran.Out));
        Assert.StartsWith("error: Something is at the address and gave no whole HTTP answer", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("keys bogus", "error: \"bogus\" is not a command of tollgate keys: create, list,")]
    [InlineData("bogus", "error: \"bogus\" is not a command of tollgate: keys, verify, import, usage, wallet, webhooks, plans, operator, "
        + "serve, provider, backup, restore, doctor, migrate.\n")]
    [InlineData("--json=false serve --urls http://x", "error: \"serve\" belongs to the server's executable: run ./tollgate serve,")]
    [InlineData(
        "keys list --status bogus", "error: --status: \"bogus\" is not one of active, disabled, expired, revoked, deleted.\nTry: ")]
    public async Task A_wrong_word_is_told_in_one_clean_sentence(string line, string sentence)
    {
        var ran = await Ran.Command(null, line);

        Assert.Equal(2, ran.ExitCode);
        Assert.StartsWith(sentence, ran.Error, StringComparison.Ordinal);
        Assert.Equal(2, ran.Error.Count(c => c == '\n'));
        Assert.DoesNotContain('\uFFFD', ran.Error);
    }

    [Theory]
    [InlineData("--help", "  serve ")]
    [InlineData("--help", "  provider ")]
    [InlineData("verify --help", " verify [<dash>] [options]")]
    [InlineData("verify --help", "  <dash>  A dash (-)")]
    [InlineData("keys rotate --help", "only for a key that has expired")]
    [InlineData("keys list --help", "--status <active|disabled|expired|revoked|deleted>")]
    public async Task Help_names_what_can_be_done(string line, string words)
    {
        var ran = await Ran.Command(null, line);

        Assert.Equal(0, ran.ExitCode);
        Assert.Contains(words, ran.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("keys")]
    [InlineData("keys frob")]
    [InlineData("keys create")]
    [InlineData("keys show")]
    [InlineData("keys show ../projects")]
    [InlineData("keys list --status sleeping")]
    [InlineData("keys list --limit 0")]
    [InlineData("keys list --url ftp://x")]
    [InlineData("keys create --name a --expires tomorrow")]
    [InlineData("keys create --name a --metadata [1]")]
    [InlineData("keys create --name a --metadata {")]
    [InlineData("keys rotate key_1 --grace 1w")]
    [InlineData("keys rotate key_1 --grace -5s")]
    [InlineData("verify some-key")]
    [InlineData("verify")]
    [InlineData("verify - --key-to-check k")]
    [InlineData("verify --key-to-check k --method GET")]
    [InlineData("verify --key-to-check k --requires a:b --method GET --path /x")]
    public async Task A_wrong_command_line_is_2_and_asks_the_gate_nothing(string line)
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Page(null, Sample.Project())));

        var ran = await Ran.Command(gate, line);

        Assert.Equal((2, ""), (ran.ExitCode, ran.Out));
        Assert.StartsWith("error: ", ran.Error, StringComparison.Ordinal);
        Assert.Contains("\nTry: tollgate", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(gate.Log, asked => asked.Method != "GET");
    }

    [Fact]
    public async Task Without_a_key_to_act_with_nothing_is_asked()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key()));

        var ran = await Ran.Command(gate, "keys show key_1", "", ("TOLLGATE_ROOT_KEY", ""));

        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("TOLLGATE_ROOT_KEY", ran.Error, StringComparison.Ordinal);
        Assert.Empty(gate.Log);
    }

    [Theory]
    [InlineData("from-option", "--key from-option", "root", "plain")]
    [InlineData("root", "", "root", "plain")]
    [InlineData("plain", "", "", "plain")]
    public async Task The_key_to_act_with_is_the_options_then_the_root_keys_then_the_plain_one(
        string used, string option, string root, string plain)
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key()));

        await Ran.Command(gate, $"keys show key_1 {option}", "", ("TOLLGATE_ROOT_KEY", root), ("TOLLGATE_KEY", plain));

        Assert.Equal("Bearer " + used, gate.Only.Headers["Authorization"]);
    }
}
