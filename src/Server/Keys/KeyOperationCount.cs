using System.Globalization;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// Counts what makes a secret, for each person and each organization, where the provider file bounds it. A key that does not exist yet
/// cannot be limited, so this is not a limit of a key; and there are so few of these that each one's exact time is kept, in the database:
/// so the window is exact and outlives every restart. The operator and imports are not counted.
/// </summary>
internal sealed class KeyOperationCount(ProviderModel provider)
{
    /// <summary>Common clients take no longer wait to heart than this for what is back within a minute.</summary>
    private const int ShortRetryMax = 59;

    private static readonly TimeSpan ShortWindow = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Takes one, or says when one more fits. What is refused here takes nothing, or whoever asked too often would never be heard again;
    /// what is refused further on stays counted though its write is rolled back. Writes run one after another, so nothing comes between
    /// looking and taking.
    /// </summary>
    public async Task<Problem?> Take(WriteScope scope, long organizationNo)
    {
        var caller = scope.Context.Caller;
        if (provider.KeyOperations is not { } limit || (caller.Kind != CallerKind.Key && !caller.IsPerson))
        {
            return null;
        }

        // What a clock that was put back has left in the future counts as of now, or it would count for longer than a window.
        if (await KeyOperationSql.BringBack(scope) > 0)
        {
            scope.AfterRefusal(KeyOperationSql.BringBack);
        }

        // One that came exactly a window ago is out of it.
        var afterMs = scope.NowMs - (long)limit.Window.TotalMilliseconds;
        var ofPerson = await KeyOperationSql.NewestOfPerson(scope, caller.Id, afterMs, limit.Amount);
        var ofOrganization = await KeyOperationSql.NewestOfOrganization(scope, organizationNo, afterMs, limit.Amount);
        if (Later(ofPerson, ofOrganization) is { } blocking)
        {
            return Refusal(limit, scope.NowMs, blocking - afterMs);
        }

        await Count(scope, caller.Id, organizationNo, afterMs);
        scope.AfterRefusal(again => Count(again, caller.Id, organizationNo, afterMs));
        return null;
    }

    private static async Task Count(WriteScope scope, string person, long organizationNo, long afterMs)
    {
        await KeyOperationSql.Purge(scope, afterMs);
        var number = await scope.NextNumber("key_operation");
        await KeyOperationSql.Insert(scope, new KeyOperation(number, person, organizationNo, scope.NowMs));
    }

    private static long? Later(long? one, long? other) => one is null ? other : other is null ? one : Math.Max(one.Value, other.Value);

    private static Problem Refusal(KeyOperationLimit limit, long nowMs, long waitMs)
    {
        var seconds = Math.Max(1, (waitMs + 999) / 1_000);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(nowMs + waitMs).UtcDateTime;
        return new Problem(
            ProblemCode.KeyOperationsExceeded,
            string.Create(
                CultureInfo.InvariantCulture,
                $"At most {limit.Amount} keys may be made or given a new secret in {Text(limit.Window)}. The next one may be at {at:O}."))
        {
            RetryAfterSeconds = (int)(limit.Window <= ShortWindow ? Math.Min(seconds, ShortRetryMax) : Math.Min(seconds, int.MaxValue)),
        };
    }

    private static string Text(TimeSpan window) =>
        window == TimeSpan.FromHours(1) ? "an hour"
        : window == TimeSpan.FromDays(1) ? "a day"
        : window == ShortWindow ? "a minute"
        : string.Create(CultureInfo.InvariantCulture, $"{window.TotalSeconds:0} seconds");
}
