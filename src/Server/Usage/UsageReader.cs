using System.Data.Common;
using System.Runtime.CompilerServices;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Usage;

/// <summary>
/// The door through which usage is read. A key sees what is of its own project and environment, and what it used itself without any right;
/// a person what their role reaches; the root key sees all. What is another's is as absent as what never was. Deleted keys keep their
/// usage.
/// </summary>
internal sealed class UsageReader(Database database)
{
    /// <summary>Sums in one answer; a question that has more is refused, not cut.</summary>
    public const int SumsMax = 10_000;

    /// <summary>Days that the usage of one key is told by.</summary>
    public const int DaysMax = 400;

    private static readonly Problem NoKey = new(ProblemCode.NotFound, "There is no such key.");
    private static readonly Problem NoRequest = new(ProblemCode.NotFound, "There is no such request, or it is no longer kept.");

    /// <summary>Has everything booked that happened before the call, so that who was answered finds its request.</summary>
    public Func<CancellationToken, Task>? CatchUp { get; set; }

    /// <summary>By organization, what its requests were billed, by the sums that no retention cuts.</summary>
    public static async Task<IReadOnlyDictionary<long, Money>> Billed(DbConnection connection) =>
        (await UsageQuerySql.Billed(connection)).ToDictionary(billed => billed.OrganizationNo, billed => new Money(billed.Micros));

    /// <summary>Sums over all that the caller may see of what is asked for.</summary>
    public async Task<Outcome<IReadOnlyList<UsageSumRow>>> Sums(
        Caller caller, UsageQuestion asked, UsageGroups groups, CancellationToken cancel)
    {
        if (await FilterOf(caller, asked, cancel) is not { } filter)
        {
            return Outcome<IReadOnlyList<UsageSumRow>>.Of([]);
        }

        var rows = await database.Read(connection => UsageQuerySql.Sums(connection, filter, groups, SumsMax + 1), cancel);
        return rows.Count <= SumsMax
            ? Outcome<IReadOnlyList<UsageSumRow>>.Of(rows)
            : Problem.Invalid("/group_by", $"gives more than {SumsMax} rows: ask for a shorter time, one project or one key.");
    }

    /// <summary>The sums that cost the most, and of those that cost the same the ones with the most requests.</summary>
    public async Task<IReadOnlyList<UsageSumRow>> Dearest(
        Caller caller, UsageQuestion asked, UsageGroups groups, int count, CancellationToken cancel) =>
        await FilterOf(caller, asked, cancel) is { } filter
            ? await database.Read(connection => UsageQuerySql.Sums(connection, filter, groups, count, isByCost: true), cancel)
            : [];

    /// <summary>Everything about one key: its sums, by model and by day, and when it was last used.</summary>
    public async Task<Outcome<KeyUsage>> OfKey(Caller caller, string keyId, UsageRange range, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        if (!(await FindKey(caller, keyId, cancel)).TryGet(out var key, out var problem))
        {
            return problem;
        }

        var filter = new UsageFilter { Range = range, KeyNo = key.KeyNo };
        return await database.Read(
            async connection =>
            {
                var total = await UsageQuerySql.Sums(connection, filter, default, 1);
                var models = await UsageQuerySql.Sums(connection, filter, new UsageGroups { ByModel = true }, ModelNames.Max + 1);
                var days = await UsageQuerySql.Sums(connection, filter, new UsageGroups { ByDay = true }, DaysMax);
                return new KeyUsage(
                    key, total.Count > 0 ? total[0] : new UsageSumRow(), [.. models.Where(row => row.Model is not null)], days,
                    await UsageQuerySql.LastUse(connection, key.KeyNo));
            },
            cancel);
    }

    /// <summary>When a key was last used by a secret that a rotation has replaced, whoever asks; null for never.</summary>
    public async Task<long?> OldSecretUse(long keyNo, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        return await database.Read(connection => UsageQuerySql.OldSecretUse(connection, keyNo), cancel);
    }

    /// <summary>When each of these keys was last used, whoever asks: who lists keys has found that they may be seen.</summary>
    public async Task<Dictionary<long, long>> LastUses(IReadOnlyCollection<long> keyNos, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        return await database.Read(connection => UsageQuerySql.LastUses(connection, keyNos), cancel);
    }

    /// <summary>Lines of the log below a number, newest first.</summary>
    public async Task<IReadOnlyList<UsageLogRow>> Log(
        Caller caller, UsageQuestion asked, long before, int limit, CancellationToken cancel) =>
        await FilterOf(caller, asked, cancel) is { } filter ? await Page(filter, before, limit, cancel) : [];

    /// <summary>All of it, newest first, a page in memory at a time; nothing of the database is held in between.</summary>
    public async IAsyncEnumerable<IReadOnlyList<UsageLogRow>> Pages(
        Caller caller, UsageQuestion asked, int rows, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (await FilterOf(caller, asked, cancel) is not { } filter)
        {
            yield break;
        }

        for (var before = long.MaxValue; ;)
        {
            var page = await Page(filter, before, rows, cancel);
            if (page.Count > 0)
            {
                yield return page;
                before = page[^1].RequestNo;
            }

            if (page.Count < rows)
            {
                yield break;
            }
        }
    }

    /// <summary>One request, whatever became of it.</summary>
    public async Task<Outcome<UsageLogRow>> Find(Caller caller, long requestNo, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        var row = await database.Read(
            async connection => await UsageQuerySql.Find(connection, requestNo) ?? await UsageQuerySql.FindOpen(connection, requestNo),
            cancel);
        return row is null ? NoRequest : Seen(caller, row.KeyNo, row.ProjectId, row.Environment, NoRequest) ?? Outcome<UsageLogRow>.Of(row);
    }

    /// <summary>The key that made a request, whatever became of it and whoever asks; null where there is none.</summary>
    public async Task<string?> KeyOf(long requestNo, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        var row = await database.Read(
            async connection => await UsageQuerySql.Find(connection, requestNo) ?? await UsageQuerySql.FindOpen(connection, requestNo),
            cancel);
        return row?.KeyId;
    }

    /// <summary>One request that is booked, whoever asks.</summary>
    public Task<UsageLogRow?> FindBooked(long requestNo) => database.Read(connection => UsageQuerySql.Find(connection, requestNo));

    /// <summary>Keys by their ids, whatever became of them and whoever asks.</summary>
    public Task<Dictionary<string, UsedKey>> FindKeys(IReadOnlyCollection<string> keyIds) => database.Read(async connection =>
    {
        var found = new Dictionary<string, UsedKey>(StringComparer.Ordinal);
        foreach (var keyId in keyIds)
        {
            if (await UsageQuerySql.FindKey(connection, keyId) is { } key)
            {
                found.Add(keyId, key);
            }
        }

        return found;
    });

    /// <summary>The key with this number, whatever became of it and whoever asks.</summary>
    public Task<UsedKey?> FindKey(long keyNo) => database.Read(connection => UsageQuerySql.FindKey(connection, keyNo));

    /// <summary>The same, within a write.</summary>
    public static Task<UsedKey?> FindKey(WriteScope scope, long keyNo) =>
        UsageQuerySql.FindKey(scope.Connection, keyNo, scope.Transaction);

    private async Task<Outcome<UsedKey>> FindKey(Caller caller, string keyId, CancellationToken cancel)
    {
        var key = await database.Read(connection => UsageQuerySql.FindKey(connection, keyId), cancel);
        return key is null ? NoKey : Seen(caller, key.KeyNo, key.ProjectId, key.Environment, NoKey) ?? Outcome<UsedKey>.Of(key);
    }

    private static Problem? Seen(Caller caller, long keyNo, string? projectId, string? environment, Problem absent) =>
        caller.IsRoot || caller.KeyNo == keyNo ? null
        : caller.ProjectId != projectId || (caller.Environment != environment && !caller.IsPerson) ? absent
        : caller.Rights.HasFlag(Rights.UsageRead) ? null
        : AccessRow.RightMissing(Rights.UsageRead);

    private async Task<IReadOnlyList<UsageLogRow>> Page(UsageFilter filter, long before, int limit, CancellationToken cancel) =>
        await database.Read(
            async connection =>
            {
                var (lowest, highest) = await UsageQuerySql.Span(connection, filter.Range);
                return lowest is { } low && highest is { } high
                    ? await UsageQuerySql.Log(connection, filter, low, Math.Min(before, high + 1), limit)
                    : [];
            },
            cancel);

    /// <summary>In the database's numbers; null when nothing can be found, by this caller or at all.</summary>
    private async Task<UsageFilter?> FilterOf(Caller caller, UsageQuestion asked, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        return await database.Read(
            async connection =>
            {
                var filter = new UsageFilter { Range = asked.Range, Outcome = asked.Outcome };
                if (asked.Model is { } model)
                {
                    filter = filter with { ModelNo = await UsageQuerySql.FindModel(connection, model) };
                    if (filter.ModelNo is null)
                    {
                        return null;
                    }
                }

                return asked.KeyId is { } keyId
                    ? await UsageQuerySql.FindKey(connection, keyId) is { } key && MaySee(caller, key, asked)
                        ? filter with { KeyNo = key.KeyNo }
                        : null
                    : await PlacesOf(connection, caller, asked, filter);
            },
            cancel);
    }


    private static async Task<UsageFilter?> PlacesOf(
        System.Data.Common.DbConnection connection, Caller caller, UsageQuestion asked, UsageFilter filter)
    {
        if (caller.IsRoot && asked is { OrganizationId: null, ProjectId: null, Environment: null })
        {
            return filter;
        }

        if (caller.IsPerson)
        {
            // What is asked for was found reachable as a whole before; beyond it nothing is.
            var reached = await UsageQuerySql.Places(connection, caller.OrganizationId, caller.ProjectId, asked.Environment);
            return reached.Count > 0 ? filter with { Places = reached } : null;
        }

        if (!caller.IsRoot && ((asked.ProjectId ?? caller.ProjectId) != caller.ProjectId
            || (asked.Environment ?? caller.Environment) != caller.Environment))
        {
            return null;
        }

        var places = await UsageQuerySql.Places(
            connection, asked.OrganizationId, caller.IsRoot ? asked.ProjectId : caller.ProjectId,
            caller.IsRoot ? asked.Environment : caller.Environment);
        return places.Count > 0 ? filter with { Places = places } : null;
    }

    private static bool MaySee(Caller caller, UsedKey key, UsageQuestion asked) =>
        (caller.IsRoot || ReachesAll(caller, key.OrganizationId)
            || (caller.ProjectId == key.ProjectId && (caller.Environment == key.Environment || caller.IsPerson)))
        && (asked.OrganizationId ?? key.OrganizationId) == key.OrganizationId
        && (asked.ProjectId ?? key.ProjectId) == key.ProjectId
        && (asked.Environment ?? key.Environment) == key.Environment;

    /// <summary>A person who is bound to an organization as a whole, and reaches every project of it.</summary>
    private static bool ReachesAll(Caller caller, string organizationId) =>
        caller is { IsPerson: true, ProjectId: null, ProjectNos: null } && caller.OrganizationId == organizationId;
}

/// <summary>What usage is asked for, as the caller names it; what is null is not asked.</summary>
internal sealed record UsageQuestion
{
    public required UsageRange Range { get; init; }

    public string? OrganizationId { get; init; }

    public string? ProjectId { get; init; }

    public string? Environment { get; init; }

    public string? KeyId { get; init; }

    public string? Model { get; init; }

    /// <summary><c>passed</c> or <c>refused</c>.</summary>
    public string? Outcome { get; init; }
}

/// <summary>What one key did.</summary>
internal sealed record KeyUsage(
    UsedKey Key, UsageSumRow Total, IReadOnlyList<UsageSumRow> Models, IReadOnlyList<UsageSumRow> Days, long? LastUsedAtMs);
