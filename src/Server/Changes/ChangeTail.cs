using System.Data.Common;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Changes;

/// <summary>
/// The last changes with their ids, so that a change is read from the database once, however many wait for it. What is further back is read
/// for each caller.
/// </summary>
internal sealed class ChangeTail(Database database) : IDisposable
{
    public const int BatchMax = 500;

    private const int KeptMax = 1_024;

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Of those who read what is further back: however many ask, they take one connection and leave the rest.</summary>
    private readonly SemaphoreSlim _oldTurn = new(1);

    /// <summary>Written by whoever has the turn; read once and replaced whole.</summary>
    private volatile Kept _kept = new("", new Stretch(0, 0, []));

    /// <summary>
    /// What follows a number, up to <see cref="BatchMax"/> numbers of it; null when the log does not reach back to there, or is of another
    /// epoch by now. Asked only while the log is beyond that number.
    /// </summary>
    public async Task<Stretch?> After(long after, string epoch, CancellationToken cancel)
    {
        var kept = KeptOf(epoch);
        if (kept.Reaches(after))
        {
            return kept.After(after);
        }

        var turn = after < kept.From ? _oldTurn : _turn;
        await turn.WaitAsync(cancel);
        try
        {
            kept = KeptOf(epoch);
            if (kept.Reaches(after))
            {
                return kept.After(after);
            }

            var read = await Read(after, cancel);
            if (database.Changes.End.Epoch != epoch)
            {
                return null;
            }

            // What lies before that which is kept does not take its place.
            if (read is not null && turn == _turn && after >= kept.From)
            {
                _kept = new Kept(epoch, kept.With(read, KeptMax));
            }

            return read;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _oldTurn.Dispose();
    }

    /// <summary>Nothing of another epoch.</summary>
    private Stretch KeptOf(string epoch)
    {
        var kept = _kept;
        return kept.Epoch == epoch ? kept.Changes : new Stretch(0, 0, []);
    }

    private Task<Stretch?> Read(long after, CancellationToken cancel) => database.Read(
        async connection =>
        {
            var rows = await ChangeLogSql.After(connection, after, database.Changes.Seq, BatchMax);
            // Numbers have no gaps: the next one is there, or it is gone.
            return rows.Count > 0 && rows[0].Seq == after + 1
                ? new Stretch(after, rows[^1].Seq, await Named(connection, rows))
                : null;
        },
        cancel);

    private static async Task<List<Change>> Named(DbConnection connection, List<ChangeRow> rows)
    {
        var keys = (await Places(rows, "key", numbers => KeyRing.Places(connection, numbers))).ToDictionary(place => place.KeyNo);
        var projects = (await Places(rows, "project", numbers => OrganizationRegister.ProjectPlaces(connection, numbers)))
            .ToDictionary(place => place.No);
        var organizations =
            (await Places(rows, "organization", numbers => OrganizationRegister.OrganizationPlaces(connection, numbers)))
            .ToDictionary(place => place.No);
        return [.. rows.Select(row => row.Kind switch
        {
            "key" => Of(row, keys[row.TargetNo].Id, keys[row.TargetNo].OrganizationId, keys[row.TargetNo].Environment),
            "project" => Of(row, projects[row.TargetNo].Id, projects[row.TargetNo].OrganizationId, null),
            "organization" => Of(row, organizations[row.TargetNo].Id, organizations[row.TargetNo].OrganizationId, null),
            // A kind that a newer version wrote and this one cannot name: it has no verdict that depends on it.
            _ => null,
        }).OfType<Change>()];
    }

    private static async Task<List<T>> Places<T>(List<ChangeRow> rows, string kind, Func<IReadOnlyCollection<long>, Task<List<T>>> ask)
    {
        var numbers = rows.Where(row => row.Kind == kind).Select(row => row.TargetNo).ToHashSet();
        return numbers.Count == 0 ? [] : await ask(numbers);
    }

    private static Change Of(ChangeRow row, string id, string organizationId, string? environment) => new()
    {
        Seq = row.Seq,
        Kind = row.Kind,
        Id = id,
        Version = row.Version,
        AtMs = row.AtMs,
        OrganizationId = organizationId,
        Environment = environment,
    };

    private sealed record Kept(string Epoch, Stretch Changes);

    /// <summary>All changes after one number up to and with another.</summary>
    internal sealed record Stretch(long From, long To, IReadOnlyList<Change> Changes)
    {
        /// <summary>Whether something after that number is here, without a gap.</summary>
        public bool Reaches(long after) => after >= From && after < To;

        /// <summary>That it does not reach back so far is a bug of whoever asks: its reader would lose changes for good.</summary>
        public Stretch After(long after)
        {
            if (after < From)
            {
                throw new InvalidOperationException($"Changes after {after} are asked of a stretch that begins after {From}.");
            }

            var to = Math.Min(To, after + BatchMax);
            return new Stretch(after, to, [.. Changes.Where(change => change.Seq > after && change.Seq <= to)]);
        }

        /// <summary>Longer by what follows it, or that alone where it does not follow; the oldest go.</summary>
        public Stretch With(Stretch next, int kept)
        {
            if (next.From != To)
            {
                return next;
            }

            var from = Math.Max(From, next.To - kept);
            return new Stretch(from, next.To, [.. Changes.Where(change => change.Seq > from), .. next.Changes]);
        }
    }
}
