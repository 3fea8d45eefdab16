using Microsoft.AspNetCore.Http;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// How an application is guarded. What the code sets wins over the configuration section <c>Tollgate</c>, and that over <c>TOLLGATE_URL</c>
/// and <c>TOLLGATE_KEY</c>. All faults are told at once when the application starts.
/// </summary>
public sealed class TollgateOptions
{
    /// <summary>The configuration section that is read.</summary>
    public const string Section = "Tollgate";

    /// <summary>Where the gate is, such as <c>http://127.0.0.1:8700</c>. Needed.</summary>
    public Uri? Address { get; set; }

    /// <summary>The application's own key: one with the right <c>verify</c>, in the operator's organization. Needed.</summary>
    public Secret? Key { get; set; }

    /// <summary>
    /// How long a verdict is kept: zero to five minutes. With zero none is, and a revocation binds the very next request. Refusals are kept
    /// for a second at most.
    /// </summary>
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The most verdicts that are kept; the oldest goes first: 1 to 100,000. Each page of the change feed looks through all of them, and
    /// while it does no new one is taken in: a few milliseconds at the most that is permitted.
    /// </summary>
    public int CacheEntriesMax { get; set; } = 10_000;

    /// <summary>
    /// The longest that a kept verdict can outlive a revocation, whatever breaks between the gate and here: two seconds to a minute. As a
    /// rule the change feed tells of it within milliseconds.
    /// </summary>
    public TimeSpan RevocationBound { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the gate has to answer before the request is refused with a 503: 100 milliseconds to a minute.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Tells the gate the address a request came from, for keys that are bound to addresses. Behind a proxy, let the forwarded headers
    /// middleware run first; where the address cannot be known, turn this off, and such keys are refused.
    /// </summary>
    public bool SendsAddress { get; set; } = true;

    /// <summary>What the calls to the gate go through; null for a pool of connections of its own. It is not disposed.</summary>
    public HttpMessageHandler? Backchannel { get; set; }

    /// <summary>
    /// Writes the body of a refusal in the application's own dialect; status and headers are set. Null for a problem in the shape of
    /// RFC 9457.
    /// </summary>
    public Func<HttpContext, TollgateRefusal, Task>? WriteRefusal { get; set; }

    /// <summary>Values of the configuration that could not be read, told together with all other faults.</summary>
    internal List<string> ConfigurationFaults { get; } = [];

    internal bool Caches => CacheFor > TimeSpan.Zero;
}
