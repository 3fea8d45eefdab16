using System.Text;

namespace Tollgate.Gateway.Metering;

/// <summary>The calls of the OpenAI API whose tokens are counted.</summary>
internal enum ModelCallKind
{
    Chat,
    Completion,
    Embedding,
}

/// <summary>A call to a model, as its body says it.</summary>
internal sealed record ModelCall
{
    public required ModelCallKind Kind { get; init; }

    public required string Model { get; init; }

    /// <summary>Whether the answer shall come as a stream of events.</summary>
    public bool Streams { get; init; }

    /// <summary>Whether the client asked for the usage of a stream (<c>stream_options.include_usage</c>).</summary>
    public bool AsksUsage { get; init; }

    /// <summary>The most output tokens of one choice that the client asks for; null where it does not say.</summary>
    public int? OutputMax { get; init; }

    /// <summary>How many choices at most will be made: <c>n</c> or <c>best_of</c>, times the prompts.</summary>
    public int FanOut { get; init; } = 1;

    /// <summary>More input tokens than it can have: the bytes of its text, and what each image and each sound may count as.</summary>
    public int InputBound { get; init; }

    /// <summary>The body as it came.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Where in the body stands what may have to change on its way.</summary>
    public CallMarks Marks { get; init; }

    /// <summary>
    /// Reads a body; false with what is wrong with it. Members that the gate reads and that stand twice are refused, at every depth it
    /// reads.
    /// </summary>
    public static bool TryRead(ModelCallKind kind, ReadOnlyMemory<byte> body, out ModelCall call, out CallFault fault) =>
        new CallReader(kind, body).TryRead(out call, out fault);

    /// <summary>
    /// The body as it goes on: byte for byte what came, but for the bound of the output where one is given, and for the usage of a stream,
    /// which is always asked for.
    /// </summary>
    public ReadOnlyMemory<byte> Forwarded(int? outputMax)
    {
        var edits = new BodyEdits();
        if (outputMax is { } most && Kind != ModelCallKind.Embedding)
        {
            EditOutputMax(edits, most);
        }

        if (Streams && !AsksUsage)
        {
            EditUsage(edits);
        }

        return edits.Apply(Body);
    }

    private void EditOutputMax(BodyEdits edits, int most)
    {
        if (OutputMax is null && Marks.MaxTokens.IsThere)
        {
            edits.Replace(Marks.MaxTokens, Encoding.ASCII.GetBytes($"{most}"));
        }
        else if (OutputMax is null)
        {
            edits.Insert(Marks.Open, Encoding.ASCII.GetBytes($"\"max_tokens\":{most},"));
        }
        else if (OutputMax > most)
        {
            edits.Replace(Marks.MaxTokens, Encoding.ASCII.GetBytes($"{most}"));
            edits.Replace(Marks.MaxCompletionTokens, Encoding.ASCII.GetBytes($"{most}"));
        }
    }

    private void EditUsage(BodyEdits edits)
    {
        if (Marks.IncludeUsage.IsThere)
        {
            edits.Replace(Marks.IncludeUsage, "true"u8);
        }
        else if (Marks.OptionsOpen > 0)
        {
            edits.Insert(Marks.OptionsOpen, Marks.OptionsAreEmpty ? "\"include_usage\":true"u8 : "\"include_usage\":true,"u8);
        }
        else if (Marks.NoOptions.IsThere)
        {
            edits.Replace(Marks.NoOptions, "{\"include_usage\":true}"u8);
        }
        else
        {
            edits.Insert(Marks.Open, "\"stream_options\":{\"include_usage\":true},"u8);
        }
    }
}

/// <summary>What is wrong with the body of a call.</summary>
/// <param name="Kind">In which way.</param>
/// <param name="Pointer">The JSON pointer of the member; empty for the body as a whole.</param>
/// <param name="Text">A sentence without its subject, such as "must be a whole number.", or a whole one where the pointer is empty.</param>
internal readonly record struct CallFault(CallFaultKind Kind, string Pointer, string Text);

internal enum CallFaultKind
{
    /// <summary>It is not JSON, or not UTF-8, or says a thing twice.</summary>
    NotJson,

    /// <summary>A member has a value that cannot be.</summary>
    Invalid,
}
