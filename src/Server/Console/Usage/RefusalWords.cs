using Tollgate.Engine.Verification;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Usage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Usage;

/// <summary>Why requests are refused and what mends it, for who has the key.</summary>
internal static class RefusalWords
{
    public static IReadOnlyList<RefusalLine> Lines(IEnumerable<UsageLogRow> rows, string home, long nowMs) => [.. rows.Select(row =>
    {
        var (id, code) = (RequestId.Of(row.RequestNo), UsageLineAnswer.CodeOf(row));
        return new RefusalLine($"{home}/refusals?request={id}", id, CauseOf(row), CureOf(code)) { At = MomentFacts.Of(row.AtMs, nowMs) };
    })];

    /// <summary>The reason, with the limit where one refused.</summary>
    public static string CauseOf(UsageLogRow row)
    {
        var reason = Faults.ReasonOf(UsageLineAnswer.CodeOf(row));
        return row.LimitName is null ? reason
            : $"{reason} It was {row.LimitName}: {Shown.Number(row.LimitRemaining)} of {Shown.Number(row.LimitAmount)} left.";
    }

    public static string CureOf(VerdictCode code) => code switch
    {
        VerdictCode.KeyDeleted or VerdictCode.KeyRevoked => "Make another key and put its secret into the program.",
        VerdictCode.KeyRetired => "Put the key's new secret into the program; rotate the key again if it is lost.",
        VerdictCode.KeyExpired => "Make another key, or rotate this one with a new expiry.",
        VerdictCode.KeyDisabled => "Enable the key, or look at what holds it on its page.",
        VerdictCode.KeyArchived => "Use a key of the team; this one works again when its owner leaves the team.",
        VerdictCode.OrganizationSuspended => "Write to who runs this API: the organization is suspended.",
        VerdictCode.AddressRefused => "Send it from one of the key's addresses, or make a key that allows this one.",
        VerdictCode.ProjectMismatch => "Use a key of the project that the request is for.",
        VerdictCode.RouteUnknown => "Check method and path against the API's reference.",
        VerdictCode.ActionMissing => "Use a key of a type that may do this.",
        VerdictCode.ScopeMissing => "Use a key with the scope, or give it to this one.",
        VerdictCode.BodyCondition => "Look at what the body must have for the key's scope, or use a key with the whole scope.",
        VerdictCode.ModelRefused => "Use one of the key's models, or a key for this one.",
        VerdictCode.RateLimited => "Wait and send it again; spread requests out, or ask for a larger plan.",
        VerdictCode.ExceedsLimit => "Send less at once: it is more than the limit ever allows.",
        VerdictCode.InFlightHolds => "Send it again when other requests have ended, or put money in.",
        VerdictCode.WalletEmpty => "Put money into the wallet.",
        _ => "Send it again in a moment.",
    };

    /// <summary>A step as a question that was asked.</summary>
    public static string TitleOf(VerdictStep step) => step switch
    {
        VerdictStep.Credential => "Was a key sent?",
        VerdictStep.Shape => "Does it have the form of a key?",
        VerdictStep.Lookup => "Is there such a key?",
        VerdictStep.Status => "Is it active?",
        VerdictStep.Address => "May it be used from this address?",
        VerdictStep.Project => "Is it for this project?",
        VerdictStep.Permission => "May it make this request?",
        _ => "Have its limits and the balance room for it?",
    };
}
