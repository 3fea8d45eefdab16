using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Cli;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Client;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Keys.Import;
using Answer = Tollgate.Server.Tests.Client.Answer;

namespace Tollgate.Server.Tests.Cli.Import;

/// <summary>An import that stops on the way goes on where it stopped, and what was sent twice came in once.</summary>
public sealed class ResumeTests(ImportGates gates) : IClassFixture<ImportGates>
{
    private const string Good = """{"data":[],"created":0,"unchanged":0,"refused":0}""";

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_run_that_is_cut_off_is_resumed_and_every_row_is_in_once(DatabaseKind kind)
    {
        using var place = await ImportPlace.New(gates, kind);
        string[] secrets = [.. Enumerable.Range(0, 25).Select(_ => Imports.Foreign())];
        var rows = secrets.Select((secret, i) => i == 3 ? Imports.Row("wrong") : Imports.Row(secret));
        var file = place.Write("keys.ndjson", Imports.Text([.. rows]));
        var calls = 0;
        // Stands between, hands on two calls, then swallows the answer of the third and is gone.
        await using var between = await StandInGate.Start(asked => Hand(place, asked, ++calls));

        var cut = await Through(between, $"import {file} --project {place.Project} --batch 5");
        var resumed = await place.Run(file + " --batch 5 --resume --json");

        Assert.Equal(7, cut.ExitCode);
        Assert.Contains(
            "Stopped after 10 rows, which are done. The same command with --resume goes on from there.",
            cut.Error,
            StringComparison.Ordinal);
        var report = JsonNode.Parse(resumed.Out)!;
        Assert.Equal((1, 25, 19, 5, 1), (resumed.ExitCode, Number("rows"), Number("created"), Number("unchanged"), Number("refused")));
        Assert.Equal(["keys.ndjson", "keys.ndjson.refused.ndjson"], place.Files);
        Assert.Single(place.Read("keys.ndjson.refused.ndjson").TrimEnd().Split('\n'));
        var listed = await place.Gate.Send("GET", $"/api/v1/projects/{place.Project}/keys?limit=100", RunningGate.RootKey);
        Assert.Equal(24, listed.Json.GetProperty("data").GetArrayLength());

        int Number(string name) => (int)report[name]!;
    }

    [Fact]
    public async Task Ctrl_C_stops_between_two_calls_and_leaves_what_is_needed_to_go_on()
    {
        using var place = await ImportPlace.New(gates);
        var file = place.Write("keys.ndjson", Imports.Text([.. Enumerable.Range(0, 9).Select(_ => Imports.Row())]));
        using var stop = new CancellationTokenSource();
        var calls = 0;
        await using var between = await StandInGate.Start(asked =>
        {
            if (++calls == 3)
            {
                stop.Cancel();
            }

            return Hand(place, asked, 1);
        });
        var error = new StringWriter { NewLine = "\n" };
        var shell = Shell(between, new StringWriter(), error);

        var code = await CommandLine.Run(["import", file, "--project", place.Project, "--batch", "3"], shell, stop.Token);
        var resumed = await place.Run(file + " --resume --json");

        Assert.Equal(130, code);
        Assert.Contains("--resume goes on from there", error.ToString(), StringComparison.Ordinal);
        Assert.Equal((0, 9), (resumed.ExitCode, (int)JsonNode.Parse(resumed.Out)!["rows"]!));
        Assert.Equal(["keys.ndjson"], place.Files);
    }

    [Fact]
    public async Task Another_file_is_not_resumed_and_without_resume_a_run_begins_anew()
    {
        using var place = await ImportPlace.New(gates);
        var rows = Imports.Text([.. Enumerable.Range(0, 4).Select(_ => Imports.Row())]);
        var file = place.Write("keys.ndjson", rows);
        var calls = 0;
        await using var between = await StandInGate.Start(asked =>
            ++calls > 1 ? Answer.Problem(500, "internal_error", "No.") : Hand(place, asked, 1));
        await Through(between, $"import {file} --project {place.Project} --batch 2");
        place.Write("keys.ndjson", rows + Imports.Text(Imports.Row()));

        var refused = await place.Run(file + " --resume");
        var anew = await place.Run(file);
        var nothing = await place.Run(file + " --resume");

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("are not those of the run that stopped", refused.Error, StringComparison.Ordinal);
        Assert.Matches("created +3\nunchanged +2\n", anew.Out);
        Assert.Contains("this one begins anew", anew.Error, StringComparison.Ordinal);
        Assert.Contains("There is no earlier run to resume", nothing.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_gate_that_is_busy_is_sent_the_same_rows_again(int status)
    {
        using var place = await ImportPlace.New(gates);
        var file = place.Write("keys.ndjson", Imports.Text(Imports.Row(), Imports.Row()));
        await using var between = await StandInGate.Start(asked =>
            asked.Number < 8
                ? Answer.Problem(status, "unavailable", "Busy.") with { Headers = [("Retry-After", "1")] }
                : Hand(place, asked, 1));

        var ran = await Through(between, $"import {file} --project {place.Project}");

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(8, between.Log.Count);
        Assert.Single(between.Log.Select(asked => (asked.Body, asked.Headers["Idempotency-Key"])).Distinct());
        Assert.Equal("application/x-ndjson", between.Log[0].Headers["Content-Type"]);
    }

    [Fact]
    public async Task A_file_goes_out_in_calls_of_so_many_rows_and_bytes()
    {
        using var place = await ImportPlace.New(gates);
        var wide = Imports.Row().ToJsonString();
        wide = wide.Insert(1, new string(' ', 30_000 - wide.Length));
        var file = place.Write("keys.ndjson", string.Concat(Enumerable.Repeat(wide + "\n", 300)));
        await using var gate = await StandInGate.Start(asked => Accept(asked.Body));

        var ran = await Through(gate, $"import {file} --project prj_1");
        var few = place.Write("few.ndjson", string.Concat(Enumerable.Repeat("{}\n", 2_001)));
        var small = await Through(gate, $"import {few} --project prj_1");

        Assert.Equal((0, 0), (ran.ExitCode, small.ExitCode));
        Assert.Equal(["139", "139", "22", "1000", "1000", "1"], gate.Log.Select(asked => $"{asked.Body.AsSpan().Count('\n')}"));
        Assert.All(gate.Log, asked => Assert.InRange(Encoding.UTF8.GetByteCount(asked.Body), 1, 4 * 1_024 * 1_024));
    }

    [Fact]
    public async Task A_terminal_sees_a_bar_and_a_program_lines()
    {
        using var place = await ImportPlace.New(gates);
        var file = place.Write("few.ndjson", string.Concat(Enumerable.Repeat("{}\n", 20_001)));
        await using var gate = await StandInGate.Start(asked => Accept(asked.Body));
        var seen = new StringWriter();

        var lines = await Through(gate, $"import {file} --project prj_1");
        var code = await CommandLine.Run(
            ["import", file, "--project", "prj_1"], Shell(gate, new StringWriter(), seen) with { ErrorAtTerminal = true, Width = 100 });

        Assert.Equal(
            "10,000 rows: 10,000 created, 0 unchanged, 0 refused\n20,000 rows: 20,000 created, 0 unchanged, 0 refused\n", lines.Error);
        Assert.Equal(0, code);
        Assert.Contains("\u001b[", seen.ToString(), StringComparison.Ordinal);
        Assert.Contains("%", seen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_an_outcome_for_each_row_is_not_believed()
    {
        using var place = await ImportPlace.New(gates);
        var file = place.Write("keys.ndjson", Imports.Text(Imports.Row()));
        await using var gate = await StandInGate.Start(new Answer(200, Good));

        var ran = await Through(gate, $"import {file} --project prj_1");

        Assert.Equal(7, ran.ExitCode);
        Assert.Contains("does not have an outcome for each row", ran.Error, StringComparison.Ordinal);
    }

    /// <summary>Hands a call on to the real gate; its answer is lost from the third on.</summary>
    private static Answer Hand(ImportPlace place, Asked asked, int call)
    {
        var query = asked.Path[asked.Path.IndexOf('?', StringComparison.Ordinal)..];
        if (call > 3)
        {
            return Answer.Cut;
        }

        var answer = place.Gate.Import(asked.Body, query).GetAwaiter().GetResult();
        return call < 3 ? new Answer((int)answer.Status, answer.Text) : Answer.Cut;
    }

    private static Answer Accept(string body)
    {
        var rows = Enumerable.Range(1, body.AsSpan().Count('\n')).Select(line => $"{{\"line\":{line},\"status\":\"created\"}}");
        return new Answer(200, $"{{\"data\":[{string.Join(',', rows)}],\"created\":1}}");
    }

    private static Task<Ran> Through(StandInGate gate, string line) => Ran.Command(gate, line);

    private static Shell Shell(StandInGate gate, StringWriter output, StringWriter error) => new()
    {
        In = new StringReader(""),
        Out = output,
        Error = error,
        Variable = name => name switch { "TOLLGATE_URL" => gate.Address.AbsoluteUri, "TOLLGATE_ROOT_KEY" => "a-root-key", _ => null },
        Time = new HastyClock(),
    };
}
