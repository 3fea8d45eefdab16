using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tollgate.Server.Operating;

/// <summary>
/// A backup to be read: a ZIP file whose tables are told by its manifest. Nothing in it is believed before its checksum agrees.
/// </summary>
internal sealed class BackupFile : IDisposable
{
    public const string ManifestEntry = "manifest.json";
    public const string ManifestHashEntry = "manifest.sha256";

    private const int ManifestBytesMax = 1 << 20;
    private const int LineBytesMax = 1 << 24;
    private const int ChunkBytes = 1 << 16;

    private readonly string _file;
    private readonly ZipArchive _archive;

    private BackupFile(string file, ZipArchive archive, BackupManifest manifest) => (_file, _archive, Manifest) = (file, archive, manifest);

    public BackupManifest Manifest { get; }

    /// <exception cref="BackupException">It is no backup, is damaged, or is of a later format.</exception>
    public static BackupFile Open(string file)
    {
        if (!File.Exists(file))
        {
            throw new BackupException($"There is no file {file}.");
        }

        ZipArchive? archive = null;
        try
        {
            archive = ZipFile.OpenRead(file);
            var json = Content(archive, ManifestEntry);
            var hash = Encoding.ASCII.GetString(Content(archive, ManifestHashEntry));
            var manifest = JsonSerializer.Deserialize(json, BackupWire.Default.BackupManifest);
            if (manifest is not { Format: BackupManifest.FormatName } || hash != Convert.ToHexStringLower(SHA256.HashData(json)))
            {
                throw new InvalidDataException("its manifest is not as it was written.");
            }

            return manifest.FormatVersion == BackupManifest.VersionNow
                ? new BackupFile(file, archive, manifest)
                : throw new BackupException(
                    $"{file} is of backup format {manifest.FormatVersion}; this version reads {BackupManifest.VersionNow}.");
        }
        catch (Exception error) when (error is InvalidDataException or JsonException)
        {
            archive?.Dispose();
            throw new BackupException($"{file} is no backup of Tollgate's, or is damaged: {error.Message}", error);
        }
        catch
        {
            archive?.Dispose();
            throw;
        }
    }

    /// <summary>Reads all of it and compares every checksum and count.</summary>
    public void Verify(CancellationToken cancel)
    {
        var buffer = new byte[ChunkBytes];
        foreach (var table in Manifest.Tables)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                using var stream = Entry(table).Open();
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var (rows, bytes) = (0L, 0L);
                for (int read; (read = stream.Read(buffer)) > 0; bytes += read)
                {
                    hash.AppendData(buffer, 0, read);
                    rows += buffer.AsSpan(0, read).Count((byte)'\n');
                }

                Require(table, hash, rows, bytes);
            }
            catch (InvalidDataException error)
            {
                throw Damaged(table, error);
            }
        }
    }

    /// <summary>The rows of a table, one at a time. Ends in an exception when they are not those that were written.</summary>
    public async IAsyncEnumerable<object?[]> Rows(BackupTable table, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var reader = PipeReader.Create(await Entry(table).OpenAsync(cancel), new StreamPipeReaderOptions(bufferSize: ChunkBytes));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (rows, bytes) = (0L, 0L);
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, buffer.GetPosition(1, end));
                foreach (var piece in line)
                {
                    hash.AppendData(piece.Span);
                }

                (rows, bytes) = (rows + 1, bytes + line.Length);
                yield return Row(table, line);
                buffer = buffer.Slice(line.End);
            }

            if (read.IsCompleted || buffer.Length > LineBytesMax)
            {
                break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await reader.CompleteAsync();
        Require(table, hash, rows, bytes);
    }

    public void Dispose() => _archive.Dispose();

    private object?[] Row(BackupTable table, in ReadOnlySequence<byte> line)
    {
        try
        {
            return BackupRows.Read(line, table.Columns);
        }
        catch (JsonException error)
        {
            throw Damaged(table, error);
        }
    }

    private void Require(BackupTable table, IncrementalHash hash, long rows, long bytes)
    {
        if (rows != table.Rows || bytes != table.Bytes || Convert.ToHexStringLower(hash.GetHashAndReset()) != table.Sha256)
        {
            throw Damaged(table, null);
        }
    }

    private ZipArchiveEntry Entry(BackupTable table) => _archive.GetEntry(table.Entry) ?? throw Damaged(table, null);

    private BackupException Damaged(BackupTable table, Exception? why) =>
        new($"{_file} is damaged: the table {table.Name} is not as it was written. Use another backup.", why);

    private static byte[] Content(ZipArchive archive, string name)
    {
        var entry = archive.GetEntry(name) ?? throw new InvalidDataException($"it has no {name}.");
        if (entry.Length > ManifestBytesMax)
        {
            throw new InvalidDataException($"its {name} is too large.");
        }

        using var stream = entry.Open();
        var content = new byte[entry.Length];
        stream.ReadExactly(content);
        return content;
    }
}
