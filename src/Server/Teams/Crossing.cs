using System.Data.Common;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Identity;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Teams;

/// <summary>
/// What coming into a team and leaving it does to keys and money, as the provider file says, in the write of the coming and leaving. Where
/// it says nothing, nothing is done.
/// </summary>
internal sealed class Crossing(
    Database database, ProviderModel provider, WalletLedger wallets, KeyRing keys, ArchiveHolds archives)
{
    /// <summary>Organizations that one write archives or brings back when the provider file has changed.</summary>
    private const int FollowBatch = 100;

    private const string LeftReason = "who made it left the team";

    private readonly TeamRules _rules = provider.Teams ?? new TeamRules();

    /// <summary>
    /// Ahead of a write that moves money: what has been used up to now is booked, so that nothing is thought to be held that is free.
    /// </summary>
    public Task Ready() => _rules.MovesBalance && wallets.TakeIn is { } takeIn ? takeIn() : Task.CompletedTask;

    /// <summary>
    /// Why somebody may not come into a team now; null where nothing stands against it. What the operator has suspended is not left by
    /// another door: neither the money nor the person goes to where it is not.
    /// </summary>
    public static Problem? Refuse(Organization team, Organization? own) =>
        own?.SuspendedAtMs is not null ? OwnSuspended
        : team.SuspendedAtMs is not null
            ? new Problem(ProblemCode.Conflict, "The team is suspended. Nobody joins it until the operator opens it again.")
        : null;

    /// <summary>
    /// After somebody has become a member: what was paid for follows, and the keys of before rest. Whether he may come in was asked before.
    /// </summary>
    public async Task<Crossed> Enter(WriteScope scope, Organization team, Organization? own) => own is null
        ? default
        : new Crossed(
            _rules.MovesBalance ? await wallets.MovePaid(scope, own, team) : Money.Zero,
            _rules.ArchivesPersonalKeys ? await Archive(scope, own.OrganizationNo) : 0);

    /// <summary>What <see cref="Enter"/> would do to somebody now, to be told before it is done.</summary>
    public async Task<Crossed> Preview(Person person, CancellationToken cancel)
    {
        if (_rules.MovesBalance && wallets.CatchUp is { } catchUp)
        {
            await catchUp(cancel);
        }

        return await database.Read(
            async connection => await Own(connection, null, person) is { } own
                ? new Crossed(
                    _rules.MovesBalance ? await wallets.Movable(connection, own.OrganizationNo) : Money.Zero,
                    _rules.ArchivesPersonalKeys ? await KeysToRest(connection, own) : 0)
                : default,
            cancel);
    }

    /// <summary>After somebody has ceased to be a member: the keys made for the team end, and those of before work as they did.</summary>
    public async Task Leave(WriteScope scope, Organization team, Member member)
    {
        if (_rules.DeletesLeaverKeys)
        {
            await keys.DeleteAllMadeBy(scope, team.OrganizationNo, member.PersonId, LeftReason);
        }

        await BringBack(scope, member);
    }

    /// <summary>How many keys of the team would end if somebody left it.</summary>
    public async Task<long> KeysOfLeaver(Organization team, Member member, CancellationToken cancel) => _rules.DeletesLeaverKeys
        ? await database.Read(connection => KeyRing.CountMadeBy(connection, team.OrganizationNo, member.PersonId), cancel)
        : 0;

    /// <summary>
    /// After a team was deleted and has no members any more: what is left of what was paid for is the heir's, who is the first of these
    /// owners that can take it. Of a suspended team nothing moves, and neither does anything to a suspended organization.
    /// </summary>
    public async Task<Problem?> Close(WriteScope scope, Organization team, IReadOnlyList<Member> members, IEnumerable<Member> heirs)
    {
        foreach (var member in members)
        {
            await BringBack(scope, member);
        }

        return _rules.MovesBalance && team.SuspendedAtMs is null ? await Bequeath(scope, team, heirs) : null;
    }

    /// <summary>Whether the keys of an organization rest, because its owner is in a team.</summary>
    public static Task<bool> IsArchived(WriteScope scope, long organizationNo) =>
        TeamSql.IsArchived(scope.Connection, scope.Transaction, organizationNo);

    /// <summary>
    /// At start: whether keys rest is the provider file's to say, and it may say something else now; a restored database may know a team no
    /// more. Cut short, it goes on with the next start.
    /// </summary>
    public async Task Follow(CancellationToken cancel)
    {
        while (await database.Read(connection => Astray(connection, null), cancel) is ({ Count: > 0 }, _) or (_, { Count: > 0 }))
        {
            _ = (await database.Write<bool>(
                async scope =>
                {
                    var (rest, work) = await Astray(scope.Connection, scope.Transaction);
                    foreach (var organizationNo in rest)
                    {
                        await Archive(scope, organizationNo);
                    }

                    foreach (var organizationNo in work)
                    {
                        await BringBack(scope, organizationNo);
                    }

                    return true;
                },
                cancel)).Value;
        }
    }

    /// <summary>The first organizations whose keys should rest and do not, and the other way round.</summary>
    private async Task<(List<long> ToRest, List<long> ToWork)> Astray(DbConnection connection, DbTransaction? transaction) =>
        _rules.ArchivesPersonalKeys
            ? (await TeamSql.ToArchive(connection, transaction, FollowBatch),
                await TeamSql.ToBringBack(connection, transaction, FollowBatch))
            : ([], await TeamSql.Archives(connection, transaction, 0, FollowBatch));

    private async Task<Problem?> Bequeath(WriteScope scope, Organization team, IEnumerable<Member> heirs)
    {
        foreach (var heir in heirs)
        {
            if (await Own(scope, heir) is not { } own)
            {
                continue;
            }

            if (own.SuspendedAtMs is not null)
            {
                // Who deletes it is not passed over without being told.
                if (heir.PersonId == scope.Context.Caller.Id)
                {
                    return OwnSuspended;
                }

                continue;
            }

            await wallets.MovePaid(scope, team, own);

            // What is held would stay behind where nobody comes to it, so it is waited for.
            var left = await WalletLedger.PaidOf(scope.Connection, scope.Transaction, team.OrganizationNo);
            return left == Money.Zero ? null : new Problem(
                ProblemCode.Conflict,
                $"Requests of the team are under way, and {left} of its balance is held for them. Delete it when they have ended; "
                + "while its keys are disabled none begin.");
        }

        return null;
    }

    /// <summary>Those that rest already rest in another team's name.</summary>
    private static async Task<long> KeysToRest(DbConnection connection, Organization own)
    {
        if (await TeamSql.IsArchived(connection, null, own.OrganizationNo))
        {
            return 0;
        }

        var keys = 0L;
        foreach (var projectNo in await OrganizationRegister.ProjectsOf(connection, own))
        {
            keys += await KeyRing.CountLiveOf(connection, projectNo);
        }

        return keys;
    }

    /// <summary>Answers how many keys rest by it.</summary>
    private async Task<int> Archive(WriteScope scope, long organizationNo)
    {
        if (!await TeamSql.Archive(scope, organizationNo))
        {
            return 0;
        }

        Failpoint.Pass("team.archive");
        return await archives.Place(scope, await OrganizationRegister.PlaceOf(scope, organizationNo));
    }

    /// <summary>Only once no team is left that somebody is in.</summary>
    private async Task BringBack(WriteScope scope, Member member)
    {
        if (member.OwnOrganizationNo is { } own && !await TeamSql.IsInAny(scope, own))
        {
            await BringBack(scope, own);
        }
    }

    private async Task BringBack(WriteScope scope, long organizationNo)
    {
        if (await TeamSql.BringBack(scope, organizationNo))
        {
            Failpoint.Pass("team.archive");
            await archives.Lift(scope, await OrganizationRegister.PlaceOf(scope, organizationNo));
        }
    }

    private static Problem OwnSuspended { get; } = new(
        ProblemCode.Conflict,
        "The organization of one's own is suspended. Until the operator opens it again, one makes, joins and deletes no team.");

    /// <summary>Somebody's own organization; null for who has none alone, and where it was closed.</summary>
    public static async Task<Organization?> Own(DbConnection connection, DbTransaction? transaction, Person person) =>
        person.IsOperator == 0
        && await OrganizationRegister.Look(connection, transaction, person.OrganizationId) is { IsOperator: false } own
            ? own
            : null;

    /// <inheritdoc cref="Own(DbConnection, DbTransaction?, Person)"/>
    private static async Task<Organization?> Own(WriteScope scope, Member member) =>
        member.OwnOrganizationNo is { } no
        && (await OrganizationRegister.Find(scope, (await OrganizationRegister.PlaceOf(scope, no)).Id)).TryGet(out var own, out _)
            ? own
            : null;
}
