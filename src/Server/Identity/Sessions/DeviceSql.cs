using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Sessions;

/// <summary>Every statement on the devices of people.</summary>
internal static class DeviceSql
{
    /// <summary>By the primary key; 0 when it is a new one.</summary>
    public static Task<int> Seen(WriteScope scope, long personNo, byte[] deviceHash) => scope.Execute(
        "UPDATE person_devices SET seen_at_ms = @NowMs WHERE person_no = @personNo AND device_hash = @deviceHash",
        new { personNo, deviceHash, scope.NowMs });

    public static Task Insert(WriteScope scope, long personNo, byte[] deviceHash) => scope.Execute(
        "INSERT INTO person_devices (person_no, device_hash, seen_at_ms) VALUES (@personNo, @deviceHash, @NowMs)",
        new { personNo, deviceHash, scope.NowMs });

    /// <summary>By the primary key.</summary>
    public static Task<long> Count(WriteScope scope, long personNo) =>
        scope.Find<long>("SELECT COUNT(*) FROM person_devices WHERE person_no = @personNo", new { personNo });

    /// <summary>All but those seen last. By the primary key; a person has few.</summary>
    public static Task Trim(WriteScope scope, long personNo, int most) => scope.Execute(
        """
        DELETE FROM person_devices WHERE person_no = @personNo AND device_hash NOT IN (
            SELECT device_hash FROM person_devices WHERE person_no = @personNo ORDER BY seen_at_ms DESC, device_hash LIMIT @most)
        """,
        new { personNo, most });
}
