using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Identity.Password;

/// <summary>
/// Where passwords are hashed: a hash takes a tenth of a second of a processor on purpose, so only as many run at a time as leave half of
/// the machine to everything else, and never inside a write. Where there is no person, or none with a password, one runs all the same.
/// </summary>
internal sealed class HashQueue(PeopleOptions options) : IDisposable
{
    /// <summary>Who comes when so many wait is told to come again.</summary>
    public const int WaitingMax = 256;

    /// <summary>Of those, from one network: one cannot take all the places from everybody.</summary>
    public const int WaitingPerNetwork = 4;

    /// <summary>And from all networks of one site.</summary>
    public const int WaitingPerSite = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A tenth of a busy processor, all of an idle one.</summary>
    private const int Niceness = 10;

    private readonly SemaphoreSlim _places = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly string _nobodys = Nobodys(options.HashRounds);
    private readonly Lock _turn = new();

    /// <summary>How many wait, by where they come from; guarded by the lock, as is their sum.</summary>
    private readonly Dictionary<Origin, int> _waitingFrom = [];

    private int _waiting;
    private long _done;

    /// <summary>Hashes that were made, for whomever.</summary>
    public long Done => Volatile.Read(ref _done);

    public Task<Outcome<string>> Hash(IPasswordHasher<Person> hasher, Person person, string password, ClientNetwork network) =>
        Run(network, () => Task.FromResult(hasher.HashPassword(person, password)));

    /// <summary>Whether it is this person's. It takes as long when there is no person, or one without a password.</summary>
    public Task<Outcome<bool>> Check(UserManager<Person> users, Person? person, string password, ClientNetwork network) =>
        Run(network, async () =>
        {
            if (person?.PasswordHash is null)
            {
                _ = users.PasswordHasher.VerifyHashedPassword(new Person(), _nobodys, password);
                return false;
            }

            return await users.CheckPasswordAsync(person, password);
        });

    /// <summary>Whether it is the one that a hash was made of, which is no person's yet.</summary>
    public Task<Outcome<bool>> Check(IPasswordHasher<Person> hasher, string hash, string password, ClientNetwork network) =>
        Run(network, () => Task.FromResult(
            hasher.VerifyHashedPassword(new Person(), hash, password) != PasswordVerificationResult.Failed));

    public void Dispose() => _places.Dispose();

    private static Problem Busy => new(ProblemCode.Unavailable, "Too many people are signing in; try again in a moment.");

    private async Task<Outcome<T>> Run<T>(ClientNetwork network, Func<Task<T>> hash)
    {
        if (!TryWait(network))
        {
            return Busy;
        }

        try
        {
            if (!await _places.WaitAsync(Patience))
            {
                return Busy;
            }
        }
        finally
        {
            WaitNoMore(network);
        }

        try
        {
            Interlocked.Increment(ref _done);
            var made = await Aside(hash);
            // What follows is no hash, and does not stay on a thread that has stepped back.
            await Task.Yield();
            return Outcome<T>.Of(made);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>
    /// On a thread of its own, off those that serve sockets, to which the system gives way: checks of keys are not to wait for somebody who
    /// signs in. The thread ends with it, since what has stepped back may not step forward again.
    /// </summary>
    private static Task<T> Aside<T>(Func<Task<T>> hash) => Task.Factory.StartNew(
        () =>
        {
            if (OperatingSystem.IsLinux())
            {
                _ = StepBack(Niceness);
            }

            return hash();
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    private bool TryWait(ClientNetwork network)
    {
        var (near, wide) = (Origin.Near(network), Origin.Wide(network));
        lock (_turn)
        {
            if (_waiting >= WaitingMax || _waitingFrom.GetValueOrDefault(near) >= WaitingPerNetwork
                || _waitingFrom.GetValueOrDefault(wide) >= WaitingPerSite)
            {
                return false;
            }

            _waiting++;
            _waitingFrom[near] = _waitingFrom.GetValueOrDefault(near) + 1;
            _waitingFrom[wide] = _waitingFrom.GetValueOrDefault(wide) + 1;
            return true;
        }
    }

    private void WaitNoMore(ClientNetwork network)
    {
        lock (_turn)
        {
            _waiting--;
            foreach (var origin in new[] { Origin.Near(network), Origin.Wide(network) })
            {
                if (--_waitingFrom[origin] == 0)
                {
                    _waitingFrom.Remove(origin);
                }
            }
        }
    }

    /// <summary>In the framework's form 3 (PBKDF2 with SHA-512), of a password that nobody has.</summary>
    private static string Nobodys(int rounds)
    {
        var form = new byte[13 + 16 + 32];
        RandomNumberGenerator.Fill(form);
        form[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(form.AsSpan(1), 2);
        BinaryPrimitives.WriteInt32BigEndian(form.AsSpan(5), rounds);
        BinaryPrimitives.WriteInt32BigEndian(form.AsSpan(9), 16);
        return Convert.ToBase64String(form);
    }

    /// <summary>Of the thread that calls it, by so much.</summary>
    [DllImport("libc", EntryPoint = "nice")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StepBack(int niceness);
}
