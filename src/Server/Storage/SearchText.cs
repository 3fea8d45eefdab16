namespace Tollgate.Server.Storage;

/// <summary>
/// What somebody looks for as a pattern for LIKE with <c>ESCAPE '\'</c>, in small letters: what would stand for any text is text here.
/// </summary>
internal static class SearchText
{
    public static string? Starting(string? text) => text is null ? null : Plain(text) + "%";

    public static string? Holding(string? text) => text is null ? null : "%" + Plain(text) + "%";

    private static string Plain(string text) => text.ToLowerInvariant().Replace(@"\", @"\\", StringComparison.Ordinal)
        .Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);
}
