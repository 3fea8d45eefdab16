using System.Net;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Verification;

/// <summary>
/// What is asked of the gate. What is not set is not asked: no project, organization or environment is compared. Setting one to an empty
/// span does ask, and is answered no.
/// </summary>
public readonly ref struct CheckRequest
{
    private readonly ReadOnlySpan<byte> _projectId;
    private readonly ReadOnlySpan<byte> _organizationId;

    /// <summary>The secret as sent, in UTF-8, without its scheme. Empty when none was sent.</summary>
    public ReadOnlySpan<byte> Secret { get; init; }

    /// <summary>What the route or the caller requires; the default asks for nothing but a good key.</summary>
    public Requirement Requirement { get; init; }

    /// <summary>Set where the request's method and path match no route: a good key is refused too, a bad one for being bad.</summary>
    public bool IsRouteUnknown { get; init; }

    /// <summary>The project that the key must belong to.</summary>
    public ReadOnlySpan<byte> ProjectId
    {
        get => _projectId;
        init
        {
            _projectId = value;
            AsksProject = true;
        }
    }

    /// <summary>The organization that the key must belong to.</summary>
    public ReadOnlySpan<byte> OrganizationId
    {
        get => _organizationId;
        init
        {
            _organizationId = value;
            AsksOrganization = true;
        }
    }

    /// <summary>Where the request comes from. A key with an address rule is refused when this is not known.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>
    /// Whether the requirement's body condition holds; null when nobody looked, which refuses the keys that depend on it.
    /// </summary>
    public bool? IsConditionMet { get; init; }

    /// <summary>Unix milliseconds, read once for the request.</summary>
    public required long NowMs { get; init; }

    /// <summary>How far step 5, limits and wallet, goes.</summary>
    public Taking Taking { get; init; }

    /// <summary>The number of the request, unique for good; needed where something is taken.</summary>
    public long RequestNo { get; init; }

    /// <summary>Milliseconds of a clock that never goes back, for the windows of limits.</summary>
    public long ClockMs { get; init; }

    /// <summary>Whether the request will be settled: what is taken stands in a reservation until then.</summary>
    public bool Reserves { get; init; }

    /// <summary>The number the database gave the model; 0 for none.</summary>
    public ushort Model { get; init; }

    /// <summary>
    /// Whether the request is for a model, be it one without a number, or may be for any because nobody could see: then a key that is bound
    /// to models is asked for it.
    /// </summary>
    public bool NamesModel
    {
        get => field || Model != 0;
        init;
    }

    /// <summary>The version of the price list that <see cref="Hold"/> comes from.</summary>
    public ushort PriceVersion { get; init; }

    /// <summary>What the request will use at most.</summary>
    public int InputTokens { get; init; }

    /// <inheritdoc cref="InputTokens"/>
    public int OutputTokens { get; init; }

    /// <summary>
    /// What the request will cost at most; null where the organization pays but no price was asked: something must be left.
    /// </summary>
    public Money? Hold
    {
        get => IsPriced ? HoldOrZero : null;
        init
        {
            IsPriced = value.HasValue;
            HoldOrZero = value.GetValueOrDefault();
        }
    }

    internal bool IsPriced { get; private init; }

    internal Money HoldOrZero { get; private init; }

    internal bool AsksProject { get; private init; }

    internal bool AsksOrganization { get; private init; }
}

/// <summary>Whether a check takes from limits and wallet.</summary>
public enum Taking : byte
{
    /// <summary>They are not asked: only who calls is of interest.</summary>
    Nothing,

    /// <summary>They are asked and stay as they are.</summary>
    Look,

    /// <summary>The request is made.</summary>
    Take,

    /// <summary>
    /// They are asked and stay as they are, ahead of something else that may refuse the request: its refusal here is final, and noted.
    /// </summary>
    Ask,
}
