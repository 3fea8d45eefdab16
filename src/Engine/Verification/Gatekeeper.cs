using System.Net;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Verification;

/// <summary>
/// The check: one order, everywhere. Allocates nothing, waits for nothing, throws nothing, and reads nothing but memory. Whoever calls it
/// answers <see cref="VerdictCode.NotLoaded"/> by loading the key and checking again.
/// </summary>
public sealed class Gatekeeper(KeyFormat format, KeyTable keys, ProjectTable projects, Admission? admission = null)
{
    public KeyFormat Format { get; } = format;

    public KeyTable Keys { get; } = keys;

    public ProjectTable Projects { get; } = projects;

    /// <summary>Step 5: limits, wallet and usage.</summary>
    public Admission Admission { get; } = admission ?? new Admission();

    public Verdict Check(in CheckRequest request)
    {
        Check(in request, out Verdict verdict);
        return verdict;
    }

    /// <summary>The same, for a caller that has a place for the verdict: it is large.</summary>
    public void Check(in CheckRequest request, out Verdict verdict)
    {
        if (!request.Secret.IsEmpty && TryHash(request.Secret, out KeyHash hash))
        {
            Check(in request, in hash, out verdict);
            return;
        }

        verdict = default;
        verdict.Code = request.Secret.IsEmpty ? VerdictCode.KeyMissing : VerdictCode.KeyMalformed;
        verdict.Requirement = request.Requirement;
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
        Check(in request, in hash, out Verdict verdict);
        return verdict;
    }

    /// <summary>The same, for a caller that has a place for the verdict.</summary>
    public void Check(in CheckRequest request, in KeyHash hash, out Verdict verdict)
    {
        verdict = default;
        verdict.Hash = hash;
        verdict.Requirement = request.Requirement;
        if (!Keys.Find(in hash, out verdict.KeyToFill))
        {
            verdict.Code = Keys.IsUnknown(in hash) ? VerdictCode.KeyUnknown : VerdictCode.NotLoaded;
            return;
        }

        ref readonly KeyEntryView key = ref verdict.KeyToFill;
        if (!Projects.TryFind(key.ProjectIndex, out ProjectEntry? project))
        {
            // The projects were cleared under this key: loading it anew finds its project again.
            verdict.KeyToFill = default;
            verdict.Code = VerdictCode.NotLoaded;
            return;
        }

        verdict.Project = project;
        verdict.Code = StatusOf(in key, request.NowMs);
        if (verdict.Code == VerdictCode.Allowed)
        {
            verdict.Code = Admit(in request, in key, project);
        }

        if (verdict.Code == VerdictCode.Allowed && request.Taking != Taking.Nothing)
        {
            // Step 5 has its place here and nowhere else: after everything that can refuse without taking.
            Admission.Decide(in request, project, ref verdict);
        }

        if (verdict.Code != VerdictCode.Allowed)
        {
            // A refused key costs the same two look-ups as an unknown one, so that time does not tell them apart.
            _ = Keys.IsUnknown(in hash);
            if (request.Taking is Taking.Take or Taking.Ask)
            {
                Admission.NoteRefusal(in request, in verdict);
            }
        }
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

        return state == KeyState.Active ? VerdictCode.Allowed
            : (state & ~KeyState.HeldByBalance) == KeyState.HeldByArchive ? VerdictCode.KeyArchived : VerdictCode.KeyDisabled;
    }

    // Everything between the key's own status and what it may take.
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

        if (request.IsRouteUnknown)
        {
            return VerdictCode.RouteUnknown;
        }

        VerdictCode code = PermissionOf(key.Grants, request.Requirement, request.IsConditionMet);
        return code == VerdictCode.Allowed && request.NamesModel && !key.Profile.MayUse(request.Model) ? VerdictCode.ModelRefused : code;
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
