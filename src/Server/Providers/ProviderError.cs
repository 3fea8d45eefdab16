namespace Tollgate.Server.Providers;

/// <summary>A spot in a provider file; line and column count from 1.</summary>
internal readonly record struct Place(string File, int Line, int Column)
{
    /// <summary>Line 0 stands for the file as a whole.</summary>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}

/// <summary>
/// One thing wrong with a provider file, in the form editors and terminals can jump to: <c>file:line:column: sentence</c>.
/// A file that is not there has no place: its error is the sentence alone.
/// </summary>
internal sealed record ProviderError(Place At, string Message)
{
    public override string ToString() => At.File is null ? Message : $"{At}: {Message}";
}

/// <summary>What came of reading a provider file: the model, or everything that is wrong with the file.</summary>
internal sealed record ProviderLoad(ProviderModel? Model, IReadOnlyList<ProviderError> Errors);
