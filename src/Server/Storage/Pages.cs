using Tollgate.Server.Access;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Storage;

/// <summary>Lists by pages, newest first: reads <c>limit</c> and <c>cursor</c>, and makes the cursor of the next page.</summary>
internal sealed class Pages(Pepper pepper)
{
    public const int LimitDefault = 20;
    public const int LimitMax = 100;

    private readonly Cursor _cursors = new(pepper);

    /// <param name="http">The call; a cursor is its caller's alone.</param>
    /// <param name="list">The list's name and every filter on it: a cursor of another list or filter is refused.</param>
    /// <param name="limit">1–100; 20 when null.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    public Outcome<Page> Read(HttpContext http, string list, int? limit, string? cursor)
    {
        var rows = limit ?? LimitDefault;
        if (rows is < 1 or > LimitMax)
        {
            return Problem.Invalid("/limit", $"must be between 1 and {LimitMax}.");
        }

        var caller = Caller.Of(http);
        var principal = $"{caller.Kind} {caller.Id}";
        var before = long.MaxValue;
        return cursor is null || _cursors.TryDecode(cursor, list, principal, out before)
            ? new Page(before, rows, number => _cursors.Encode(list, principal, number))
            : Problem.Of(ProblemCode.InvalidCursor);
    }
}

/// <summary>One page of a list that counts down: rows numbered below <see cref="Before"/>, at most <see cref="Limit"/> of them.</summary>
internal sealed record Page(long Before, int Limit, Func<long, string> CursorAt)
{
    /// <summary>
    /// The rows to show and the cursor of the next page, from a query for one row more than <see cref="Limit"/>: the extra one tells that
    /// there is a next page, and is not shown.
    /// </summary>
    public (IReadOnlyList<T> Data, string? NextCursor) Cut<T>(IReadOnlyList<T> rows, Func<T, long> numberOf) =>
        rows.Count <= Limit ? (rows, null) : ([.. rows.Take(Limit)], CursorAt(numberOf(rows[Limit - 1])));
}
