using System.Globalization;

namespace Tollgate.Server.Telemetry;

/// <summary>What a path belongs to; a path itself never becomes a label.</summary>
internal enum RequestClass
{
    Verify,
    Authorize,
    Management,
    Provider,
    Docs,
    Health,
    Metrics,
    Mail,
    Console,
}

/// <summary>How HTTP requests were answered, by what their path belongs to and by status.</summary>
internal sealed class RequestMeter
{
    /// <summary>Statuses with a series of their own; any other is counted with its hundred.</summary>
    private static readonly int[] Statuses = [200, 201, 202, 204, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503];

    /// <summary>Where the client went before the answer, and what else has no status.</summary>
    private const string Aborted = "aborted";

    private static readonly string[] StatusTexts =
    [
        .. Statuses.Select(status => status.ToString(CultureInfo.InvariantCulture)), "1xx", "2xx", "3xx", "4xx", "5xx", Aborted,
    ];

    private static readonly byte[] PlaceOfStatus = [.. Enumerable.Range(0, 600).Select(PlaceOf)];

    private static readonly RequestClass[] Classes = Enum.GetValues<RequestClass>();
    private static readonly string[] ClassTexts = [.. Classes.Select(kind => kind.ToString().ToLowerInvariant())];

    private readonly StripedCounts _counts = new(Classes.Length * StatusTexts.Length);

    public static RequestClass ClassOf(string path) =>
        path.StartsWith("/api/", StringComparison.Ordinal) ? ClassOfApi(path)
        : path is "/healthz" or "/readyz" ? RequestClass.Health
        : path is "/metrics" ? RequestClass.Metrics
        : path is "/mail" || path.StartsWith("/mail/", StringComparison.Ordinal) ? RequestClass.Mail
        : path is "/api" or "/docs" or "/docs.md" or "/llms.txt" or "/openapi.json" or "/openapi.yaml"
            || path.StartsWith("/docs/", StringComparison.Ordinal)
            ? RequestClass.Docs
        : ConsolePaths.IsAt(path) ? RequestClass.Console
        : RequestClass.Provider;

    public void Count(string path, int status) =>
        _counts.Increment(((int)ClassOf(path) * StatusTexts.Length) + PlaceOfStatus[status is > 0 and < 600 ? status : 0]);

    /// <summary>A request that ended without an answer.</summary>
    public void CountAborted(string path) => Count(path, 0);

    /// <summary>What came up so far: every class with every status would be more lines than anybody reads.</summary>
    public IEnumerable<MetricSample> Samples() =>
        from kind in Classes
        from status in Enumerable.Range(0, StatusTexts.Length)
        let count = _counts.Read(((int)kind * StatusTexts.Length) + status)
        where count > 0
        select new MetricSample(count, ("class", ClassTexts[(int)kind]), ("status", StatusTexts[status]));

    private static RequestClass ClassOfApi(string path) =>
        path is "/api/v1/verify" || path.StartsWith("/api/v1/verify/", StringComparison.Ordinal) ? RequestClass.Verify
        : path is "/api/v1/authorize" || path.StartsWith("/api/v1/authorize/", StringComparison.Ordinal) ? RequestClass.Authorize
        : RequestClass.Management;

    private static byte PlaceOf(int status) => checked((byte)Array.IndexOf(
        StatusTexts,
        Statuses.Contains(status) ? status.ToString(CultureInfo.InvariantCulture)
            : status >= 100 ? string.Create(CultureInfo.InvariantCulture, $"{status / 100}xx")
            : Aborted));
}
