namespace Tollgate.Server.Providers.Reading;

/// <summary>
/// Everything wrong with a file, so that one run of the loader is enough to repair it. Bounded: a broken file has no more to tell after a
/// hundred.
/// </summary>
internal sealed class ErrorList
{
    public const int ErrorsMax = 100;

    private readonly List<ProviderError> _errors = [];

    public bool IsEmpty => _errors.Count == 0;

    public void Report(Place at, string message)
    {
        if (_errors.Count < ErrorsMax)
        {
            _errors.Add(new ProviderError(at, message));
        }
    }

    public void Report(YamlNode node, string message) => Report(node.At, message);

    /// <summary>In reading order; the same complaint about the same place once.</summary>
    public IReadOnlyList<ProviderError> Sorted() =>
    [
        .. _errors.Distinct()
            .OrderBy(error => error.At.File, StringComparer.Ordinal).ThenBy(error => error.At.Line).ThenBy(error => error.At.Column),
    ];
}
