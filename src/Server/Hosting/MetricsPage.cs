using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Tollgate.Server.Access;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Hosting;

/// <summary>
/// <c>/metrics</c>. Where customers come in it is read with the root key, or with the token the operator has set; a listener of its own
/// (<see cref="MetricsHost"/>) needs no key. Who calls from this machine gets no better treatment: behind a proxy everybody does.
/// </summary>
internal sealed class MetricsPage(MetricSet metrics, Readiness readiness, GateOptions options)
{
    public const string Path = "/metrics";

    private const string Scheme = "Bearer ";

    private readonly byte[]? _token = options.MetricsToken is { } token ? Encoding.ASCII.GetBytes(token) : null;

    public void Map(IEndpointRouteBuilder app) => app.MapGet(Path, IResult () => new Page(this)).OperatorOnly()
        .WithName("metrics").WithSummary("How does the gate do?").WithTags("Health").Produces<string>(200, "text/plain");

    /// <summary>Ahead of the callers' gate, which knows keys and no tokens; null leaves the call to it.</summary>
    public Task? AnswerToken(HttpContext http) =>
        http.Request.Path.Value == Path && HttpMethods.IsGet(http.Request.Method)
            && _token is not null && HasToken(http.Request.Headers.Authorization)
                ? Write(http)
                : null;

    /// <summary>Whether nothing more than this needs to be known of a caller on the listener of its own.</summary>
    public bool Admits(HttpContext http) => _token is null || HasToken(http.Request.Headers.Authorization);

    public async Task Write(HttpContext http)
    {
        await readiness.Ask();
        var body = Encoding.UTF8.GetBytes(MetricsText.Write(metrics.Families));
        var response = http.Response;
        response.ContentType = MetricsText.ContentType;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        await response.Body.WriteAsync(body, http.RequestAborted);
    }

    private bool HasToken(StringValues header) =>
        header is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value[Scheme.Length..].Trim(' ')), _token);

    private sealed class Page(MetricsPage page) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => page.Write(httpContext);
    }
}
