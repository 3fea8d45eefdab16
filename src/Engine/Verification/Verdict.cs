using System.Diagnostics.CodeAnalysis;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Verification;

/// <summary>
/// What the gate decided, and all it knew. It stays true to its moment: later changes of the table do not show in it. The default is a
/// refusal.
/// </summary>
public struct Verdict
{
    private const long ShortWindowMs = 60_000;
    private const long ShortWaitSeconds = 59;

    private KeyEntryView _key;
    private LimitStates _limits;

    // One more than its number, so that the default is none.
    private byte _refusingLimit;

    public VerdictCode Code { readonly get; internal set; }

    public readonly bool IsAllowed => Code == VerdictCode.Allowed;

    /// <summary>For the server: load <see cref="Hash"/> from the database and check again.</summary>
    public readonly bool IsNotLoaded => Code == VerdictCode.NotLoaded;

    /// <summary>
    /// Whether the key is disabled for nothing but its organization's balance: who holds it may be told to put money in, as with
    /// <see cref="VerdictCode.WalletEmpty"/>.
    /// </summary>
    public readonly bool IsUnfunded => Code == VerdictCode.KeyDisabled && _key.Holds == KeyState.HeldByBalance;

    /// <summary>The key, once it was found; before that, no key (number 0).</summary>
    public readonly KeyEntryView Key => _key;

    /// <summary>Its project and organization; null only where there is no key.</summary>
    public ProjectEntry? Project { readonly get; internal set; }

    /// <summary>The hash of the secret, from <see cref="VerdictStep.Lookup"/> on.</summary>
    public KeyHash Hash { readonly get; internal set; }

    /// <summary>
    /// Whole seconds after which asking again makes sense, rounded up, at least 1; 0 when that is not a matter of time. For what frees
    /// within a window of a minute or less at most 59, because many clients do not wait for longer than that.
    /// </summary>
    public int RetryAfterSeconds { readonly get; private set; }

    /// <summary>What was required, so that a refusal can say what would have been needed.</summary>
    public Requirement Requirement { readonly get; internal set; }

    /// <summary>The limits that counted the request, passed or refused; none where step 5 was not reached or not asked for.</summary>
    [UnscopedRef]
    public readonly ref readonly LimitStates Limits => ref _limits;

    /// <summary>
    /// The number of the limit that refused, of several the one that frees last; -1 where none did.
    /// </summary>
    public readonly int RefusingLimit => _refusingLimit - 1;

    /// <summary>Milliseconds until the same request fits, uncapped; 0 where that is not a matter of time.</summary>
    public long RetryAfterMs { readonly get; internal set; }

    /// <summary>What was set aside for the request, or paid at once by one that will not be settled.</summary>
    public Money Held { readonly get; internal set; }

    internal readonly uint KeyNo => _key.KeyNo;

    [UnscopedRef]
    internal ref KeyEntryView KeyToFill => ref _key;

    [UnscopedRef]
    internal ref LimitStates LimitsToFill => ref _limits;

    /// <summary>What a verdict that was not loaded becomes when its client's network may not have it looked up.</summary>
    public readonly Verdict NotLookedUp(int retryAfterSeconds) => this with
    {
        Code = VerdictCode.TooManyUnknownKeys,
        RetryAfterSeconds = retryAfterSeconds,
    };

    /// <summary>The same check with an answer that nobody may trust: as if nothing were in memory.</summary>
    public readonly Verdict Unproven() => new() { Code = VerdictCode.NotLoaded, Hash = Hash, Requirement = Requirement };

    /// <summary>The same check with an answer that nobody may trust, of a request that has been counted: it is not made.</summary>
    public readonly Verdict Withdrawn() => new() { Code = VerdictCode.Busy, Hash = Hash, Requirement = Requirement };

    /// <summary>The state of the limit that refused.</summary>
    internal readonly LimitState RefusedBy
    {
        get
        {
            for (int i = 0; i < _limits.Count; i++)
            {
                if (_limits[i].Limit == RefusingLimit)
                {
                    return _limits[i];
                }
            }

            return default;
        }
    }

    internal void RefuseFor(int limit, long windowMs, long retryMs)
    {
        _refusingLimit = (byte)(limit + 1);
        RetryIn(retryMs, windowMs);
    }

    internal void RetryIn(long retryMs, long windowMs)
    {
        RetryAfterMs = retryMs;
        long seconds = (retryMs + 999) / 1_000;
        RetryAfterSeconds = (int)(windowMs <= ShortWindowMs ? Math.Min(seconds, ShortWaitSeconds) : seconds);
    }
}
