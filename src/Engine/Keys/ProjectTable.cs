using System.Diagnostics.CodeAnalysis;

namespace Tollgate.Engine.Keys;

/// <summary>
/// The projects that loaded keys belong to. A key's slot holds an index into it, so that suspending an organization binds at the next
/// check of every key without touching one of them. Indexes are never given twice, not even after <see cref="Clear"/>: one that is left
/// over finds nothing, never another project.
/// </summary>
public sealed class ProjectTable
{
    public const int ProjectsMaxDefault = 1_000_000;
    private const int ProjectsAtStart = 64;

    private readonly Lock _lock = new();
    private readonly int _max;

    // Guarded by the lock.
    private readonly Dictionary<long, uint> _indexes = [];

    // Swapped whole when it grows; single entries are swapped in place. Readers take it with one volatile read.
    private volatile Entries _entries = new(0, new ProjectEntry?[ProjectsAtStart]);

    public ProjectTable(int projectsMax = ProjectsMaxDefault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(projectsMax, 1);
        _max = projectsMax;
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _indexes.Count;
            }
        }
    }

    /// <summary>
    /// Adds a project or replaces an older entry of it, and tells its index for <see cref="KeyEntry.ProjectIndex"/>. Call it for every
    /// change, loaded or not: a change that is in the table cannot be undone by a load that read the row before it.
    /// False when the table is full: then <see cref="Verification.Gatekeeper.Clear"/> empties both tables, and keys load anew.
    /// </summary>
    public bool TryApply(ProjectEntry entry, out uint index)
    {
        ArgumentNullException.ThrowIfNull(entry);
        lock (_lock)
        {
            if (_indexes.TryGetValue(entry.ProjectNo, out index))
            {
                ref ProjectEntry? place = ref _entries.At(index);
                if (place!.Version <= entry.Version)
                {
                    Volatile.Write(ref place, entry);
                }

                return true;
            }

            return TryAddLocked(entry, out index);
        }
    }

    /// <summary>The project at an index that <see cref="TryApply"/> gave, or null when the table has been cleared since.</summary>
    public bool TryFind(uint index, [NotNullWhen(true)] out ProjectEntry? entry)
    {
        Entries entries = _entries;
        uint place = index >= entries.First ? index - entries.First : uint.MaxValue;
        entry = place < (uint)entries.Items.Length ? Volatile.Read(ref entries.Items[place]) : null;
        return entry is not null;
    }

    public void Clear()
    {
        lock (_lock)
        {
            uint next = checked(_entries.First + (uint)_indexes.Count);
            _indexes.Clear();
            _entries = new Entries(next, new ProjectEntry?[ProjectsAtStart]);
        }
    }

    private bool TryAddLocked(ProjectEntry entry, out uint index)
    {
        index = 0;
        Entries entries = _entries;
        int count = _indexes.Count;
        if (count >= _max || uint.MaxValue - entries.First <= (uint)count)
        {
            return false;
        }

        index = entries.First + (uint)count;
        if (count == entries.Items.Length)
        {
            var items = new ProjectEntry?[Math.Min(_max, count * 2)];
            entries.Items.CopyTo(items, 0);
            entries = new Entries(entries.First, items);
        }

        Volatile.Write(ref entries.At(index), entry);
        _indexes.Add(entry.ProjectNo, index);
        _entries = entries;
        return true;
    }

    private sealed class Entries(uint first, ProjectEntry?[] items)
    {
        public uint First { get; } = first;

        public ProjectEntry?[] Items { get; } = items;

        public ref ProjectEntry? At(uint index) => ref Items[index - First];
    }
}
