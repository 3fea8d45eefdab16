using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary>
/// How a command speaks: results on standard output, everything said about them on standard error, and with <c>--json</c> only JSON on
/// both. Text from the gate is printed without control characters, since a name could hold an escape sequence.
/// </summary>
internal sealed class Voice(Shell shell, bool json)
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Its sentence is for those who write JSON; a person has an option.</summary>
    private const string RotationRunning = "rotation_running";

    public bool Json => json;

    /// <summary>For the person at the keyboard; silent with <c>--json</c>.</summary>
    public void Say(string line)
    {
        if (!json)
        {
            shell.Error.WriteLine(Plain(line));
        }
    }

    public void Result(string line) => shell.Out.WriteLine(Plain(line));

    public void Result<T>(T value, JsonTypeInfo<T> shape) => Write(shell.Out, JsonSerializer.SerializeToNode(value, shape)!);

    public void Result(JsonNode node) => Write(shell.Out, node);

    public void Table(Table table) => shell.Print(table);

    /// <summary>The one place where a secret leaves the program: a line of its own, to be caught by <c>$(…)</c>.</summary>
    public void Secret(Secret secret) => shell.Out.WriteLine(secret.Reveal());

    public void Problem(Problem problem)
    {
        if (json)
        {
            Write(shell.Error, JsonSerializer.SerializeToNode(problem, TollgateJson.Default.Problem)!);
            return;
        }

        var sentence = problem.Code == RotationRunning
            ? "The old secret of the last rotation is still in its grace. Wait for its end, or say --force to end it now."
            : problem.Detail ?? problem.Title;
        shell.Error.WriteLine(Plain($"error: {sentence} ({problem.Code})"));
        foreach (var field in problem.Errors.Where(field => !sentence.Contains(field.Expected, StringComparison.Ordinal)))
        {
            shell.Error.WriteLine(Plain($"  {field.Member.TrimStart('/')}: {field.Expected}"));
        }

        if (problem.RequiredPermission is { } needed && !sentence.Contains(needed, StringComparison.Ordinal))
        {
            shell.Error.WriteLine(Plain($"  needed: {needed}"));
        }

        if (problem.RequestId is { } id)
        {
            shell.Error.WriteLine(Plain($"  request: {id}"));
        }
    }

    public void Usage(IReadOnlyList<string> sentences, string command)
    {
        if (json)
        {
            Problem(new Problem { Code = "usage", Title = "The command line is wrong.", Detail = string.Join(' ', sentences) });
            return;
        }

        foreach (var sentence in sentences)
        {
            shell.Error.WriteLine(Plain($"error: {sentence}"));
        }

        shell.Error.WriteLine($"Try: {command} --help");
    }

    /// <summary>The text with anything a terminal could obey replaced.</summary>
    public static string Plain(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;

    private static void Write(TextWriter to, JsonNode node)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            node.WriteTo(writer);
        }

        to.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
