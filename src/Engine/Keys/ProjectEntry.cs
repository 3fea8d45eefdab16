using System.Text;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Keys;

/// <summary>
/// A project as the check sees it. <see cref="Version"/> must grow with every change of the project or of its organization
/// (the sum of both row versions does): an older entry never replaces a newer one.
/// </summary>
public sealed class ProjectEntry
{
    public ProjectEntry(long projectNo, string projectId, string organizationId)
    {
        ArgumentException.ThrowIfNullOrEmpty(projectId);
        ArgumentException.ThrowIfNullOrEmpty(organizationId);
        ProjectNo = projectNo;
        ProjectId = projectId;
        OrganizationId = organizationId;
        ProjectIdUtf8 = Encoding.UTF8.GetBytes(projectId);
        OrganizationIdUtf8 = Encoding.UTF8.GetBytes(organizationId);
    }

    public long ProjectNo { get; }

    public string ProjectId { get; }

    public string OrganizationId { get; }

    public ReadOnlyMemory<byte> ProjectIdUtf8 { get; }

    public ReadOnlyMemory<byte> OrganizationIdUtf8 { get; }

    public required long Version { get; init; }

    /// <summary>The worse of the project's and its organization's.</summary>
    public required ProjectState State { get; init; }

    /// <summary>Whether it belongs to the operator's own organization, whose keys may verify for every organization.</summary>
    public bool OfOperator { get; init; }

    public long OrganizationNo { get; init; }

    /// <summary>The organization's plan, by its place in the provider file.</summary>
    public byte Plan { get; init; }

    /// <summary>What its requests are paid from; null where the provider has no wallet.</summary>
    public Balance? Balance { get; init; }
}

/// <summary>Only <see cref="Active"/> lets keys pass; the default does not.</summary>
public enum ProjectState : byte
{
    Unknown,
    Active,
    Suspended,
    Deleted,
}
