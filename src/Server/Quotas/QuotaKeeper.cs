using System.Globalization;
using Tollgate.Engine.Limits;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Quotas;

/// <summary>
/// The door of the room: how many of its things an organization has, and whether it may have one more. The count lies in the database and
/// nowhere else, raised in one statement where the plan allows it: it is right under any concurrency, and after any end of the process.
/// </summary>
internal sealed partial class QuotaKeeper(Database database, ProviderModel provider, PlanBook plans, ILogger<QuotaKeeper> log)
{
    /// <summary>The most there may be, and the most that a plan can say.</summary>
    public const long UsedMax = Limit.AmountMax;

    /// <summary>
    /// Takes one, or says that the plan allows no more. Whoever takes gives back what comes to nothing. Looks before it takes: a request
    /// that will be refused does not stand in the line of those that write.
    /// </summary>
    /// <param name="organizationNo">Whose.</param>
    /// <param name="plan">The organization's plan, by its place in the provider file.</param>
    /// <param name="quota">By its place in the provider file.</param>
    /// <param name="cancel">Ends the wait for the turn.</param>
    public async Task<Problem?> TryTake(long organizationNo, byte plan, int quota, CancellationToken cancel) =>
        await Look(organizationNo, plan, quota, cancel) is { } full
            ? full
            : (await database.Write<bool>(
                async scope => await QuotaSql.TryTake(scope, organizationNo, provider.Quotas[quota].Name, Most(plan, quota)) is null
                    ? Refusal(plan, quota, Most(plan, quota))
                    : true,
                cancel)).Problem;

    /// <summary>Whether there is room for one more, and nothing else: for those who cannot see what becomes of the request.</summary>
    public async Task<Problem?> Look(long organizationNo, byte plan, int quota, CancellationToken cancel)
    {
        var all = await database.Read(connection => QuotaSql.Used(connection, null, organizationNo), cancel);
        var used = all.GetValueOrDefault(provider.Quotas[quota].Name);
        return used >= Most(plan, quota) ? Refusal(plan, quota, used) : null;
    }

    /// <summary>
    /// There is one less: a request that had taken one came to nothing, or one that deletes succeeded. The request has been made, and its
    /// answer does not wait for the database to be well: what could not be counted down is logged, and put right by <see cref="Set"/>.
    /// </summary>
    public async Task Lower(long organizationNo, int quota)
    {
        try
        {
            var lowered = await database.Write<bool>(async scope =>
            {
                await QuotaSql.Lower(scope, organizationNo, provider.Quotas[quota].Name);
                return true;
            });
            if (!lowered.IsOk)
            {
                LogNotLowered(null, organizationNo, lowered.Problem.Detail);
            }
        }
        catch (Exception fault) when (Database.IsOutage(fault))
        {
            LogNotLowered(fault, organizationNo, fault.Message);
        }
    }

    /// <summary>The quotas of an organization in the order of the provider file, when the caller may see it.</summary>
    public async Task<Outcome<QuotaList>> List(Caller caller, OrganizationRegister organizations, string id, CancellationToken cancel)
    {
        if (!(await organizations.Find(id, cancel)).TryGet(out var organization, out var problem))
        {
            return problem;
        }

        if (!IsSeen(caller, organization))
        {
            return OrganizationRegister.NoOrganization;
        }

        var used = await database.Read(connection => QuotaSql.Used(connection, null, organization.OrganizationNo), cancel);
        return new QuotaList([.. provider.Quotas.Select((_, place) => Shown(place, organization, used))]);
    }

    /// <summary>Says how many there are, whatever was counted. More than the plan allows is said like any other number.</summary>
    public async Task<Outcome<QuotaAnswer>> Set(WriteScope scope, string id, string name, SetQuota asked)
    {
        var caller = scope.Context.Caller;
        if (!(await OrganizationRegister.Find(scope, id)).TryGet(out var organization, out var problem))
        {
            return problem;
        }

        if (!IsSeen(caller, organization))
        {
            return OrganizationRegister.NoOrganization;
        }

        if (!caller.OfOperator)
        {
            return new Problem(ProblemCode.OperatorOnly, "How much of a quota is used is the operator's to say.");
        }

        if (PlaceOf(name) is not { } place)
        {
            return new Problem(ProblemCode.NotFound, "There is no such quota.");
        }

        if (asked.Used is not { } used || used < 0 || used > UsedMax)
        {
            return Problem.Invalid("/used", $"must be between 0 and {UsedMax}.");
        }

        var before = await QuotaSql.Used(scope.Connection, scope.Transaction, organization.OrganizationNo);
        await QuotaSql.Set(scope, organization.OrganizationNo, name, used);
        Failpoint.Pass("quota.row");
        var after = Shown(place, organization, new Dictionary<string, long>(before) { [name] = used });
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = "quota.set",
            TargetType = "organization",
            TargetId = organization.Id.Text,
            OrganizationId = organization.Id.Text,
            Before = QuotaWire.Json(Shown(place, organization, before)),
            After = QuotaWire.Json(after),
        });
        await scope.Change("organization", organization.OrganizationNo, organization.Version);
        return after;
    }

    /// <summary>A foreign organization is as absent as one that never was.</summary>
    private static bool IsSeen(Caller caller, Organization organization) =>
        caller.OfOperator || caller.OrganizationId == organization.Id.Text;

    private int? PlaceOf(string name)
    {
        for (var place = 0; place < provider.Quotas.Count; place++)
        {
            if (provider.Quotas[place].Name == name)
            {
                return place;
            }
        }

        return null;
    }

    private QuotaAnswer Shown(int place, Organization organization, Dictionary<string, long> used)
    {
        var (name, limit) = (provider.Quotas[place].Name, plans.Of(organization.Plan).Quotas[place]);
        return new QuotaAnswer(name, used.GetValueOrDefault(name), limit == LimitPlan.Unlimited ? null : limit);
    }

    private long Most(byte plan, int quota) =>
        provider.Plans[plan].Quotas[quota] is var limit && limit == LimitPlan.Unlimited ? UsedMax : limit;

    private Problem Refusal(byte plan, int quota, long used)
    {
        var limit = Most(plan, quota);
        return new Problem(
            ProblemCode.QuotaExceeded,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The plan {provider.Plans[plan].Name} allows {limit} of {provider.Quotas[quota].Name}, and there are {used}."))
        {
            PlanLimit = limit,
        };
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A quota of organization number {Organization} could not be lowered, so that it counts too many: {Why}")]
    private partial void LogNotLowered(Exception? fault, long organization, string why);
}
