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

    /// <summary>Written by whoever has the turn; read and replaced whole.</summary>
    private volatile Stretch _kept = new(0, 0, []);

    /// <summary>
    /// What follows a number, up to <see cref="BatchMax"/> numbers of it; null when the log does not reach back to there. Asked only while
    /// the log is beyond that number.
    /// </summary>
    public async Task<Stretch?> After(long after, CancellationToken cancel)
    {
        if (_kept.Reaches(after))
        {
            return _kept.After(after);
        }

        if (after < _kept.From)
        {
            return await Read(after, cancel);
        }

        await _turn.WaitAsync(cancel);
        try
        {
            var kept = _kept;
            if (kept.Reaches(after))
            {
                return kept.After(after);
            }

            if (await Read(after, cancel) is { } read)
            {
                _kept = kept.With(read, KeptMax);
                return read;
            }

            return null;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

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

    /// <summary>All changes after one number up to and with another.</summary>
    internal sealed record Stretch(long From, long To, IReadOnlyList<Change> Changes)
    {
        /// <summary>Whether something after that number is here, without a gap.</summary>
        public bool Reaches(long after) => after >= From && after < To;

        public Stretch After(long after)
        {
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
