using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>Every statement on counted key operations.</summary>
internal static class KeyOperationSql
{
    /// <summary>Rows that have left the window go with each that comes, and a few more, so that there are never many.</summary>
    public const int PurgeMax = 50;

    public static Task Insert(WriteScope scope, KeyOperation operation) => scope.Execute(
        """
        INSERT INTO key_operations (operation_no, person, organization_no, at_ms) VALUES (@OperationNo, @Person, @OrganizationNo, @AtMs)
        """,
        operation);

    /// <summary>When the n-th newest of a person after a time was; null where there are fewer. By key_operations_by_person.</summary>
    public static Task<long?> NewestOfPerson(WriteScope scope, string person, long afterMs, int nth) => scope.Find<long?>(
        """
        SELECT at_ms FROM key_operations WHERE person = @person AND at_ms > @afterMs ORDER BY at_ms DESC LIMIT 1 OFFSET @skipped
        """,
        new { person, afterMs, skipped = nth - 1 });

    /// <summary>The same of an organization. By key_operations_by_organization.</summary>
    public static Task<long?> NewestOfOrganization(WriteScope scope, long organizationNo, long afterMs, int nth) => scope.Find<long?>(
        """
        SELECT at_ms FROM key_operations
        WHERE organization_no = @organizationNo AND at_ms > @afterMs ORDER BY at_ms DESC LIMIT 1 OFFSET @skipped
        """,
        new { organizationNo, afterMs, skipped = nth - 1 });

    /// <summary>Moves rows that are later than now to now. By key_operations_by_age.</summary>
    public static Task<int> BringBack(WriteScope scope) =>
        scope.Execute("UPDATE key_operations SET at_ms = @NowMs WHERE at_ms > @NowMs", new { scope.NowMs });

    /// <summary>By key_operations_by_age.</summary>
    public static Task Purge(WriteScope scope, long throughMs) => scope.Execute(
        """
        DELETE FROM key_operations
        WHERE operation_no IN (SELECT operation_no FROM key_operations WHERE at_ms <= @throughMs ORDER BY at_ms LIMIT @PurgeMax)
        """,
        new { throughMs, PurgeMax });
}

/// <summary>That somebody made a key or had a secret renewed.</summary>
internal sealed record KeyOperation(long OperationNo, string Person, long OrganizationNo, long AtMs);
