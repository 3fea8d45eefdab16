using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Verification;

/// <summary>
/// What each verdict is called outside. To a stranger every state of a key that does not work is one and the same
/// <see cref="ProblemCode.InvalidKey"/>; its owner, and an API server that asks, read the cause.
/// </summary>
internal static class Faults
{
    /// <summary>
    /// The problem a stranger is told. Whoever sends the key of an organization that ran out of money is told so: it is good otherwise.
    /// </summary>
    public static Problem Of(in Verdict verdict)
    {
        var problem = Problem.Of(verdict.IsUnfunded ? ProblemCode.WalletEmpty : CodeOf(verdict.Code));
        return verdict.RetryAfterSeconds > 0 ? problem with { RetryAfterSeconds = verdict.RetryAfterSeconds } : problem;
    }

    public static ProblemCode CodeOf(VerdictCode code) => code switch
    {
        VerdictCode.KeyMissing => ProblemCode.KeyMissing,
        VerdictCode.AddressRefused => ProblemCode.AddressRefused,
        VerdictCode.RouteUnknown => ProblemCode.RouteUnknown,
        VerdictCode.ActionMissing => ProblemCode.PermissionMissing,
        VerdictCode.ScopeMissing => ProblemCode.ScopeMissing,
        VerdictCode.BodyCondition => ProblemCode.BodyCondition,
        VerdictCode.ModelRefused => ProblemCode.ModelRefused,
        VerdictCode.NotLoaded => ProblemCode.Unavailable,
        VerdictCode.TooManyUnknownKeys => ProblemCode.TooManyUnknownKeys,
        VerdictCode.RateLimited => ProblemCode.RateLimited,
        VerdictCode.ExceedsLimit => ProblemCode.ExceedsLimit,
        VerdictCode.InFlightHolds => ProblemCode.InFlightHolds,
        VerdictCode.WalletEmpty => ProblemCode.WalletEmpty,
        VerdictCode.Busy => ProblemCode.Unavailable,
        _ => ProblemCode.InvalidKey,
    };

    public static bool TellsPermission(VerdictCode code) =>
        code is VerdictCode.ActionMissing or VerdictCode.ScopeMissing or VerdictCode.BodyCondition;

    /// <summary>One sentence for the owner of the key. No quotes in it: it is put into JSON as it is.</summary>
    public static string ReasonOf(VerdictCode code) => code switch
    {
        VerdictCode.Allowed => "The key may make this request.",
        VerdictCode.KeyMissing => "No key was given.",
        VerdictCode.KeyMalformed => "The key does not have the form of a key of this provider, or its checksum is wrong.",
        VerdictCode.NotLoaded => "The key could not be read right now.",
        VerdictCode.TooManyUnknownKeys => "The key was not looked up, because too many unknown keys came from its network.",
        VerdictCode.KeyUnknown => "There is no such key.",
        VerdictCode.KeyDeleted => "The key was deleted.",
        VerdictCode.KeyRevoked => "The key was revoked.",
        VerdictCode.KeyRetired => "This secret was replaced by a rotation and its grace is over.",
        VerdictCode.KeyExpired => "The key has expired.",
        VerdictCode.KeyDisabled => "The key is disabled.",
        VerdictCode.KeyArchived => "The key is archived while its owner is in a team.",
        VerdictCode.OrganizationSuspended => "The organization or project of the key is suspended or deleted.",
        VerdictCode.AddressRefused => "The key may not be used from this address.",
        VerdictCode.ProjectMismatch => "The key belongs to another project or organization.",
        VerdictCode.RouteUnknown => "No route of the provider has this method and path.",
        VerdictCode.ActionMissing => "The key lacks the permission for this action.",
        VerdictCode.ScopeMissing => "The key lacks the scope for this request.",
        VerdictCode.BodyCondition => "The key may make this request only with certain members in its body.",
        VerdictCode.ModelRefused => "The key may not be used for this model.",
        VerdictCode.RateLimited => "A limit of the key has no room for this request now.",
        VerdictCode.ExceedsLimit => "The request is larger than the whole amount of a limit of the key.",
        VerdictCode.InFlightHolds => "What is left of the balance is held for requests that are under way.",
        VerdictCode.WalletEmpty => "The balance of the organization does not pay for this request.",
        VerdictCode.Busy => "There is no room to note the request right now.",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "A verdict without a sentence."),
    };
}
