using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Organizations;

/// <summary>
/// Carries the state of organizations and projects into the Engine: a suspension, or another plan, binds the next check of each of
/// their keys.
/// </summary>
internal sealed class ProjectFeed(
    ProjectTable projects, Gatekeeper gatekeeper, ProviderModel provider, PlanBook plans, BalanceTable balances)
{
    /// <summary>The project's place in the table, which a key's entry refers to. A full table is emptied, and keys load anew.</summary>
    public uint Enter(ProjectOwner owner)
    {
        var entry = EntryOf(owner);
        uint index;
        while (!projects.TryApply(entry, out index))
        {
            gatekeeper.Clear();
        }

        return index;
    }

    /// <summary>Whether a key's entry with this index finds its project.</summary>
    public bool Has(uint index) => projects.TryFind(index, out _);

    /// <summary>
    /// After a commit, whether a key of the project is loaded or not: a load under way must not bring the old state back.
    /// </summary>
    public void Apply(IEnumerable<ProjectOwner> changed)
    {
        foreach (var owner in changed)
        {
            Enter(owner);
        }
    }

    private ProjectEntry EntryOf(ProjectOwner owner) => new(owner.ProjectNo, owner.ProjectId, owner.OrganizationId)
    {
        Version = owner.Version,
        State = owner.State switch
        {
            0 => ProjectState.Active,
            1 => ProjectState.Suspended,
            _ => ProjectState.Deleted,
        },
        OfOperator = owner.IsOperator != 0,
        OrganizationNo = owner.OrganizationNo,
        Plan = plans.PlaceOf(owner.Plan),
        Balance = provider.Wallet is null ? null : balances.Of(owner.OrganizationNo),
    };
}
