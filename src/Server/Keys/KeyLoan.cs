using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Engine.Keys;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys;

/// <summary>
/// A key that is used without its secret, for one request, by who may manage it. The loan has a secret of its own: it is drawn for it,
/// is in no database, leaves the process on no way, and is worth nothing any more when the loan ends. So the request is checked like any
/// other.
/// </summary>
internal sealed class KeyLoan(LentKeys lent, Key key, string secret) : IDisposable
{
    public Key Key { get; } = key;

    public string Secret { get; } = secret;

    internal KeyHash Hash { get; } = KeyHash.Of(Encoding.ASCII.GetBytes(secret));

    public void Dispose() => lent.End(this);

    public override string ToString() => $"{Key.Id} (secret redacted)";
}

/// <summary>The loans that have not ended.</summary>
internal sealed class LentKeys(KeyTable table)
{
    /// <summary>At a time; the next one is answered that the gate is busy.</summary>
    public const int LoansMax = 256;

    /// <summary>Of one organization, so that none takes the room of the others.</summary>
    public const int PerOrganizationMax = 16;

    private readonly ConcurrentDictionary<KeyHash, Key> _open = new();

    public bool HasRoomFor(Key key) =>
        _open.Count < LoansMax && _open.Values.Count(lent => lent.OrganizationId == key.OrganizationId) < PerOrganizationMax;

    public void Begin(KeyLoan loan) => _open[loan.Hash] = loan.Key;

    public bool TryFind(in KeyHash hash, out long keyNo)
    {
        bool isLent = _open.TryGetValue(hash, out var key);
        keyNo = key?.KeyNo ?? 0;
        return isLent;
    }

    /// <summary>
    /// What memory has of the key goes with it: what knew the loan's secret must not stay, and the rest comes back as it is used.
    /// </summary>
    public void End(KeyLoan loan)
    {
        if (_open.TryRemove(loan.Hash, out var key))
        {
            table.Drop(checked((uint)key.KeyNo));
        }
    }
}

/// <summary>The door's part for trying a key.</summary>
internal sealed partial class KeyRing
{
    /// <summary>
    /// Lends a key for one request to a model, whatever state it is in: that is the check's to refuse. Each time is audited. The loan
    /// counts from the commit on, and is to be disposed of.
    /// </summary>
    public async Task<Outcome<KeyLoan>> Lend(WriteScope scope, string id, string model)
    {
        if (!(await Mine(scope, id, KeyOperations.None)).TryGet(out var key, out var problem))
        {
            return problem;
        }

        if (!feed.Lent.HasRoomFor(key))
        {
            return Problem.Of(ProblemCode.Unavailable);
        }

        await AuditLog.Append(scope, new AuditEntry
        {
            Action = "key.try",
            TargetType = "key",
            TargetId = key.Id.ToString(),
            OrganizationId = key.OrganizationId,
            ProjectId = key.ProjectId,
            Environment = key.Environment,
            After = new JsonObject { ["model"] = model }.ToJsonString(new() { Encoder = Json.Encoder }),
        });
        var loan = new KeyLoan(feed.Lent, key, provider.Keys.Format.Mint(provider.Keys.EnvironmentIndex(key.Environment)));
        scope.AfterCommit(() => feed.Lent.Begin(loan));
        return loan;
    }
}
