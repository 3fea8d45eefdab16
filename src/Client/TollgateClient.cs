using System.Runtime.CompilerServices;

namespace Tollgate.Client;

/// <summary>
/// Asks a Tollgate: manages organizations, projects and keys, checks keys, reads usage and the audit log. One instance serves any number
/// of threads. A refusal is a <see cref="TollgateException"/> that carries the gate's <see cref="Problem"/>.
/// </summary>
/// <example>
/// <code>
/// using var gate = new TollgateClient(new Uri("http://127.0.0.1:8700"), rootKey);
/// var issued = await gate.Keys.CreateAsync(projectId, new NewKey { Name = "first" });
/// var verdict = await gate.Verify.CheckAsync(new Check { Key = issued.Secret! });
/// </code>
/// </example>
public sealed class TollgateClient : IDisposable
{
    private readonly HttpClient? _own;

    /// <summary>Connects to the gate at <paramref name="address"/>, the part before <c>/api/v1</c>.</summary>
    public TollgateClient(Uri address, Secret key, TollgateClientOptions? options = null)
        : this(Own(address, options ??= new()), key, options) => _own = Http;

    /// <summary>Uses a client of the caller's, whose <see cref="HttpClient.BaseAddress"/> is the gate's; it is not disposed.</summary>
    public TollgateClient(HttpClient http, Secret key, TollgateClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(key);
        if (http.BaseAddress is null)
        {
            throw new ArgumentException("BaseAddress is not set: it says where the gate is.", nameof(http));
        }

        Http = http;
        var connection = new Connection(http, key, options ?? new());
        Organizations = new(connection);
        Plans = new(connection);
        Projects = new(connection);
        Wallets = new(connection);
        Keys = new(connection);
        Import = new(connection);
        Verify = new(connection);
        Reports = new(connection);
        Audit = new(connection);
        Changes = new(connection);
        Usage = new(connection);
        Webhooks = new(connection);
        Operator = new(connection);
    }

    public OrganizationCalls Organizations { get; }

    public PlanCalls Plans { get; }

    public ProjectCalls Projects { get; }

    public WalletCalls Wallets { get; }

    public KeyCalls Keys { get; }

    public ImportCalls Import { get; }

    public VerifyCalls Verify { get; }

    public ReportCalls Reports { get; }

    public AuditCalls Audit { get; }

    public ChangeCalls Changes { get; }

    public UsageCalls Usage { get; }

    public WebhookCalls Webhooks { get; }

    public OperatorCalls Operator { get; }

    private HttpClient Http { get; }

    public void Dispose() => _own?.Dispose();

    private static HttpClient Own(Uri address, TollgateClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"\"{address}\" is not an http or https address.", nameof(address));
        }

        // A redirect would carry the key elsewhere; connections are renewed so that a change of DNS is followed.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        return new HttpClient(handler)
        {
            BaseAddress = address,
            Timeout = options.Timeout,
            MaxResponseContentBufferSize = options.AnswerBytesMax,
        };
    }

    /// <summary>Walks a list page by page, asking for the next one only when it is wanted.</summary>
    internal static async IAsyncEnumerable<T> Walk<T>(
        Func<string?, CancellationToken, Task<Page<T>>> ask,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        string? cursor = null;
        do
        {
            var page = await ask(cursor, cancel).ConfigureAwait(false);
            foreach (var item in page.Data)
            {
                yield return item;
            }

            if (page.NextCursor is not null && page.NextCursor == cursor)
            {
                throw new TollgateException(new Problem { Title = "The list does not end: the same cursor came twice." });
            }

            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }
}

/// <summary>How a <see cref="TollgateClient"/> behaves.</summary>
public sealed record TollgateClientOptions
{
    /// <summary>How long one try of a call may take. For the client's own connection only.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The largest answer that is read, in bytes. For the client's own connection only.</summary>
    public int AnswerBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// How often a call is sent again when the gate could not be reached or said 502, 503, 504, or 429 with a wait of at most a minute.
    /// </summary>
    public int RetriesMax { get; init; } = 2;

    /// <summary>Whether a 429 is among what is sent again; false for a caller who has somebody waiting and passes the wait on.</summary>
    public bool WaitsOutLimits { get; init; } = true;

    /// <summary>The clock that waits between tries.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
