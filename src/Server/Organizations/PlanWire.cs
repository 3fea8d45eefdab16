using Tollgate.Engine.Limits;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Organizations;

/// <summary>The plans of the provider file in its order; the first is the one that organizations have unless another is named.</summary>
internal sealed record PlanList(IReadOnlyList<PlanAnswer> Data)
{
    public static PlanList Of(PlanBook plans) => new([.. plans.All.Select(plan => PlanAnswer.Of(plan, plans))]);
}

/// <summary>What a plan allows.</summary>
internal sealed record PlanAnswer(
    string Name, bool IsDefault, IReadOnlyList<PlanLimitAnswer> Limits, IReadOnlyList<PlanQuotaAnswer> Quotas)
{
    public static PlanAnswer Of(Plan plan, PlanBook plans) => new(
        plan.Name,
        plan == plans.Default,
        [.. plans.Limits.Zip(plan.Limits, PlanLimitAnswer.Of)],
        [.. plans.Quotas.Zip(plan.Quotas, (quota, amount) => new PlanQuotaAnswer(quota.Name, PlanLimitAnswer.Shown(amount)))]);
}

/// <summary>How much may be taken in each window, of what; null for any amount, and no window for what is under way at a time.</summary>
internal sealed record PlanLimitAnswer(string Name, string Counts, long? WindowSeconds, long? Amount)
{
    public static PlanLimitAnswer Of(Limit limit, long amount) => new(
        limit.Name,
        limit.Counts switch
        {
            LimitCounts.Requests => "requests",
            LimitCounts.Tokens => "tokens",
            LimitCounts.InputTokens => "input_tokens",
            LimitCounts.OutputTokens => "output_tokens",
            _ => "concurrent_requests",
        },
        limit.WindowMs == 0 ? null : limit.WindowMs / 1_000,
        Shown(amount));

    /// <summary>Without a bound there is no number.</summary>
    public static long? Shown(long amount) => amount == LimitPlan.Unlimited ? null : amount;
}

/// <summary>How many there may be; null for any number.</summary>
internal sealed record PlanQuotaAnswer(string Name, long? Amount);
