using System.Buffers.Binary;
using Tollgate.Engine.Usage;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Journal;

public sealed class SpoolTests : IDisposable
{
    private const int Version = 8;
    private const int Checked = 20;
    private const int Freed = 64;
    private const int Ended = 72;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-spool-");

    private string File => SpoolFile.In(_folder.FullName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Its_bytes_are_all_on_the_disk_from_the_start_and_its_owners_alone()
    {
        using var spool = Open();

        Assert.Equal(SpoolFile.Length(Spool.CapacityMin), new FileInfo(File).Length);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        }

        Assert.Equal((Spool.CapacityMin, 0L), (spool.Buffer.Capacity, spool.Buffer.Last));
        Assert.Matches("^[0-9a-f]{32}$", spool.Id);
    }

    [Fact]
    public void What_was_appended_is_there_for_the_next_process_and_its_numbers_go_on()
    {
        string id;
        using (var spool = Open())
        {
            id = spool.Id;
            Append(spool, 10);
            spool.Free(4);
        }

        using var next = Open();
        Assert.Equal((id, 4L, 10L), (next.Id, next.Freed, next.Buffer.Last));
        Assert.Equal([5, 6, 7, 8, 9, 10], next.Left(4));
        Assert.True(next.Buffer.TryRead(7, out var happened));
        Assert.Equal(107, happened.RequestNo);
        Assert.Equal(11, Append(next, 1));
    }

    [Fact]
    public void An_event_that_was_written_in_part_is_none_and_those_behind_it_are()
    {
        using (var spool = Open())
        {
            Append(spool, 5);
        }

        // Places begin with the sequence 0, which no event has; the third event's is place 3.
        Tamper(SpoolHeader.Bytes + (3 * UsageEvent.Bytes) + 40, 1);

        using var next = Open();
        Assert.Equal([1, 2, 4, 5], next.Left(0));
    }

    [Fact]
    public void A_ring_that_went_round_tells_what_was_not_freed()
    {
        using (var spool = Open())
        {
            for (var round = 0; round < 3; round++)
            {
                Append(spool, Spool.CapacityMin);
                spool.Free(spool.Buffer.Last - 2);
                Append(spool, 0);
                spool.Free(spool.Buffer.Last);
            }

            Append(spool, 3);
        }

        using var next = Open();
        Assert.Equal([3_073, 3_074, 3_075], next.Left(next.Freed));
    }

    [Fact]
    public void Two_processes_do_not_share_one()
    {
        using var spool = Open();

        Assert.Contains("Another Tollgate process", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_is_cut_is_refused_with_what_to_do_and_stays_as_it_is()
    {
        Open().Dispose();
        using (var file = new FileStream(File, FileMode.Open))
        {
            file.SetLength(file.Length - 1);
        }

        Assert.Contains("is cut", Refusal(), StringComparison.Ordinal);
        Assert.Contains("Move it away", Refusal(), StringComparison.Ordinal);
        System.IO.File.WriteAllBytes(File, new byte[100]);
        Assert.Contains("it has 100 bytes", Refusal(), StringComparison.Ordinal);
        Assert.Equal(100, new FileInfo(File).Length);
    }

    [Fact]
    public void What_is_no_spool_or_has_a_damaged_header_is_refused()
    {
        Open().Dispose();
        Tamper(Checked, 9);
        Assert.Contains("header", Refusal(), StringComparison.Ordinal);

        System.IO.File.WriteAllBytes(File, new byte[SpoolHeader.Bytes * 2]);
        Assert.Contains("is no spool", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_of_another_format_is_refused_while_it_may_hold_requests_and_made_anew_when_it_is_empty()
    {
        Open().Dispose();
        Tamper(Version, 2);
        Tamper(Ended, -1);
        Assert.Contains("format 2", Refusal(), StringComparison.Ordinal);
        Assert.Contains("stop it in order", Refusal(), StringComparison.Ordinal);

        Tamper(Freed, 7);
        Tamper(Ended, 7);
        using var made = Open();
        Assert.Equal(0, made.Buffer.Last);
    }

    [Fact]
    public void Another_size_is_taken_when_nothing_waits_and_kept_back_while_something_does()
    {
        using (var spool = Open())
        {
            Append(spool, 1);
        }

        using (var same = Open(Spool.CapacityMin * 2))
        {
            Assert.Equal(Spool.CapacityMin, same.Buffer.Capacity);
            same.Free(1);
        }

        using var other = Open(Spool.CapacityMin * 2);
        Assert.Equal(Spool.CapacityMin * 2, other.Buffer.Capacity);
    }

    [Fact]
    public void A_folder_that_cannot_take_it_is_told_with_how_much_it_takes()
    {
        var blocked = Path.Combine(_folder.FullName, "file");
        System.IO.File.WriteAllText(blocked, "");

        var refused = Assert.Throws<StorageException>(() => Spool.Open(blocked, Spool.CapacityMin * 1_024));

        Assert.Contains("128 MiB", refused.Message, StringComparison.Ordinal);
    }

    private Spool Open(int capacity = Spool.CapacityMin) => Spool.Open(_folder.FullName, capacity);

    private string Refusal() => Assert.Throws<StorageException>(() => Open()).Message;

    private void Tamper(long at, long value)
    {
        using var file = new FileStream(File, FileMode.Open);
        var bytes = new byte[at is Version or Checked ? 4 : 8];
        if (bytes.Length == 4)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value);
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        }

        file.Position = at;
        file.Write(bytes);
    }

    private static long Append(Spool spool, int count)
    {
        var sequence = spool.Buffer.Last;
        for (var i = 0; i < count; i++)
        {
            Assert.True(spool.Buffer.TryAppend(
                new UsageEvent { Kind = UsageKind.Passed, RequestNo = 100 + spool.Buffer.Last + 1, KeyNo = 1 }, out sequence));
        }

        return sequence;
    }
}
