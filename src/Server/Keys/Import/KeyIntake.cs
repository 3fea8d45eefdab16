using System.Security.Cryptography;
using Tollgate.Engine.Keys;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wallet;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Keys.Import;

/// <summary>
/// The door through which other systems' keys move in, many at a time. Each row is judged by itself; what is good is stored together, in
/// the one transaction of the call, and a row that came in before changes nothing.
/// </summary>
internal sealed class KeyIntake(
    ProviderModel provider, SecretMint mint, KeyFeed feed, WalletLedger wallets, Pepper pepper, WebhookOutbox outbox,
    ModelNumbers models, ArchiveHolds archives)
{
    private readonly RowReader _rows = new(provider, mint, pepper);

    /// <param name="scope">The write; its caller is the operator.</param>
    /// <param name="lines">At most <see cref="ImportLines.RowsMax"/>.</param>
    /// <param name="projectId">Where rows that name no project go.</param>
    /// <param name="isTrial">Everything is judged, nothing stored.</param>
    public async Task<IReadOnlyList<ImportResult>> TakeIn(
        WriteScope scope, IReadOnlyList<ImportLine> lines, string? projectId, bool isTrial)
    {
        var call = new Call(scope, projectId, isTrial);
        var results = new List<ImportResult>(lines.Count);
        foreach (var line in lines)
        {
            results.Add((await Judge(call, line)).TryGet(out var result, out var problem) ? result : Refused(line, problem));
        }

        if (isTrial)
        {
            return results.ConvertAll(result => result.Status == ImportStatus.Created ? result with { Id = null } : result);
        }

        if (call.Arrivals.Count > 0)
        {
            await Store(scope, call.Arrivals);
        }

        return results;
    }

    private async Task<Outcome<ImportResult>> Judge(Call call, ImportLine line)
    {
        if (line.Row is not { } row)
        {
            return line.Problem!;
        }

        if (!(await call.Project(row.ProjectId)).TryGet(out var project, out var problem)
            || !_rows.Mark(row, project, call.Scope.NowMs).TryGet(out var mark, out problem))
        {
            return problem;
        }

        if (call.LineOf(mark.ExternalHash) is { } earlier)
        {
            return new Problem(ProblemCode.ExternalIdTaken, $"Line {earlier} of this call has the same external id.");
        }

        if (await ImportSql.Find(call.Scope, mark.ExternalHash) is { } known)
        {
            if (!CryptographicOperations.FixedTimeEquals(known.ContentHash, mark.ContentHash))
            {
                return new Problem(
                    ProblemCode.ExternalIdTaken, $"This external id stands for {known.Id}, which came in with other content.");
            }

            call.Enter(mark.ExternalHash, line.Number);
            return ResultOf(line, ImportStatus.Unchanged, known.Id);
        }

        return await Arrive(call, line, project, mark);
    }

    private async Task<Outcome<ImportResult>> Arrive(Call call, ImportLine line, Project project, RowMark mark)
    {
        if (!_rows.Terms(line.Row!, mark.Secret, call.Scope.NowMs).TryGet(out var terms, out var problem))
        {
            return problem;
        }

        if (!project.IsOpen)
        {
            return new Problem(ProblemCode.Conflict, "The organization is suspended.");
        }

        if (!call.TakeSecret(mark.Secret.Sha256) || await KeySql.IsSecretTaken(call.Scope, mark.Secret.Hash))
        {
            return Problem.Of(ProblemCode.SecretTaken);
        }

        if (!call.IsTrial && await models.Give(call.Scope, terms.Models, call.NumberedModels) is { } tooMany)
        {
            return tooMany;
        }

        // Such a key was made elsewhere, so no balance is asked for; without one it waits for it as all others do.
        var key = KeyRing.KeyOf(project, terms, call.Scope) with
        {
            Holds = (line.Row!.Disabled == true ? KeyState.HeldByPerson : KeyState.Active)
                | (await wallets.IsDrained(call.Scope, project.OrganizationNo) ? KeyState.HeldByBalance : KeyState.Active)
                | await archives.Of(call.Scope, project.OrganizationNo),
            CreatedAtMs = line.Row.CreatedAt?.ToUnixTimeMilliseconds() ?? call.Scope.NowMs,
        };
        call.Enter(mark.ExternalHash, line.Number);
        call.Arrivals.Add(new Arrival(key, mark));
        return ResultOf(line, ImportStatus.Created, key.Id.ToString());
    }

    /// <summary>The one place that writes: keys, secrets, external ids, an audit row and a change row each.</summary>
    private async Task Store(WriteScope scope, IReadOnlyList<Arrival> arrivals)
    {
        var firstNo = await scope.NextNumbers("key", arrivals.Count);
        Key[] keys = [.. arrivals.Select((arrival, i) => arrival.Numbered(firstNo + i))];
        await KeySql.Insert(scope, keys);
        Failpoint.Pass("key.row");
        await KeySql.InsertFirstSecrets(scope, arrivals.Zip(keys, (arrival, key) => (key, arrival.Mark.Secret)));
        Failpoint.Pass("secret.row");
        await ImportSql.Insert(
            scope, arrivals.Zip(keys, object (arrival, key) => new { arrival.Mark.ExternalHash, arrival.Mark.ContentHash, key.KeyNo }));
        Failpoint.Pass("import.row");
        await AuditLog.Append(scope, [.. keys.Select(key => KeyRing.EntryOf("key.import", null, key, scope.NowMs))]);
        // One event a key, as if each had been made by itself: a receiver needs no second way to learn of keys.
        foreach (var of in keys.GroupBy(key => key.OrganizationId))
        {
            await outbox.Add(scope, of.Key, WebhookEvents.KeyCreated, [
                .. of.Select(key => KeyEvents.Of(key, scope.NowMs) with { Imported = true })]);
        }

        await scope.Changes("key", [.. keys.Select(key => (key.KeyNo, key.Version))]);
        scope.AfterCommit(() =>
        {
            foreach (var arrival in arrivals)
            {
                feed.Forget(arrival.Mark.Secret.Sha256);
            }
        });
    }

    private static ImportResult Refused(ImportLine line, Problem problem) =>
        ResultOf(line, ImportStatus.Refused, null) with { Error = ImportError.Of(problem) };

    private static ImportResult ResultOf(ImportLine line, string status, string? id) => new()
    {
        Line = line.Number,
        // One that is the secret is refused, and must not be told again either.
        ExternalId = line.Row?.ExternalId is { Length: <= RowReader.ExternalIdMax } told && told != line.Row.Secret ? told : null,
        Status = status,
        Id = id,
        Error = null,
    };

    /// <summary>A good row before it has a number.</summary>
    private sealed record Arrival(Key Key, RowMark Mark)
    {
        public Key Numbered(long no) => Key with
        {
            KeyNo = no,
            Secrets = [new KeySecret { Version = 1, Mask = Mark.Secret.Mask, CreatedAtMs = Key.CreatedAtMs }],
        };
    }

    /// <summary>What one call has seen so far.</summary>
    private sealed class Call(WriteScope scope, string? projectId, bool isTrial)
    {
        private readonly Dictionary<string, Outcome<Project>> _projects = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _lineOf = new(StringComparer.Ordinal);
        private readonly HashSet<KeyHash> _secrets = [];

        public WriteScope Scope => scope;

        public bool IsTrial => isTrial;

        /// <summary>Models that were given a number, which memory does not know before the commit.</summary>
        public HashSet<string> NumberedModels { get; } = new(StringComparer.Ordinal);

        public List<Arrival> Arrivals { get; } = [];

        public async Task<Outcome<Project>> Project(string? named)
        {
            if ((named ?? projectId) is not { } id)
            {
                return Problem.Invalid("/project_id", "is needed in each row, or as ?project= for all of them.");
            }

            if (!_projects.TryGetValue(id, out var project))
            {
                project = await OrganizationRegister.FindProject(scope, id);
                _projects.Add(id, project);
            }

            return project;
        }

        public int? LineOf(byte[] externalHash) => _lineOf.TryGetValue(Convert.ToHexString(externalHash), out var line) ? line : null;

        public void Enter(byte[] externalHash, int line) => _lineOf.Add(Convert.ToHexString(externalHash), line);

        public bool TakeSecret(in KeyHash secret) => _secrets.Add(secret);
    }
}
