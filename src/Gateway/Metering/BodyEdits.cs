namespace Tollgate.Gateway.Metering;

/// <summary>A stretch of a body. The default is none.</summary>
internal readonly record struct BodyMark(int Start, int Length)
{
    public bool IsThere => Length > 0;
}

/// <summary>
/// Where in the body of a call stands what may have to change on its way; positions of 0 and marks of no length are not there.
/// </summary>
internal readonly record struct CallMarks
{
    /// <summary>Behind the brace that opens the body. A member follows, since every call names a model.</summary>
    public int Open { get; init; }

    /// <summary>The value of <c>max_tokens</c>, a null too.</summary>
    public BodyMark MaxTokens { get; init; }

    public BodyMark MaxCompletionTokens { get; init; }

    /// <summary>The <c>null</c> of <c>stream_options</c>.</summary>
    public BodyMark NoOptions { get; init; }

    /// <summary>Behind the brace that opens <c>stream_options</c>.</summary>
    public int OptionsOpen { get; init; }

    public bool OptionsAreEmpty { get; init; }

    /// <summary>The value of <c>include_usage</c>.</summary>
    public BodyMark IncludeUsage { get; init; }
}

/// <summary>Changes to a body that leave every other byte as it is.</summary>
internal sealed class BodyEdits
{
    private readonly List<(BodyMark Mark, byte[] Text)> _edits = [];

    public void Insert(int at, ReadOnlySpan<byte> text) => _edits.Add((new BodyMark(at, 0), text.ToArray()));

    /// <summary>Nothing where the mark is not there.</summary>
    public void Replace(BodyMark mark, ReadOnlySpan<byte> text)
    {
        if (mark.IsThere)
        {
            _edits.Add((mark, text.ToArray()));
        }
    }

    /// <summary>The same memory where there is nothing to change.</summary>
    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> body)
    {
        if (_edits.Count == 0)
        {
            return body;
        }

        // Two at one place are whole members with their commas, so that either order is good.
        _edits.Sort((one, other) => one.Mark.Start.CompareTo(other.Mark.Start));
        var result = new byte[body.Length + _edits.Sum(edit => edit.Text.Length - edit.Mark.Length)];
        var (from, to) = (0, 0);
        foreach (var (mark, text) in _edits)
        {
            var same = body.Span[from..mark.Start];
            same.CopyTo(result.AsSpan(to));
            text.CopyTo(result.AsSpan(to + same.Length));
            from = mark.Start + mark.Length;
            to += same.Length + text.Length;
        }

        body.Span[from..].CopyTo(result.AsSpan(to));
        return result;
    }
}
