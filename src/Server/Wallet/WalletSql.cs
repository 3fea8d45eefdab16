using System.Data.Common;
using System.Globalization;
using Dapper;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>Every statement on wallets and their entries.</summary>
internal static class WalletSql
{
    private const string Columns =
        "organization_no AS OrganizationNo, entry_no AS EntryNo, kind AS Kind, amount_micros AS Amount, "
        + "balance_after_micros AS BalanceAfter, uncovered_micros AS Uncovered, requests AS Requests, external_id AS ExternalId, "
        + "note AS Note, created_at_ms AS CreatedAtMs, actor AS Actor";

    // Debits as rows: a JSON array of [organization, amount, requests].
    private const string SqliteDebits =
        """
        WITH debits AS (
            SELECT json_extract(value, '$[0]') AS organization_no, json_extract(value, '$[1]') AS amount,
                   json_extract(value, '$[2]') AS requests
            FROM json_each(@Debits)
        )
        """;

    private const string PostgresDebits =
        """
        WITH debits AS (
            SELECT CAST(value ->> 0 AS BIGINT) AS organization_no, CAST(value ->> 1 AS BIGINT) AS amount,
                   CAST(value ->> 2 AS BIGINT) AS requests
            FROM json_array_elements(CAST(@Debits AS json))
        )
        """;

    /// <summary>A wallet for an organization that has none. By the primary key.</summary>
    public static Task Open(WriteScope scope, long organizationNo) => scope.Execute(
        "INSERT INTO wallets (organization_no, balance_micros, entries) VALUES (@organizationNo, 0, 0) ON CONFLICT DO NOTHING",
        new { organizationNo });

    /// <summary>
    /// Moves the balance, once for each external id, and neither below nothing nor above what can be written down; null when it was not
    /// moved. By the primary key and the unique index on external ids.
    /// </summary>
    /// <param name="scope">The write.</param>
    /// <param name="organizationNo">Whose it is.</param>
    /// <param name="amount">Signed.</param>
    /// <param name="granted">What moves of the part that was granted, signed; no more leaves it than is there.</param>
    /// <param name="externalId">Null for what counts once by itself.</param>
    public static Task<WalletRow?> Move(WriteScope scope, long organizationNo, Money amount, Money granted, string? externalId) =>
        scope.Find<WalletRow>(
            """
            UPDATE wallets SET balance_micros = balance_micros + @Amount, entries = entries + 1,
                   granted_micros = CASE WHEN granted_micros + @Granted > 0 THEN granted_micros + @Granted ELSE 0 END
            WHERE organization_no = @organizationNo AND balance_micros + @Amount BETWEEN 0 AND @Max
              AND NOT EXISTS (SELECT 1 FROM wallet_entries WHERE organization_no = @organizationNo AND external_id = @externalId)
            RETURNING organization_no AS OrganizationNo, balance_micros AS Balance, entries AS Entries, granted_micros AS Granted
            """,
            new { organizationNo, Amount = amount.Micros, Granted = granted.Micros, Max = Money.MicrosMax, externalId });

    public static Task Insert(WriteScope scope, WalletEntry entry) => scope.Execute(
        """
        INSERT INTO wallet_entries (organization_no, entry_no, kind, amount_micros, balance_after_micros, uncovered_micros, requests,
                                    external_id, note, created_at_ms, actor)
        VALUES (@OrganizationNo, @EntryNo, @Kind, @Amount, @BalanceAfter, 0, NULL, @ExternalId, @Note, @CreatedAtMs, @Actor)
        """,
        new
        {
            entry.OrganizationNo,
            entry.EntryNo,
            entry.Kind,
            Amount = entry.Amount.Micros,
            BalanceAfter = entry.BalanceAfter.Micros,
            entry.ExternalId,
            entry.Note,
            entry.CreatedAtMs,
            entry.Actor,
        });

    /// <summary>
    /// An entry of usage for each debit, of as much as is there; what is not stands beside it. Each organization once. The balances follow
    /// by <see cref="MoveBooked"/>. By the primary keys.
    /// </summary>
    public static async Task<IReadOnlyList<WalletEntry>> Book(WriteScope scope, IReadOnlyList<UsageDebit> debits)
    {
        var parameters = new { Debits = Json(debits), Kind = EntryKinds.Usage, scope.NowMs, Actor = scope.Context.Caller.Id };
        await scope.Execute(
            (scope.Kind == DatabaseKind.Sqlite ? SqliteDebits : PostgresDebits) +
            """

            INSERT INTO wallets (organization_no, balance_micros, entries)
            SELECT organization_no, 0, 0 FROM debits WHERE 1 = 1 ON CONFLICT DO NOTHING
            """,
            parameters);
        return (await scope.Query<EntryRow>(
            (scope.Kind == DatabaseKind.Sqlite ? SqliteDebits : PostgresDebits) +
            $"""

            INSERT INTO wallet_entries (organization_no, entry_no, kind, amount_micros, balance_after_micros, uncovered_micros, requests,
                                        created_at_ms, actor)
            SELECT w.organization_no, w.entries + 1, @Kind,
                   -(CASE WHEN d.amount < w.balance_micros THEN d.amount ELSE w.balance_micros END),
                   CASE WHEN d.amount < w.balance_micros THEN w.balance_micros - d.amount ELSE 0 END,
                   CASE WHEN d.amount > w.balance_micros THEN d.amount - w.balance_micros ELSE 0 END,
                   d.requests, @NowMs, @Actor
            FROM debits d JOIN wallets w ON w.organization_no = d.organization_no
            RETURNING {Columns}
            """,
            parameters)).Select(row => row.ToRecord()).ToList();
    }

    /// <summary>
    /// The balances after the entries that <see cref="Book"/> made; what was granted is spent first. By the primary keys.
    /// </summary>
    public static Task MoveBooked(WriteScope scope, IReadOnlyList<UsageDebit> debits) => scope.Execute(
        (scope.Kind == DatabaseKind.Sqlite ? SqliteDebits : PostgresDebits) +
        """

        UPDATE wallets SET entries = entries + 1, balance_micros = balance_micros + (
            SELECT e.amount_micros FROM wallet_entries e
            WHERE e.organization_no = wallets.organization_no AND e.entry_no = wallets.entries + 1),
            granted_micros = CASE WHEN granted_micros = 0 THEN 0 ELSE (
                SELECT CASE WHEN wallets.granted_micros + e.amount_micros > 0 THEN wallets.granted_micros + e.amount_micros ELSE 0 END
                FROM wallet_entries e
                WHERE e.organization_no = wallets.organization_no AND e.entry_no = wallets.entries + 1) END
        WHERE organization_no IN (SELECT organization_no FROM debits)
        """,
        new { Debits = Json(debits) });

    /// <summary>By the unique index on external ids.</summary>
    public static async Task<WalletEntry?> Find(WriteScope scope, long organizationNo, string externalId) =>
        (await scope.Find<EntryRow>(
            $"SELECT {Columns} FROM wallet_entries WHERE organization_no = @organizationNo AND external_id = @externalId",
            new { organizationNo, externalId }))?.ToRecord();

    /// <summary>Whether just this entry is there. By the primary key.</summary>
    public static async Task<bool> Has(WriteScope scope, WalletEntry entry) => await scope.Find<long>(
        """
        SELECT count(*) FROM wallet_entries
        WHERE organization_no = @OrganizationNo AND entry_no = @EntryNo AND kind = @Kind AND amount_micros = @Amount
          AND created_at_ms = @CreatedAtMs AND coalesce(external_id, '') = @ExternalId
        """,
        new
        {
            entry.OrganizationNo,
            entry.EntryNo,
            entry.Kind,
            Amount = entry.Amount.Micros,
            entry.CreatedAtMs,
            ExternalId = entry.ExternalId ?? "",
        }) == 1;

    /// <summary>
    /// Newest first, below a number. By the primary key, or without usage by wallet_entries_but_usage. A parameter that is null selects
    /// everything, and is cast, because PostgreSQL cannot tell the type of a bare null. The kind is written out as the index has it.
    /// </summary>
    public static async Task<List<WalletEntry>> List(
        DbConnection connection, long organizationNo, EntryFilter filter, long before, int limit) =>
        (await connection.QueryAsync<EntryRow>(
            $"""
            SELECT {Columns} FROM wallet_entries
            WHERE organization_no = @organizationNo AND entry_no < @before
              AND (CAST(@Kind AS TEXT) IS NULL OR kind = @Kind)
              {(filter.IsWithoutUsage || (filter.Kind ?? EntryKinds.Usage) != EntryKinds.Usage ? "AND kind <> 'usage'" : "")}
              AND (CAST(@FromMs AS BIGINT) IS NULL OR created_at_ms >= @FromMs)
              AND (CAST(@ToMs AS BIGINT) IS NULL OR created_at_ms < @ToMs)
            ORDER BY entry_no DESC LIMIT @limit
            """,
            new { organizationNo, before, limit, filter.Kind, filter.FromMs, filter.ToMs }))
        .Select(row => row.ToRecord()).ToList();

    /// <summary>Every wallet.</summary>
    public static async Task<List<WalletRow>> All(DbConnection connection, DbTransaction? transaction) =>
        (await connection.QueryAsync<WalletRow>(
            "SELECT organization_no AS OrganizationNo, balance_micros AS Balance, entries AS Entries FROM wallets",
            null, transaction)).AsList();

    /// <summary>Nothing where there is no wallet. By the primary key.</summary>
    public static async Task<Money> BalanceOf(WriteScope scope, long organizationNo) => new(await scope.Find<long>(
        "SELECT balance_micros FROM wallets WHERE organization_no = @organizationNo", new { organizationNo }));

    /// <summary>What there is and how much of it was granted; null where there is no wallet. By the primary key.</summary>
    public static Task<WalletRow?> FindWallet(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        connection.QuerySingleOrDefaultAsync<WalletRow>(
            """
            SELECT organization_no AS OrganizationNo, balance_micros AS Balance, entries AS Entries, granted_micros AS Granted
            FROM wallets WHERE organization_no = @organizationNo
            """,
            new { organizationNo }, transaction);

    private static string Json(IReadOnlyList<UsageDebit> debits) => $"[{string.Join(',', debits.Select(debit =>
        string.Create(CultureInfo.InvariantCulture, $"[{debit.OrganizationNo},{debit.Amount.Micros},{debit.Requests}]")))}]";

    private sealed class EntryRow
    {
        public long OrganizationNo { get; init; }

        public long EntryNo { get; init; }

        public string Kind { get; init; } = "";

        public long Amount { get; init; }

        public long BalanceAfter { get; init; }

        public long Uncovered { get; init; }

        public long? Requests { get; init; }

        public string? ExternalId { get; init; }

        public string? Note { get; init; }

        public long CreatedAtMs { get; init; }

        public string Actor { get; init; } = "";

        public WalletEntry ToRecord() => new()
        {
            OrganizationNo = OrganizationNo,
            EntryNo = EntryNo,
            Kind = Kind,
            Amount = new Money(Amount),
            BalanceAfter = new Money(BalanceAfter),
            Uncovered = new Money(Uncovered),
            Requests = Requests,
            ExternalId = ExternalId,
            Note = Note,
            CreatedAtMs = CreatedAtMs,
            Actor = Actor,
        };
    }
}

/// <summary>A wallet as the database has it, in micros.</summary>
internal sealed class WalletRow
{
    public long OrganizationNo { get; init; }

    public long Balance { get; init; }

    public long Entries { get; init; }

    /// <summary>How much of the balance was granted; only where it was asked for.</summary>
    public long Granted { get; init; }
}
