using System.Text.Json.Serialization;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>
/// What a backup says of itself: of what data it is, at which moment, which pepper it needs, and the checksum of each table in it. It is
/// the entry <c>manifest.json</c> of the file, beside one <c>tables/NAME.ndjson</c> per table.
/// </summary>
internal sealed record BackupManifest
{
    public const string FormatName = "tollgate-backup";
    public const int VersionNow = 1;

    public required string Format { get; init; }

    public required int FormatVersion { get; init; }

    /// <summary>The version of Tollgate that wrote it.</summary>
    public required string MadeBy { get; init; }

    public required long MadeAtMs { get; init; }

    /// <summary>Where it comes from: sqlite or postgresql. It can be restored to either.</summary>
    public required string Database { get; init; }

    public required string Provider { get; init; }

    /// <summary>What only the right pepper gives. The pepper itself is never in a backup.</summary>
    public required string PepperCheck { get; init; }

    public required IReadOnlyList<AppliedMigration> Migrations { get; init; }

    public required long AuditSeq { get; init; }

    public required string AuditHash { get; init; }

    public required long ChangeSeq { get; init; }

    public required IReadOnlyList<BackupTable> Tables { get; init; }
}

/// <summary>One table: a JSON array per row and line, columns in this order, bytes as base64. The checksum is over the lines.</summary>
internal sealed record BackupTable
{
    public required string Name { get; init; }

    public required IReadOnlyList<ColumnShape> Columns { get; init; }

    public required long Rows { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }

    public string Entry => EntryOf(Name);

    public static string EntryOf(string table) => $"tables/{table}.ndjson";
}

/// <summary>A backup that cannot be taken or used, in one sentence for the operator.</summary>
internal sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, IgnoreReadOnlyProperties = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupWire : JsonSerializerContext;
