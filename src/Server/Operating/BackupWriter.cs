using System.Buffers;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Audit;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>
/// Writes a backup of a database as it is at one moment, while a gate goes on writing to it: row by row, so that memory does not grow with
/// the data. The file appears under its name only when it is whole and has been read back.
/// </summary>
internal static class BackupWriter
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>
    /// Answers kept for Idempotency-Keys are short-lived and hold sealed secrets; what a database has been through is in the manifest.
    /// Without the journal a restored database knows no spool, so that none of another history is taken into it. Sessions, links and
    /// invitations would come back that were ended or used since, and mails would be sent once more, with links that are none.
    /// </summary>
    public static readonly IReadOnlyList<string> LeftOut =
    [
        "idempotency", "journal", "sessions", "links", "team_invitations", "mail_outbox", Migrator.Table,
    ];

    /// <exception cref="BackupException">The file exists, or there is nothing to back up.</exception>
    public static async Task<BackupManifest> Write(StorageOptions options, string file, DateTimeOffset now, CancellationToken cancel)
    {
        if (Path.Exists(file))
        {
            throw new BackupException($"{file} exists and is not overwritten: name another file.");
        }

        var part = file + ".part";
        await using var snapshot = await DatabaseSnapshot.Open(options, cancel);
        try
        {
            BackupManifest manifest;
            await using (var stream = OpenPart(part))
            {
                manifest = await Write(snapshot, stream, now, cancel);
                DiskSync.File(stream);
            }

            using (var written = BackupFile.Open(part))
            {
                written.Verify(cancel);
            }

            File.Move(part, file, overwrite: false);
            Settle(file);
            return manifest;
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>Makes the name last; what may be gone after a power cut is not left to be taken for a backup.</summary>
    private static void Settle(string file)
    {
        try
        {
            DiskSync.Folder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        }
        catch (IOException)
        {
            File.Delete(file);
            throw;
        }
    }

    private static FileStream OpenPart(string part)
    {
        // What a backup that was killed has left.
        File.Delete(part);
        return OwnerOnly.Open(part, FileMode.CreateNew, FileShare.None);
    }

    private static async Task<BackupManifest> Write(DatabaseSnapshot snapshot, Stream stream, DateTimeOffset now, CancellationToken cancel)
    {
        var migrations = await snapshot.Migrations();
        if (migrations.Count == 0)
        {
            throw new BackupException("The database holds no data of Tollgate's: there is nothing to back up.");
        }

        Migrator.RefuseStrangers(migrations, Migration.Embedded);
        var settings = await snapshot.Settings();
        var end = await AuditLog.End(snapshot.Connection)
            ?? throw new BackupException("The head of the audit chain is missing: run tollgate doctor.");
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var tables = new List<BackupTable>();
        foreach (var table in snapshot.Tables.Where(table => !LeftOut.Contains(table.Name)))
        {
            tables.Add(await Write(archive, table, snapshot.Rows(table, cancel), now, cancel));
        }

        var manifest = new BackupManifest
        {
            Format = BackupManifest.FormatName,
            FormatVersion = BackupManifest.VersionNow,
            MadeBy = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3),
            MadeAtMs = now.ToUnixTimeMilliseconds(),
            Database = snapshot.Kind == DatabaseKind.Sqlite ? "sqlite" : "postgresql",
            Provider = settings.GetValueOrDefault(FirstStart.ProviderSetting, ""),
            PepperCheck = settings.GetValueOrDefault(Pepper.CheckName)
                ?? throw new BackupException("No gate has been started on this database yet: there is nothing to back up."),
            Migrations = migrations,
            AuditSeq = end.Seq,
            AuditHash = end.Hash,
            ChangeSeq = (await snapshot.LastChange()).Seq,
            Tables = tables,
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, BackupWire.Default.BackupManifest);
        Put(archive, BackupFile.ManifestEntry, json, now);
        Put(archive, BackupFile.ManifestHashEntry, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(json))), now);
        return manifest;
    }

    private static async Task<BackupTable> Write(
        ZipArchive archive, TableShape table, IAsyncEnumerable<object?[]> rows, DateTimeOffset now, CancellationToken cancel)
    {
        var entry = archive.CreateEntry(BackupTable.EntryOf(table.Name), CompressionLevel.Fastest);
        entry.LastWriteTime = now;
        await using var stream = entry.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new ArrayBufferWriter<byte>(ChunkBytes * 2);
        var (count, bytes) = (0L, 0L);
        async Task Flush()
        {
            hash.AppendData(buffer.WrittenSpan);
            await stream.WriteAsync(buffer.WrittenMemory, cancel);
            bytes += buffer.WrittenCount;
            buffer.ResetWrittenCount();
        }

        await foreach (var row in rows)
        {
            BackupRows.Write(buffer, row);
            count++;
            if (buffer.WrittenCount >= ChunkBytes)
            {
                await Flush();
            }
        }

        await Flush();
        return new BackupTable
        {
            Name = table.Name,
            Columns = table.Columns,
            Rows = count,
            Bytes = bytes,
            Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()),
        };
    }

    private static void Put(ZipArchive archive, string name, byte[] content, DateTimeOffset now)
    {
        var entry = archive.CreateEntry(name, CompressionLevel.Fastest);
        entry.LastWriteTime = now;
        using var stream = entry.Open();
        stream.Write(content);
    }
}
