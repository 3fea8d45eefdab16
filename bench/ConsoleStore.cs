using System.Net;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;
using Tollgate.Server.Webhooks;

namespace Tollgate.Bench;

/// <summary>
/// A team that has used a gate for long: people, keys, webhooks and the audit log by the gate's own doors; usage, money and deliveries by
/// statements that make many rows at once, with the sums that the fold would have made of them.
/// </summary>
internal sealed class ConsoleStore(LoadedGate gate)
{
    public const int Keys = 1_000;
    public const int Members = 50;
    public const int Entries = 20_000;
    public const int AuditRows = 20_000;
    public const int Deliveries = 2_000;
    public const int Webhooks = 20;

    /// <summary>The log is kept for thirty days, its sums for good.</summary>
    public const int LogDays = 29;
    public const int SumDays = 2 * LogDays;

    private const int Batch = 500;

    private readonly Database _database = gate.Database;
    private readonly IServiceProvider _services = gate.Services;
    private readonly List<Person> _people = [];
    private Organization _team = null!;
    private Project _project = null!;

    /// <summary>Makes it all, unless an earlier run has; who looks is an owner of the team who runs the gate too.</summary>
    public static async Task<ConsoleScene> Make(LoadedGate gate, int lines)
    {
        await gate.Services.GetRequiredService<FirstStart>().Prepare(SeededKeys.RootKey, CancellationToken.None);
        var store = new ConsoleStore(gate);
        if (await store.Ask<long?>("SELECT max(entry_no) FROM wallet_entries") is null or < Entries)
        {
            await store.MakePeople();
            await store.MakeKeys();
            await store.MakeWebhooks();
            await store.MakeAudit();
            await store.MakeUsage(lines);
            await store.MakeMoney();
            if (gate.Database.Kind == DatabaseKind.PostgreSql)
            {
                // As it does by itself within minutes; SQLite never does.
                await store.Run("ANALYZE;");
            }
        }

        return await store.Scene();
    }

    private async Task<ConsoleScene> Scene()
    {
        string secret = await Write(async scope =>
        {
            Person owner = (await scope.Find<Person>("SELECT * FROM people WHERE name = 'Owner'"))!;
            var visit = new Visit
            {
                Network = ClientNetwork.Of(IPAddress.Loopback), KnownAs = _ => null, Context = MutationContext.System,
            };
            return await _services.GetRequiredService<SessionBook>().Begin(scope, owner, "bench", visit, null);
        });
        return new ConsoleScene(
            secret,
            (await Ask<string>("SELECT id FROM projects WHERE name = 'Assistant'"))!,
            (await Ask<string>("SELECT id FROM organizations WHERE name = 'The team'"))!,
            (await Ask<string>("SELECT id FROM keys WHERE name = 'Key 500'"))!,
            (await Ask<string>("SELECT id FROM webhooks ORDER BY webhook_no LIMIT 1"))!,
            (await Ask<string>("SELECT id FROM people WHERE name = 'Member 7'"))!);
    }

    private async Task MakePeople()
    {
        var register = _services.GetRequiredService<OrganizationRegister>();
        string operators = (await Ask<string>("SELECT id FROM organizations WHERE is_operator = 1"))!;
        await Write(async scope =>
        {
            _team = (await register.Create(scope, "The team")).Value;
            _project = (await register.CreateProject(scope, _team.Id.Text, "Assistant")).Value;
            _ = (await register.CreateProject(scope, _team.Id.Text, "Search")).Value;
            await TeamSql.Insert(scope, _team.OrganizationNo);
            for (int i = 0; i <= Members; i++)
            {
                string own = i == 0 ? operators : (await register.Create(scope, $"Personal {i}")).Value.Id.Text;
                var person = new Person
                {
                    PersonNo = await scope.NextNumber("person"), Name = i == 0 ? "Owner" : $"Member {i}", Email = $"m{i}@example.test",
                    EmailKey = $"m{i}@example.test", VerifiedAtMs = scope.NowMs, Stamp = $"stamp {i}", IsOperator = i == 0 ? 1 : 0,
                    OrganizationId = own, CreatedAtMs = scope.NowMs,
                };
                await PersonSql.Insert(scope, person);
                _people.Add(person);
                _ = (await _services.GetRequiredService<TeamRoster>().Join(
                    scope, _team, person, i == 0 ? TeamRole.Owner : TeamRole.Member)).Value;
            }

            return true;
        });
    }

    /// <summary>Made by all of its people in turns.</summary>
    private async Task MakeKeys()
    {
        var (ring, ledger) = (_services.GetRequiredService<KeyRing>(), _services.GetRequiredService<WalletLedger>());
        await Write(async scope =>
            (await ledger.Enter(scope, _team, new EntryTerms(EntryKinds.TopUp, new Money(1_000_000), "first", null))).Value);
        for (int first = 0; first < Keys; first += Batch)
        {
            int from = first;
            await Write(async scope =>
            {
                for (int i = from; i < from + Batch; i++)
                {
                    Key key = (await ring.Issue(scope, _project.Id.Text, new CreateKey { Name = $"Key {i + 1}" })).Value.Key;
                    await scope.Execute(
                        "UPDATE keys SET created_by = @Id WHERE key_no = @KeyNo", new { _people[i % _people.Count].Id, key.KeyNo });
                }

                return true;
            });
        }
    }

    private async Task MakeWebhooks()
    {
        var register = _services.GetRequiredService<WebhookRegister>();
        await Write(async scope =>
        {
            for (int i = 0; i < Webhooks; i++)
            {
                // Of an event that does not come while it is measured.
                _ = (await register.Create(
                    scope, _project.Id.Text, new CreateWebhook($"https://hooks.example.com/{i}", ["key.revoked"], $"Hook {i}"))).Value;
            }

            return true;
        });
        await Run(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @Deliveries)
            INSERT INTO webhook_deliveries (delivery_no, id, webhook_no, message_id, type, body, state, attempts, attempted_at_ms,
                                            response_status, duration_ms, created_at_ms, finished_at_ms)
            SELECT w.webhook_no * @Deliveries + n.i, 'dlv_' || w.webhook_no || '_' || n.i, w.webhook_no, 'msg_' || n.i, 'key.revoked',
                   @body, CASE WHEN n.i % 20 = 0 THEN 2 ELSE 1 END, 1, @nowMs - 1000 * n.i, CASE WHEN n.i % 20 = 0 THEN 500 ELSE 200 END,
                   31, @nowMs - 1000 * n.i, @nowMs - 1000 * n.i
            FROM n, webhooks w
            """,
            new { Deliveries = (long)Deliveries, body = "{\"type\":\"key.revoked\",\"data\":{}}"u8.ToArray(), nowMs = NowMs });
    }

    private async Task MakeAudit()
    {
        for (int first = 0; first < AuditRows; first += Batch)
        {
            int from = first;
            await Write(async scope =>
            {
                scope.Become(_people[from / Batch % _people.Count].Caller);
                await AuditLog.Append(scope, [.. Enumerable.Range(from, Batch).Select(i => new AuditEntry
                {
                    Action = "key.update", TargetType = "key", TargetId = $"key_{i % Keys}", OrganizationId = _team.Id.Text,
                    ProjectId = _project.Id.Text, Environment = "live", Before = "{\"name\":\"Before\"}", After = "{\"name\":\"After\"}",
                })]);
                return true;
            });
        }
    }

    /// <summary>Lines of the log spread evenly over keys, models and hours, one of forty refused besides; then their sums.</summary>
    private async Task MakeUsage(int lines)
    {
        const int Step = 500_000;
        long endMs = NowMs;
        long beganMs = endMs - (endMs % UsageRange.DayMs) - ((LogDays - 1) * UsageRange.DayMs);
        var facts = new
        {
            beganMs, spanMs = endMs - beganMs, lines = (long)lines, models = 4L, keys = (long)Keys, place = 1L,
            firstKey = await Ask<long>("SELECT min(key_no) FROM keys WHERE name = 'Key 1'"),
            code = (long)VerdictCode.RateLimited,
            firstModel = await Ask<long>("SELECT min(model_no) FROM models"),
        };
        await Write(async scope =>
        {
            long place = await scope.NextNumber("place");
            await UsageSql.InsertPlace(scope, place, _project.ProjectNo, "live");
            return place == facts.place ? true : throw new InvalidOperationException("The database was not empty.");
        });
        var parameters = new DynamicParameters(facts);
        for (int first = 0; first < lines; first += Step)
        {
            parameters.Add("first", (long)first);
            parameters.Add("last", (long)Math.Min(lines, first + Step));
            await Run(Lines, parameters);
            await Run(Refusals, parameters);
        }

        await MakeSums();
        await Run(
            """
            INSERT INTO usage_spans (hour_ms, lowest_no, highest_no)
            SELECT at_ms - (at_ms % 3600000), min(request_no), max(request_no) FROM usage_log GROUP BY 1
            """);
        await Run("INSERT INTO usage_keys (key_no, last_used_at_ms) SELECT key_no, max(at_ms) FROM usage_log GROUP BY key_no");
    }

    /// <summary>In the order of time, as they come about.</summary>
    private async Task MakeSums()
    {
        foreach ((string table, long span) in new[] { ("usage_hours", UsageRange.HourMs), ("usage_days", UsageRange.DayMs) })
        {
            await Run(
                $"""
                INSERT INTO {table} (key_no, from_ms, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                     loss_micros, priced, estimated)
                SELECT key_no, at_ms - (at_ms % @span), model_no, place_no, count(*), 0, sum(input_tokens), sum(output_tokens),
                       sum(cost_micros), 0, count(*), 0
                FROM usage_log GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3
                """,
                new { span });
            await Run(
                $"""
                INSERT INTO {table} (key_no, from_ms, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                     loss_micros, priced, estimated)
                SELECT key_no, at_ms - (at_ms % @span), model_no, place_no, 0, count(*), 0, 0, 0, 0, 0, 0
                FROM refusals WHERE true GROUP BY 1, 2, 3, 4
                ON CONFLICT (key_no, from_ms, model_no) DO UPDATE SET refused = excluded.refused
                """,
                new { span });
            // What the log no longer has, the sums have.
            await Run(
                $"""
                INSERT INTO {table} (key_no, from_ms, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                     loss_micros, priced, estimated)
                SELECT key_no, from_ms - @shift, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                       loss_micros, priced, estimated
                FROM {table}
                """,
                new { shift = LogDays * UsageRange.DayMs });
        }

        foreach ((string table, string by) in new[] { ("usage_place_days", "model_no"), ("usage_key_days", "key_no") })
        {
            await Run(
                $"""
                INSERT INTO {table} (place_no, from_ms, {by}, requests, refused, input_tokens, output_tokens, cost_micros, loss_micros,
                                     priced, estimated, cached_tokens, reasoning_tokens)
                SELECT place_no, from_ms, {by}, sum(requests), sum(refused), sum(input_tokens), sum(output_tokens), sum(cost_micros), 0,
                       sum(priced), 0, 0, 0
                FROM usage_days GROUP BY place_no, from_ms, {by}
                """);
        }
    }

    private const string Numbers =
        "WITH RECURSIVE n (i) AS (SELECT @first + 1 UNION ALL SELECT i + 1 FROM n WHERE i < @last)";

    private const string Lines =
        $"""
        {Numbers}
        INSERT INTO usage_log (request_no, key_no, place_no, at_ms, model_no, price_version, input_tokens, output_tokens,
                               cost_micros, loss_micros, status, latency_ms, flags)
        SELECT i, @firstKey + (i % @keys), @place, @beganMs + (i * @spanMs / @lines), @firstModel + (i / @keys % @models), 1,
               120, 480, 77, 0, 200, 850, 4
        FROM n
        """;

    private const string Refusals =
        $"""
        {Numbers}
        INSERT INTO refusals (request_no, key_no, place_no, at_ms, model_no, code, limit_name, limit_amount, limit_remaining, retry_at_ms)
        SELECT i + 1000000000, @firstKey + (i % @keys), @place, @beganMs + (i * @spanMs / @lines), @firstModel, @code, 'rpm', 100, 0, 0
        FROM n WHERE i % 40 = 0
        """;

    /// <summary>Of a hundred entries one puts in 100, the others spend 1 each.</summary>
    private async Task MakeMoney()
    {
        await Run("DELETE FROM wallet_entries");
        await Run(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @Entries)
            INSERT INTO wallet_entries (organization_no, entry_no, kind, amount_micros, balance_after_micros, uncovered_micros, requests,
                                        external_id, created_at_ms, actor)
            SELECT @OrganizationNo, i, CASE WHEN i % 100 = 1 THEN 'top_up' ELSE 'usage' END,
                   CASE WHEN i % 100 = 1 THEN 100000000 ELSE -1000000 END,
                   1000000 * (100 * ((i + 99) / 100) - (i - (i + 99) / 100)), 0,
                   CASE WHEN i % 100 = 1 THEN NULL ELSE 500 END, CASE WHEN i % 100 = 1 THEN 'invoice ' || i END,
                   @nowMs - 60000 * (@Entries - i), CASE WHEN i % 100 = 1 THEN 'root' ELSE 'system' END
            FROM n
            """,
            new { Entries = (long)Entries, _team.OrganizationNo, nowMs = NowMs });
        await Run(
            """
            UPDATE wallets SET entries = @Entries, balance_micros = (
                SELECT balance_after_micros FROM wallet_entries WHERE organization_no = @OrganizationNo AND entry_no = @Entries)
            WHERE organization_no = @OrganizationNo
            """,
            new { Entries = (long)Entries, _team.OrganizationNo });
    }

    private static long NowMs => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private Task<T?> Ask<T>(string sql) => _database.Read(connection => connection.ExecuteScalarAsync<T>(sql));

    private async Task<T> Write<T>(Func<WriteScope, Task<T>> work) =>
        (await _database.Write<T>(async scope => await work(scope), MutationContext.Of(Caller.Root))).Value;

    private Task<int> Run(string sql, object? parameters = null) => Write(async scope => await SqlMapper.ExecuteAsync(
        scope.Connection, sql, parameters, scope.Transaction, commandTimeout: 3_600));
}

/// <summary>Who looks, and at what.</summary>
/// <param name="Session">The secret in the cookie of who is signed in.</param>
internal sealed record ConsoleScene(string Session, string Project, string Team, string Key, string Webhook, string Member);
