using System.Collections.Concurrent;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Keys;

/// <summary>
/// Carries keys from the database into the Engine's table. A key is read on first use; a change drops it, so that the next check reads it
/// anew: the table never has to be told what changed, only that something did. However many checks wait for one secret, one read serves
/// them. What a stranger can cause is bounded three times: unknown keys by his network, the loads under way, and the connections they
/// hold at once, so that a spray leaves the other half to everybody else.
/// </summary>
internal sealed partial class KeyFeed(
    Database database, Pepper pepper, ProviderModel provider, KeyTable table, ProjectFeed projects, MissLimiter limiter,
    ModelNumbers models, TimeProvider time, ILogger<KeyFeed> log) : IDisposable
{
    /// <summary>Loads that read or wait for their turn to; the next one is answered that the gate is busy.</summary>
    public const int LoadsMax = 512;

    /// <summary>Loads under way, at most one a secret.</summary>
    private readonly ConcurrentDictionary<KeyHash, Task> _loads = new();

    /// <summary>Limits that the file has no more and keys have still, logged once each.</summary>
    private readonly ConcurrentDictionary<string, bool> _missedLimits = new(StringComparer.Ordinal);

    private readonly SemaphoreSlim _turns = new(Math.Max(1, database.ReadersMax / 2));
    private int _underWay;
    private long _reads;

    /// <summary>How often the database was asked for a secret.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>Loads that read or wait for their turn to, at this moment.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    public LoadMeter Meter { get; } = new();

    /// <summary>Keys that are used by a secret which is in no database.</summary>
    public LentKeys Lent { get; } = new(table);

    /// <summary>Runs before a key comes into memory, with its number: what the Engine must know of it first. Null for nothing.</summary>
    public Func<long, Task>? BeforeEnter { get; set; }

    /// <summary>Runs between a load's reading and its taking in, for tests that need it to be late. Null in service.</summary>
    internal Func<Task>? AfterRead { get; set; }

    public void Dispose() => _turns.Dispose();

    /// <summary>After a commit: the key's next check reads the database.</summary>
    public void Drop(long keyNo) => table.Drop(checked((uint)keyNo));

    /// <summary>After a commit: the secret is known now, whatever was remembered of it.</summary>
    public void Forget(in KeyHash hash) => table.Forget(hash);

    /// <summary>
    /// Brings the secret's key, or the knowledge that there is none, into the table. Whoever finds a load of it under way waits for that
    /// one; whoever begins it pays for it with one unknown key of <paramref name="from"/>, and has it back when the key is known.
    /// </summary>
    public Task<KeyLoad> Load(KeyHash hash, ClientNetwork from = default) =>
        _loads.TryGetValue(hash, out var load) ? Join(load)
        : !limiter.TryTake(from, time.GetElapsedTime(0).Ticks, out var seconds) ? Task.FromResult(KeyLoad.Limited(seconds))
        : Begin(hash, from);

    private static async Task<KeyLoad> Join(Task load)
    {
        await load;
        return KeyLoad.Done;
    }

    private async Task<KeyLoad> Begin(KeyHash hash, ClientNetwork from)
    {
        // The place is taken before the work begins: a load that ended before it was entered would stay there, done, for good.
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isUnknown = false;
        try
        {
            if (Interlocked.Increment(ref _underWay) > LoadsMax)
            {
                return KeyLoad.Busy;
            }

            var load = _loads.GetOrAdd(hash, ended.Task);
            if (!ReferenceEquals(load, ended.Task))
            {
                return await Join(load);
            }

            isUnknown = await Run(hash, ended);
            return KeyLoad.Done;
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
            if (!isUnknown)
            {
                limiter.GiveBack(from);
            }
        }
    }

    /// <summary>True when the database was asked and does not know the secret.</summary>
    private async Task<bool> Run(KeyHash hash, TaskCompletionSource ended)
    {
        try
        {
            // Another load may have ended between the check that found nothing and this one's place.
            return !IsLoaded(hash) && await LoadInTurn(hash);
        }
        finally
        {
            // Who waited for a load that failed checks again and begins one of its own.
            _loads.TryRemove(hash, out _);
            ended.SetResult();
        }
    }

    private bool IsLoaded(in KeyHash hash) => table.IsUnknown(hash) || (table.Find(hash, out var key) && projects.Has(key.ProjectIndex));

    private async Task<bool> LoadInTurn(KeyHash hash)
    {
        if (!await _turns.WaitAsync(database.WaitMsMax))
        {
            throw new TimeoutException("No turn to read a key came in time.");
        }

        try
        {
            return await LoadOnce(hash);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Reads until what was read is still true when it goes in: a change in between makes the table refuse it.</summary>
    private async Task<bool> LoadOnce(KeyHash hash)
    {
        using var load = Meter.Begin();
        var peppered = pepper.HashSecret(hash.ToBytes());
        while (true)
        {
            var epoch = table.BeginLoad();
            Interlocked.Increment(ref _reads);
            var row = Lent.TryFind(hash, out var keyNo)
                ? await database.Read(c => KeySql.FindForCheck(c, keyNo), CancellationToken.None)
                : await database.Read(c => KeySql.FindByHash(c, peppered), CancellationToken.None);
            await (AfterRead?.Invoke() ?? Task.CompletedTask);
            if (row is null ? table.EndLoadUnknown(epoch, hash) : await Enter(epoch, hash, row))
            {
                load.Ended(isFound: row is not null);
                return row is null;
            }
        }
    }

    private async Task<bool> Enter(long epoch, KeyHash hash, KeyRow row)
    {
        var key = row.ToRecord([]);
        if (BeforeEnter is { } before)
        {
            await before(row.KeyNo);
        }

        var numbers = await models.Of(key.Models);
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
                Limits = KeyLimits.Of(key.Limits, provider, Missed),
                Models = numbers,
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

    private void Missed(string limit)
    {
        if (_missedLimits.TryAdd(limit, true))
        {
            LogMissed(limit);
        }
    }

    private static AddressRule RuleOf(Key key) => AddressRule.TryParse(key.AllowedAddresses, out var rule, out _)
        ? rule
        : throw new InvalidDataException($"The allowed addresses of key {key.Id} are damaged.");

    private static KeyState StateOf(Key key) =>
        key.Holds
        | (key.RevokedAtMs is null ? KeyState.Active : KeyState.Revoked)
        | (key.DeletedAtMs is null ? KeyState.Active : KeyState.Deleted);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The provider file has no limit {Limit} any more; keys that have one of their own below their plan's are not held to it")]
    private partial void LogMissed(string limit);
}
