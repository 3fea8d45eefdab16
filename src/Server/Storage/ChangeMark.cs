using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Tollgate.Server.Storage;

/// <summary>
/// The number of the last acknowledged change, in a file beside SQLite's. The database alone cannot tell that its write-ahead log was cut,
/// or that an older copy was put in its place: it is whole, and a revoked key works again. Raised after each commit and not synced: after
/// a power cut it may lag behind the database, and is never ahead of it.
/// </summary>
internal sealed class ChangeMark : IDisposable
{
    public const string FileName = "tollgate.mark";

    private const int Digits = 20;

    private readonly SafeFileHandle _file;

    private ChangeMark(SafeFileHandle file) => _file = file;

    public static ChangeMark Open(string folder)
    {
        OwnerOnly.Open(PathIn(folder), FileMode.OpenOrCreate, FileShare.ReadWrite).Dispose();
        return new ChangeMark(File.OpenHandle(PathIn(folder), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite));
    }

    /// <summary>
    /// What a folder's mark says; 0 where there is none, or an empty one as it is made, before its first number. Any other that cannot be
    /// read is no leave to start: it would have told that changes are gone.
    /// </summary>
    public static long Read(string folder)
    {
        try
        {
            var text = File.ReadAllText(PathIn(folder));
            return text.Length == 0 ? 0
                : long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var mark) ? mark
                : throw Unreadable(folder, "it holds no number", null);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(folder, error.Message, error);
        }
    }

    /// <summary>Null when the database is where the mark says or further; else one sentence.</summary>
    public static string? Fault(string folder, long lastChange) => Read(folder) is var mark && mark > lastChange
        ? $"The database in {folder} is behind what was acknowledged: it ends with change {lastChange}, {FileName} says {mark}. "
            + "Its write-ahead log was cut, or an older copy was put in its place, and what was revoked since would work again. Put a "
            + $"backup in place by tollgate restore, or accept the loss by deleting {FileName}."
        : null;

    public void Raise(long change)
    {
        try
        {
            RandomAccess.Write(_file, Encoding.ASCII.GetBytes(change.ToString("D20", CultureInfo.InvariantCulture)[..Digits] + "\n"), 0);
        }
        catch (IOException)
        {
            // The change itself is committed. A mark that lags only notices less.
        }
    }

    public void Dispose() => _file.Dispose();

    private static StorageException Unreadable(string folder, string why, Exception? inner)
    {
        var sentence = $"{FileName} in {folder} cannot be read: {why}. Without it nobody can tell whether the database ends before what "
            + $"was acknowledged. Make it readable, or accept that by deleting {FileName}.";
        return inner is null ? new StorageException(sentence) : new StorageException(sentence, inner);
    }

    private static string PathIn(string folder) => Path.Combine(folder, FileName);
}
