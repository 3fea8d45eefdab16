using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// Looks at a gate's database from beside it, as often as it can: the books agree, and no more is spent and held than there is.
/// </summary>
/// <param name="kind">Of the database.</param>
/// <param name="folder">Where an SQLite lies.</param>
/// <param name="postgres">How a PostgreSQL is reached.</param>
/// <param name="paidIn">Millionths that were paid in.</param>
/// <param name="isTakenOut">Money goes out and in meanwhile, so that only agreement is asked for.</param>
internal sealed class BooksWatch(DatabaseKind kind, string folder, string? postgres, long paidIn, bool isTakenOut = false)
{
    private int _held;
    private int _seen;

    /// <summary>Answers how many states it saw with money held.</summary>
    public async Task<int> Run(CancellationToken ended)
    {
        await using var connection = await Beside.Open(kind, folder, postgres);
        var seen = new HashSet<PaidBooks>();
        while (!ended.IsCancellationRequested)
        {
            var books = await PaidBooks.Of(connection);
            books.Agree("in between");
            Assert.True(isTakenOut || books.Spent + books.Held <= paidIn, $"{books}");
            if (books.Held > 0)
            {
                seen.Add(books);
                Volatile.Write(ref _seen, seen.Count);
            }
        }

        return seen.Count;
    }

    /// <summary>
    /// Holds the first three requests open until one, two and three states have been seen, or for two seconds: all can be over before the
    /// first look.
    /// </summary>
    public async Task SeenInBetween()
    {
        var states = Interlocked.Increment(ref _held);
        for (var ms = 0; states <= 3 && ms < 2_000 && Volatile.Read(ref _seen) < states; ms++)
        {
            await Task.Delay(1);
        }
    }
}
