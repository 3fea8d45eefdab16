using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>
/// What becomes of a spool when its database is replaced. The events in it belong to the old one: the new one is told that it has passed
/// them by, in the transaction that makes it, and a copy of the file is kept. So the folder starts whenever the process ends: before the
/// swap the old database takes them in, and after it nobody does.
/// </summary>
internal sealed class SpoolAside
{
    private readonly string _path;
    private readonly SpoolFacts? _facts;

    private SpoolAside(string path) =>
        (_path, _facts) = (path, File.Exists(path) ? SpoolFile.Read(path) : null);

    /// <summary>Events that the database in place has not taken in, or the last of which it had just taken in when its gate died.</summary>
    public int Left => _facts?.Left ?? 0;

    /// <summary>Why the file cannot be read, and what to do: no gate will start on it. Null when it can be, or is not there.</summary>
    public string? Fault => _facts?.Fault;

    private string Copy => _path + ".restoring";

    public static SpoolAside In(string folder) => new(SpoolFile.In(folder));

    /// <summary>Tells the new database, which came with spools of its own time.</summary>
    public async Task PassBy(WriteScope scope)
    {
        await JournalSql.ForgetAll(scope);
        if (_facts is { Fault: null, Id.Length: > 0 })
        {
            await JournalSql.Pass(scope, _facts.Id, _facts.Last);
        }
    }

    /// <summary>Ahead of the swap.</summary>
    public void Keep()
    {
        // One of a restore that did not come to its end.
        File.Delete(Copy);
        if (Left > 0)
        {
            File.Copy(_path, Copy);
            using var stream = new FileStream(Copy, FileMode.Open, FileAccess.ReadWrite);
            DiskSync.File(stream);
        }
    }

    /// <summary>After the swap: where the copy is; null when there was nothing to keep.</summary>
    public string? Name(string stamp)
    {
        if (Left == 0)
        {
            return null;
        }

        var kept = $"{_path}.before-{stamp}";
        File.Move(Copy, kept, overwrite: false);
        DiskSync.Folder(Path.GetDirectoryName(Path.GetFullPath(kept))!);
        return kept;
    }
}
