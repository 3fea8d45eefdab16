namespace Tollgate.Server.Providers.Reading;

/// <summary>Guesses the name that was meant, for the end of an error message.</summary>
internal static class Spelling
{
    /// <summary><c>; did you mean "clusters"?</c>, or nothing when no known name is near.</summary>
    public static string Hint(string word, IEnumerable<string> known)
    {
        if (word.Length > 64)
        {
            return "";
        }

        var nearest = known.Select(name => (name, Distance: Distance(word, name)))
            .Where(pair => pair.Distance <= Bearable(pair.name))
            .OrderBy(pair => pair.Distance)
            .FirstOrDefault();
        return nearest.name is null ? "" : $"; did you mean \"{nearest.name}\"?";
    }

    // Two letters swapped count as two changes: from four letters on, that much is a slip.
    private static int Bearable(string name) => name.Length < 4 ? 1 : Math.Max(2, name.Length / 3);

    /// <summary>The fewest letters to change, add or drop that make one word the other (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                var changed = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + changed);
                diagonal = above;
            }
        }

        return row[^1];
    }
}
