using System.IO.MemoryMappedFiles;
using Tollgate.Engine.Usage;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>
/// The file that <see cref="UsageBuffer"/>'s memory is: <c>usage.spool</c> in the data folder. What the check appends to it outlives the
/// process without a system call; not the machine's power, which is the database's business. It names itself, and the database remembers
/// under that name how far it was taken in, so that no spool is folded into a database that another one's events are in.
/// </summary>
internal sealed unsafe class Spool : IDisposable
{
    public const int CapacityMin = 1_024;
    public const int CapacityMax = 16_777_216;

    // What the system says when a file is locked: EAGAIN on Linux, EWOULDBLOCK on macOS.
    private static readonly int[] Locked = [11, 35];

    private readonly FileStream _lock;
    private readonly MemoryMappedFile _file;
    private readonly SpoolHeader* _header;
    private readonly UsageEvent* _places;
    private bool _isDisposed;

    private Spool(FileStream @lock, FileStream stream, string path)
    {
        (_lock, Path) = (@lock, path);
        _file = MemoryMappedFile.CreateFromFile(
            stream, null, stream.Length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        var view = _file.CreateViewAccessor();
        byte* memory = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref memory);
        _header = (SpoolHeader*)memory;
        _places = (UsageEvent*)(memory + SpoolHeader.Bytes);
        var capacity = (int)_header->Capacity;
        var highest = SpoolFile.Sequences(_places, capacity, _header->Freed).DefaultIfEmpty(0).Max();
        Buffer = new UsageBuffer(_places, capacity, Math.Max(highest, _header->Freed));
        _header->Ended = SpoolHeader.NotEnded;
    }

    public string Path { get; }

    public UsageBuffer Buffer { get; }

    /// <summary>32 hexadecimal digits, made with the file.</summary>
    public string Id => _header->IdText;

    /// <summary>The sequence up to which places were freed, as the file itself remembers; at most one fold behind the database.</summary>
    public long Freed => Volatile.Read(ref _header->Freed);

    /// <summary>Opens the folder's spool, or makes one.</summary>
    /// <param name="folder">The data folder; made where it is not there, as with PostgreSQL.</param>
    /// <param name="capacity">
    /// How many events it holds when it is made. One that holds events yet keeps the size it has, until a start finds it empty.
    /// </param>
    /// <exception cref="StorageException">It cannot be made, or the one that is there cannot be taken up.</exception>
    public static Spool Open(string folder, int capacity)
    {
        var path = SpoolFile.In(folder);
        FileStream? turn = null;
        try
        {
            OwnerOnly.CreateFolder(folder);
            // A lock of its own, and not the file's: the doctor reads that beside a running gate.
            turn = OwnerOnly.Open(System.IO.Path.Combine(folder, SpoolFile.LockName), FileMode.OpenOrCreate, FileShare.None);
            if (!File.Exists(path) || MustBeMade(path, capacity))
            {
                SpoolFile.Make(path, capacity);
            }

            return new Spool(turn, new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), path);
        }
        catch (StorageException)
        {
            turn?.Dispose();
            throw;
        }
        catch (IOException taken) when (Locked.Contains(taken.HResult))
        {
            throw new StorageException($"Another Tollgate process is using {path}; stop it, or start this one with another folder.", taken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            turn?.Dispose();
            throw new StorageException(
                $"The spool {path} cannot be opened or made: {error.Message} It takes {SpoolFile.Length(capacity) >> 20} MiB of the disk.",
                error);
        }
    }

    /// <summary>The sequences of whole events after this one, in order; after a crash there may be gaps between them.</summary>
    public IReadOnlyList<long> Left(long after)
    {
        var left = SpoolFile.Sequences(_places, Buffer.Capacity, after);
        left.Sort();
        return left;
    }

    /// <summary>After the commit that took them in.</summary>
    public void Free(long sequence)
    {
        // While a start folds what was left, the buffer has nothing to free: it goes on behind all of it.
        if (sequence > Buffer.Freed)
        {
            Buffer.Free(sequence);
        }

        Volatile.Write(ref _header->Freed, sequence);
    }

    /// <summary>Becomes another spool, for which no database knows a sequence; only where nothing is left in it.</summary>
    public void Rename() => SpoolHeader.Write(_header, Buffer.Capacity, Buffer.Last);

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _header->Ended = Buffer.Last;
            // The memory stays: a request that outlives its host by a moment must find it.
            _file.Dispose();
            _lock.Dispose();
        }
    }

    /// <summary>Whether the file that is there is empty and of another size or version than is wanted.</summary>
    private static bool MustBeMade(string path, int capacity)
    {
        var found = SpoolFile.Read(path);
        return found.Fault is { } fault
            ? throw new StorageException(fault)
            : found.IsOfOtherVersion || (found.Capacity != capacity && found.Left == 0);
    }
}
