namespace Tollgate.Engine.Verification;

/// <summary>
/// What the gate decided, in the order in which it asks. The default is a refusal. The names are part of the API and never change;
/// <see cref="VerdictCodes"/> spells them.
/// </summary>
public enum VerdictCode : byte
{
    /// <summary>No secret was sent.</summary>
    KeyMissing,

    /// <summary>Not the shape of a key of this provider, or a wrong checksum. Nothing was looked up.</summary>
    KeyMalformed,

    /// <summary>
    /// Not a refusal: the key is not in memory. Load it and check again; outside it shows only where loading keeps failing.
    /// </summary>
    NotLoaded,

    /// <summary>
    /// Too many unknown keys came from the client's network, so that this one, which is not in memory, was not looked up.
    /// </summary>
    TooManyUnknownKeys,

    KeyUnknown,
    KeyDeleted,
    KeyRevoked,

    /// <summary>A secret that a rotation replaced, past its grace; its key may be well.</summary>
    KeyRetired,

    KeyExpired,

    /// <summary>Held; the verdict tells by what.</summary>
    KeyDisabled,

    /// <summary>It rests while its owner is in a team, and nothing else but a balance holds it.</summary>
    KeyArchived,

    /// <summary>The project or its organization is suspended or deleted; the verdict's project tells which.</summary>
    OrganizationSuspended,

    AddressRefused,

    /// <summary>The request is for another project or organization than the key's.</summary>
    ProjectMismatch,

    /// <summary>No route of the provider names this method and path.</summary>
    RouteUnknown,

    ActionMissing,
    ScopeMissing,

    /// <summary>The key's scope passes under a condition on the body, which did not hold or could not be seen.</summary>
    BodyCondition,

    /// <summary>The key may be used for some models, and this is none of them.</summary>
    ModelRefused,

    /// <summary>A limit has no room for it now; the verdict tells which, and when it has.</summary>
    RateLimited,

    /// <summary>More than a limit's whole amount: it fits never.</summary>
    ExceedsLimit,

    /// <summary>What is left does not pay for it, but would together with what other requests still hold.</summary>
    InFlightHolds,

    /// <summary>What is left does not pay for it.</summary>
    WalletEmpty,

    /// <summary>There is no room to note it; nothing was taken. Soon there is.</summary>
    Busy,

    Allowed,
}

/// <summary>The steps of the check, in order.</summary>
public enum VerdictStep : byte
{
    Credential,
    Shape,
    Lookup,
    Status,
    Address,
    Project,
    Permission,
    Limits,
    Allowed,
}
