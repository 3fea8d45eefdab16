using System.Text.Json;
using Tollgate.Server.Hosting;

namespace Tollgate.Server.Operating;

/// <summary>The verb <c>doctor</c>: a line per check. Ends with 0 when all is well, 1 with warnings, 2 when something failed.</summary>
internal static class DoctorVerb
{
    private const string AsJson = "--json";

    public static async Task<int> Run(string[] arguments)
    {
        var json = arguments.Contains(AsJson);
        var (line, faults) = VerbLine.Read(arguments, OptionsReader.Variables(), new VerbForm([AsJson]));
        var worst = Soundness.Ok;
        await foreach (var diagnosis in line is null ? Faulty(faults) : new Doctor(line.Options, TimeProvider.System).Examine())
        {
            System.Console.WriteLine(json ? Json(diagnosis) : Text(diagnosis));
            worst = diagnosis.Soundness > worst ? diagnosis.Soundness : worst;
        }

        return (int)worst;
    }

    private static async IAsyncEnumerable<Diagnosis> Faulty(IReadOnlyList<string> faults)
    {
        foreach (var fault in faults)
        {
            yield return Diagnosis.Failed("options", fault, "See docs/reference/configuration.md.");
        }

        await Task.CompletedTask;
    }

    /// <summary>What failed stands out.</summary>
    private static string Text(Diagnosis diagnosis) =>
        $"{(diagnosis.Soundness == Soundness.Failed ? "FAILED" : Word(diagnosis.Soundness)),-8} {diagnosis.Check,-14} {diagnosis.Sentence}"
        + (diagnosis.Remedy is { } remedy ? $"\n{"",-23} -> {remedy}" : "");

    /// <summary>A line of JSON per check.</summary>
    private static string Json(Diagnosis diagnosis)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("check"u8, diagnosis.Check);
            json.WriteString("result"u8, Word(diagnosis.Soundness));
            json.WriteString("found"u8, diagnosis.Sentence);
            json.WriteString("to_do"u8, diagnosis.Remedy);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string Word(Soundness soundness) => soundness switch
    {
        Soundness.Ok => "ok",
        Soundness.Warning => "warning",
        _ => "failed",
    };
}
