namespace Tollgate.Cli.Import;

/// <summary>One row of the file, as it is sent; or why it is not sent.</summary>
internal sealed record SourceRow
{
    /// <summary>Where it begins in the file, counting from 1: a line, or for a JSON array an element.</summary>
    public required long Line { get; init; }

    /// <summary>A JSON object in UTF-8 without a line feed, as the gate takes it.</summary>
    public ReadOnlyMemory<byte> Json { get; init; }

    /// <summary>Why the row cannot be sent; it counts as refused.</summary>
    public string? Fault { get; init; }

    /// <summary>Why the row is none of those to move: it counts as skipped.</summary>
    public bool IsSkipped { get; init; }

    /// <summary>Columns that say something the gate has no place for.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>Columns that limit the key in the other system, are kept in its metadata, and limit nothing here.</summary>
    public IReadOnlyList<string> NotEnforced { get; init; } = [];
}
