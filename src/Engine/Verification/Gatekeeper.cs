using System.Net;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Verification;

/// <summary>
/// The check: one order, everywhere. Allocates nothing, waits for nothing, throws nothing, and reads nothing but memory. Whoever calls it
/// answers <see cref="VerdictCode.NotLoaded"/> by loading the key and checking again.
/// </summary>
public sealed class Gatekeeper(KeyFormat format, KeyTable keys, ProjectTable projects)
{
    public KeyFormat Format { get; } = format;

    public KeyTable Keys { get; } = keys;

    public ProjectTable Projects { get; } = projects;

    public Verdict Check(in CheckRequest request)
    {
        if (request.Secret.IsEmpty)
        {
            return new Verdict { Code = VerdictCode.KeyMissing, Requirement = request.Requirement };
        }

        return TryHash(request.Secret, out KeyHash hash)
            ? Check(in request, hash)
            : new Verdict { Code = VerdictCode.KeyMalformed, Requirement = request.Requirement };
    }

    /// <summary>
    /// The check up to the look-up: shape, checksum, hash. Memory is asked for the key's place, so that who does something else before the
    /// rest of the check does not wait for it. False: the secret has no key's form.
    /// </summary>
    public bool TryHash(ReadOnlySpan<byte> secret, out KeyHash hash)
    {
        if (!Format.TryParse(secret, out _))
        {
            hash = default;
            return false;
        }

        hash = KeyHash.Of(secret);
        Keys.Prefetch(in hash);
        return true;
    }

    /// <summary>
    /// The check from the look-up on, for a caller that has the hash of a well-formed secret.
    /// </summary>
    public Verdict Check(in CheckRequest request, in KeyHash hash)
    {
        if (!Keys.Find(in hash, out KeyEntryView key))
        {
            VerdictCode missing = Keys.IsUnknown(in hash) ? VerdictCode.KeyUnknown : VerdictCode.NotLoaded;
            return new Verdict { Code = missing, Hash = hash, Requirement = request.Requirement };
        }

        if (!Projects.TryFind(key.ProjectIndex, out ProjectEntry? project))
        {
            // The projects were cleared under this key: loading it anew finds its project again.
            return new Verdict { Code = VerdictCode.NotLoaded, Hash = hash, Requirement = request.Requirement };
        }

        VerdictCode code = StatusOf(in key, request.NowMs);
        if (code == VerdictCode.Allowed)
        {
            code = Admit(in request, in key, project);
        }

        if (code != VerdictCode.Allowed)
        {
            // A refused key costs the same two look-ups as an unknown one, so that time does not tell them apart.
            _ = Keys.IsUnknown(in hash);
        }

        return new Verdict { Code = code, Key = key, Project = project, Hash = hash, Requirement = request.Requirement };
    }

    /// <summary>Empties both tables, when the projects are full or nothing in memory may be trusted. Every key is loaded anew.</summary>
    public void Clear()
    {
        Keys.Clear();
        Projects.Clear();
    }

    private static VerdictCode StatusOf(in KeyEntryView key, long nowMs)
    {
        KeyState state = key.State;
        if ((state & KeyState.Deleted) != 0)
        {
            return VerdictCode.KeyDeleted;
        }

        if ((state & KeyState.Revoked) != 0)
        {
            return VerdictCode.KeyRevoked;
        }

        if (nowMs >= key.DeadlineMs)
        {
            return key.EndsBeforeExpiry ? VerdictCode.KeyRetired : VerdictCode.KeyExpired;
        }

        return state == KeyState.Active ? VerdictCode.Allowed : VerdictCode.KeyDisabled;
    }

    // Everything after the key's own status.
    private static VerdictCode Admit(in CheckRequest request, in KeyEntryView key, ProjectEntry project)
    {
        if (project.State != ProjectState.Active)
        {
            return VerdictCode.OrganizationSuspended;
        }

        if (key.HasAddresses && !IsAddressAllowed(in key, request.Address))
        {
            return VerdictCode.AddressRefused;
        }

        if ((request.AsksProject && !request.ProjectId.SequenceEqual(project.ProjectIdUtf8.Span))
            || (request.AsksOrganization && !request.OrganizationId.SequenceEqual(project.OrganizationIdUtf8.Span)))
        {
            return VerdictCode.ProjectMismatch;
        }

        VerdictCode permission = request.IsRouteUnknown
            ? VerdictCode.RouteUnknown
            : PermissionOf(key.Grants, request.Requirement, request.IsConditionMet);
        if (permission != VerdictCode.Allowed)
        {
            return permission;
        }

        // Step 5 of the order has its place here and nowhere else: limits and wallet are taken together or not at all, after everything
        // that can refuse without taking, and before the one line that lets a request pass. Callers see only further codes.
        return VerdictCode.Allowed;
    }

    private static bool IsAddressAllowed(in KeyEntryView key, IPAddress? address)
        => address is not null && AddressRule.Contains(key.Addresses, address);

    private static VerdictCode PermissionOf(Grants grants, Requirement requirement, bool? isConditionMet)
    {
        if ((requirement.Actions & ~grants.Actions) != 0)
        {
            return VerdictCode.ActionMissing;
        }

        if (!requirement.NeedsScope || (grants.Scopes & requirement.AnyScope) != 0)
        {
            return VerdictCode.Allowed;
        }

        if ((grants.Scopes & requirement.ConditionalScopes) == 0)
        {
            return VerdictCode.ScopeMissing;
        }

        return isConditionMet == true ? VerdictCode.Allowed : VerdictCode.BodyCondition;
    }
}
