using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class ProjectTableTests
{
    [Fact]
    public void A_project_keeps_its_index_while_its_entries_change()
    {
        var table = new ProjectTable();
        Assert.True(table.TryApply(Project(5, version: 1), out uint first));
        Assert.True(table.TryApply(Project(5, version: 2, ProjectState.Suspended), out uint second));
        Assert.Equal(first, second);
        Assert.True(table.TryFind(first, out ProjectEntry? entry));
        Assert.Equal(ProjectState.Suspended, entry.State);
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void An_older_entry_never_replaces_a_newer_one()
    {
        var table = new ProjectTable();
        table.TryApply(Project(5, version: 7, ProjectState.Suspended), out uint index);
        Assert.True(table.TryApply(Project(5, version: 6), out _));
        Assert.True(table.TryFind(index, out ProjectEntry? entry));
        Assert.Equal(7, entry.Version);
    }

    [Fact]
    public void It_grows_to_its_bound_and_reports_full_one_past_it()
    {
        var table = new ProjectTable(projectsMax: 100);
        for (long i = 1; i <= 100; i++)
        {
            Assert.True(table.TryApply(Project(i), out uint index));
            Assert.True(table.TryFind(index, out ProjectEntry? entry) && entry.ProjectNo == i);
        }

        Assert.False(table.TryApply(Project(101), out _));
        Assert.True(table.TryApply(Project(100, version: 9), out _));
        Assert.Equal(100, table.Count);
    }

    [Fact]
    public void An_index_from_before_a_clearing_finds_nothing_rather_than_another_project()
    {
        var table = new ProjectTable();
        table.TryApply(Project(1), out uint before);
        table.Clear();
        Assert.False(table.TryFind(before, out _));
        table.TryApply(Project(2), out uint after);
        Assert.NotEqual(before, after);
        Assert.False(table.TryFind(before, out _));
        Assert.True(table.TryFind(after, out ProjectEntry? entry) && entry.ProjectNo == 2);
        Assert.False(table.TryFind(uint.MaxValue, out _));
    }

    private static ProjectEntry Project(long no, long version = 1, ProjectState state = ProjectState.Active)
        => new(no, $"prj_{no}", "org_1") { Version = version, State = state };
}
