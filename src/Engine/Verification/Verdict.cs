using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Verification;

/// <summary>
/// What the gate decided, and all it knew. It stays true to its moment: later changes of the table do not show in it. The default is a
/// refusal.
/// </summary>
public readonly struct Verdict
{
    public VerdictCode Code { get; internal init; }

    public bool IsAllowed => Code == VerdictCode.Allowed;

    /// <summary>For the server: load <see cref="Hash"/> from the database and check again.</summary>
    public bool IsNotLoaded => Code == VerdictCode.NotLoaded;

    /// <summary>The key, once it was found; before that, no key (number 0).</summary>
    public KeyEntryView Key { get; internal init; }

    /// <summary>Its project and organization; null only where there is no key.</summary>
    public ProjectEntry? Project { get; internal init; }

    /// <summary>The hash of the secret, from <see cref="VerdictStep.Lookup"/> on.</summary>
    public KeyHash Hash { get; internal init; }

    /// <summary>Whole seconds after which asking again makes sense, 1 to 59; 0 when that is not a matter of time.</summary>
    public int RetryAfterSeconds { get; private init; }

    /// <summary>What was required, so that a refusal can say what would have been needed.</summary>
    public Requirement Requirement { get; internal init; }

    /// <summary>The limits that counted the request, passed or refused; none where step 5 was not reached or not asked for.</summary>
    public LimitStates Limits { get; internal init; }

    /// <summary>The number of the limit that refused; -1 where none did.</summary>
    public int RefusingLimit { get; internal init; }

    /// <summary>Milliseconds until the same request fits, uncapped; 0 where that is not a matter of time.</summary>
    public long RetryAfterMs { get; internal init; }

    /// <summary>What was set aside for the request.</summary>
    public Money Held { get; internal init; }

    /// <summary>What a verdict that was not loaded becomes when its client's network may not have it looked up.</summary>
    public Verdict NotLookedUp(int retryAfterSeconds) => this with
    {
        Code = VerdictCode.TooManyUnknownKeys,
        RetryAfterSeconds = retryAfterSeconds,
    };

    /// <summary>The same check with an answer that nobody may trust: as if nothing were in memory.</summary>
    public Verdict Unproven() => new() { Code = VerdictCode.NotLoaded, Hash = Hash, Requirement = Requirement };
}
