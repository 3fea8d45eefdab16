using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tollgate.Engine.Usage;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>
/// A spool's file as it lies there: a page of header, then the events' places. Looked at without being taken, beside a running gate too.
/// </summary>
internal static unsafe class SpoolFile
{
    public const string Name = "usage.spool";

    /// <summary>Held by the process that has the spool.</summary>
    public const string LockName = "usage.lock";

    private const int ChunkBytes = 1 << 20;

    public static string In(string folder) => Path.Combine(folder, Name);

    public static long Length(long capacity) => SpoolHeader.Bytes + (capacity * UsageEvent.Bytes);

    /// <summary>
    /// Makes an empty one beside and renames it into place. Every byte of it is written: a disk that is full says so now, and not by
    /// killing the process at some later touch of the memory.
    /// </summary>
    public static void Make(string path, int capacity)
    {
        var beside = path + ".new";
        File.Delete(beside);
        using (var stream = OwnerOnly.Open(beside, FileMode.CreateNew, FileShare.None))
        {
            SpoolHeader header = default;
            SpoolHeader.Write(&header, capacity, freed: 0);
            header.Ended = 0;
            stream.Write(new ReadOnlySpan<byte>(&header, SpoolHeader.Bytes));
            var zeros = new byte[ChunkBytes];
            for (var left = Length(capacity) - SpoolHeader.Bytes; left > 0; left -= ChunkBytes)
            {
                stream.Write(zeros, 0, (int)Math.Min(left, ChunkBytes));
            }

            DiskSync.File(stream);
        }

        File.Move(beside, path, overwrite: true);
        DiskSync.Folder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>
    /// Moves the folder's spool out of the way of another history; answers its new name, or null where there is none.
    /// </summary>
    public static string? SetAside(string folder, string stamp)
    {
        if (!File.Exists(In(folder)))
        {
            return null;
        }

        var aside = $"{In(folder)}.before-{stamp}";
        File.Move(In(folder), aside, overwrite: false);
        DiskSync.Folder(folder);
        return aside;
    }

    /// <summary>What the file is and holds.</summary>
    public static SpoolFacts Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length < SpoolHeader.Bytes)
        {
            return Faulty($"{path} is cut: it has {stream.Length} bytes. {Aside}");
        }

        using var file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* memory = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref memory);
        try
        {
            return Read(path, stream.Length, (SpoolHeader*)memory);
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    /// <summary>The sequences of whole events after one, in no order.</summary>
    public static List<long> Sequences(UsageEvent* places, int capacity, long after)
    {
        var ring = new UsageBuffer(places, capacity, 0);
        var found = new List<long>();
        for (var place = 0; place < capacity; place++)
        {
            var sequence = Volatile.Read(ref places[place].Sequence);
            if (sequence > after && (sequence & (capacity - 1)) == place && ring.TryRead(sequence, out _))
            {
                found.Add(sequence);
            }
        }

        return found;
    }

    private const string Aside =
        "Move it away to start without the requests it held, or put it back whole; what was folded before is in the database.";

    private static SpoolFacts Read(string path, long length, SpoolHeader* header)
    {
        if (!header->IsOurs)
        {
            return Faulty($"{path} is no spool of Tollgate's: move it away.");
        }

        if (header->Version != SpoolHeader.FormatVersion)
        {
            return header->Ended == header->Freed
                ? new SpoolFacts { IsOfOtherVersion = true }
                : Faulty(
                    $"{path} is of format {header->Version}, this version reads {SpoolHeader.FormatVersion}, and it may hold requests "
                    + "that are not in the database yet. Start the version that wrote it once more, stop it in order, and start this one "
                    + "again.");
        }

        if (!header->IsSound || header->Capacity is < 1 or > int.MaxValue || !int.IsPow2((int)header->Capacity))
        {
            return Faulty($"The header of {path} is damaged. {Aside}");
        }

        if (length != Length(header->Capacity))
        {
            return Faulty($"{path} is cut: it has {length} bytes, not {Length(header->Capacity)}. {Aside}");
        }

        return new SpoolFacts
        {
            Id = header->IdText,
            Capacity = (int)header->Capacity,
            Freed = header->Freed,
            Left = Sequences((UsageEvent*)((byte*)header + SpoolHeader.Bytes), (int)header->Capacity, header->Freed).Count,
        };
    }

    private static SpoolFacts Faulty(string fault) => new() { Fault = fault };
}

/// <summary>What was found in a spool's file.</summary>
internal sealed record SpoolFacts
{
    /// <summary>Why it cannot be taken up, and what to do; null when it can.</summary>
    public string? Fault { get; init; }

    /// <summary>Of another format, and known to be empty.</summary>
    public bool IsOfOtherVersion { get; init; }

    public string Id { get; init; } = "";

    public int Capacity { get; init; }

    public long Freed { get; init; }

    /// <summary>Whole events that were not freed.</summary>
    public int Left { get; init; }
}

/// <summary>The first page of a spool. Everything but the last two members is written once.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct SpoolHeader
{
    public const int Bytes = 4_096;
    public const int FormatVersion = 1;
    public const long NotEnded = -1;

    private const int IdBytes = 16;
    private const int CheckedBytes = 40;
    private const long Mark = 0x0A4C_4F4F_5053_4754; // the bytes TGSPOOL and a line feed

    [FieldOffset(0)]
    private long _mark;

    [FieldOffset(8)]
    public int Version;

    [FieldOffset(12)]
    private int _eventBytes;

    [FieldOffset(16)]
    public long Capacity;

    [FieldOffset(24)]
    private fixed byte _id[IdBytes];

    [FieldOffset(CheckedBytes)]
    private ulong _checksum;

    /// <summary>The last event that was taken in; here in every version.</summary>
    [FieldOffset(64)]
    public long Freed;

    /// <summary>The last event there was when a gate ended in order, <see cref="NotEnded"/> until then; here in every version.</summary>
    [FieldOffset(72)]
    public long Ended;

    public readonly bool IsOurs => _mark == Mark;

    public bool IsSound => _checksum == Sum() && _eventBytes == UsageEvent.Bytes;

    public string IdText
    {
        get
        {
            fixed (byte* id = _id)
            {
                return Convert.ToHexStringLower(new ReadOnlySpan<byte>(id, IdBytes));
            }
        }
    }

    /// <summary>A new name, and nothing in it up to here.</summary>
    public static void Write(SpoolHeader* header, long capacity, long freed)
    {
        RandomNumberGenerator.Fill(new Span<byte>(header->_id, IdBytes));
        (header->_mark, header->Version, header->_eventBytes) = (Mark, FormatVersion, UsageEvent.Bytes);
        (header->Capacity, header->Freed) = (capacity, freed);
        header->_checksum = header->Sum();
    }

    private ulong Sum()
    {
        fixed (long* start = &_mark)
        {
            return BitConverter.ToUInt64(SHA256.HashData(new ReadOnlySpan<byte>(start, CheckedBytes)));
        }
    }
}
