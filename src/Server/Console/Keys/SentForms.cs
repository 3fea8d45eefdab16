using System.Security.Cryptography;
using Tollgate.Server.Console.SignIn;

namespace Tollgate.Server.Console.Keys;

/// <summary>
/// Knows which forms for a new key were sent: a page that is loaded again, or a second press, makes no second key. In this process alone,
/// for as long as somebody may sit before a page.
/// </summary>
internal sealed class SentForms(TimeProvider time)
{
    /// <summary>Of the hidden field.</summary>
    public const string Field = "once";

    public const int KnownMax = 10_000;

    private static readonly TimeSpan Life = TimeSpan.FromHours(12);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _sent = [];

    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>False for a form that was sent before. One that has no name of ours is taken as it is.</summary>
    public bool TryTake(HttpContext http)
    {
        var name = SignInEndpoints.Field(http, Field);
        if (name.Length != 32)
        {
            return true;
        }

        lock (_gate)
        {
            if (_sent.Count >= KnownMax)
            {
                var oldest = time.GetUtcNow() - Life;
                foreach (var old in _sent.Where(one => one.Value < oldest).Select(one => one.Key).ToList())
                {
                    _sent.Remove(old);
                }
            }

            return _sent.Count < KnownMax ? _sent.TryAdd(name, time.GetUtcNow()) : !_sent.ContainsKey(name);
        }
    }

    /// <summary>Nothing came of it: it may be sent again.</summary>
    public void GiveBack(HttpContext http)
    {
        lock (_gate)
        {
            _sent.Remove(SignInEndpoints.Field(http, Field));
        }
    }
}
