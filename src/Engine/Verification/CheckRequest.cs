using System.Net;
using Tollgate.Engine.Permissions;

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

    internal bool AsksProject { get; private init; }

    internal bool AsksOrganization { get; private init; }
}
