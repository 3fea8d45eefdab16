using Tollgate.Cli;
using Tollgate.Server.Tests.Client;

namespace Tollgate.Server.Tests.Cli;

/// <summary>Runs the command line as a shell would, with streams and environment of the test's own.</summary>
internal sealed record Ran(int ExitCode, string Out, string Error)
{
    /// <summary>The key the command acts with, unless the test's environment says otherwise.</summary>
    public const string ActingKey = "acting-key-of-the-test";

    public static async Task<Ran> Command(StandInGate? gate, string line, string input = "", params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string> { ["TOLLGATE_ROOT_KEY"] = ActingKey };
        if (gate is not null)
        {
            environment["TOLLGATE_URL"] = gate.Address.AbsoluteUri;
        }

        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var shell = new Shell
        {
            In = new StringReader(input),
            Out = output,
            Error = error,
            Variable = name => environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null,
            Time = new HastyClock(),
            AtTerminal = input.Length == 0,
        };
        var code = await CommandLine.Run(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries), shell, TestContext.Current.CancellationToken);
        return new Ran(code, output.ToString(), error.ToString());
    }
}
