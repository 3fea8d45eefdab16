using System.Collections.Concurrent;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Keys;

/// <summary>
/// Carries keys from the database into the Engine's table. A key is read on first use; a change drops it, so that the next check reads it
/// anew: the table never has to be told what changed, only that something did. However many checks wait for one secret, one read serves
/// them.
/// </summary>
internal sealed class KeyFeed(Database database, Pepper pepper, ProviderModel provider, KeyTable table, ProjectFeed projects)
{
    /// <summary>Loads under way, at most one a secret. Bounded by the number of requests being served.</summary>
    private readonly ConcurrentDictionary<KeyHash, Task> _loads = new();

    public LoadMeter Meter { get; } = new();

    /// <summary>Runs between a load's reading and its taking in, for tests that need it to be late. Null in service.</summary>
    internal Func<Task>? AfterRead { get; set; }

    /// <summary>After a commit: the key's next check reads the database.</summary>
    public void Drop(long keyNo) => table.Drop(checked((uint)keyNo));

    /// <summary>After a commit: the secret is known now, whatever was remembered of it.</summary>
    public void Forget(in KeyHash hash) => table.Forget(hash);

    /// <summary>Brings the secret's key, or the knowledge that there is none, into the table.</summary>
    public Task Load(KeyHash hash)
    {
        // The place is taken before the work begins: a load that ended before it was entered would stay there, done, for good.
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var load = _loads.GetOrAdd(hash, ended.Task);
        return ReferenceEquals(load, ended.Task) ? Run(hash, ended) : load;
    }

    private async Task Run(KeyHash hash, TaskCompletionSource ended)
    {
        try
        {
            await LoadOnce(hash);
        }
        finally
        {
            // Who waited for a load that failed checks again and begins one of its own.
            _loads.TryRemove(hash, out _);
            ended.SetResult();
        }
    }

    /// <summary>Reads until what was read is still true when it goes in: a change in between makes the table refuse it.</summary>
    private async Task LoadOnce(KeyHash hash)
    {
        using var load = Meter.Begin();
        var peppered = pepper.HashSecret(hash.ToBytes());
        while (true)
        {
            var epoch = table.BeginLoad();
            var row = await database.Read(c => KeySql.FindByHash(c, peppered), CancellationToken.None);
            await (AfterRead?.Invoke() ?? Task.CompletedTask);
            if (row is null ? table.EndLoadUnknown(epoch, hash) : Enter(epoch, hash, row))
            {
                load.Ended(isFound: row is not null);
                return;
            }
        }
    }

    private bool Enter(long epoch, in KeyHash hash, KeyRow row)
    {
        var key = row.ToRecord([]);
        var entry = new KeyEntry
        {
            KeyNo = checked((uint)key.KeyNo),
            Version = key.Version,
            Hash = hash,
            EndsAtMs = row.EndsAtMs ?? long.MaxValue,
            Profile = new KeyProfile
            {
                Grants = provider.GrantsOf(key.Permissions, key.Scopes),
                Rights = RightNames.Parse(key.Rights),
                Environment = checked((byte)provider.Keys.EnvironmentIndex(key.Environment)),
                Facts = KeyFacts.OfProfile(key),
            },
            State = StateOf(key),
            ExpiresAtMs = key.ExpiresAtMs ?? long.MaxValue,
            ProjectIndex = projects.Enter(row.Owner),
            Addresses = key.AllowedAddresses.Count == 0 ? null : RuleOf(key),
            Facts = KeyFacts.Of(key),
        };
        return table.EndLoad(epoch, entry);
    }

    private static AddressRule RuleOf(Key key) => AddressRule.TryParse(key.AllowedAddresses, out var rule, out _)
        ? rule
        : throw new InvalidDataException($"The allowed addresses of key {key.Id} are damaged.");

    private static KeyState StateOf(Key key) =>
        key.Holds
        | (key.RevokedAtMs is null ? KeyState.Active : KeyState.Revoked)
        | (key.DeletedAtMs is null ? KeyState.Active : KeyState.Deleted);
}
