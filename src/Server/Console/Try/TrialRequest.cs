using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Problems;
using Tollgate.Server.Surfaces;

namespace Tollgate.Server.Console.Try;

/// <summary>
/// A request of the provider's API that a page makes on behalf of who looks at it: it goes in where requests from outside do, as one that
/// came over the page's connection and has its number, and everything behind takes it for one.
/// </summary>
internal static class TrialRequest
{
    private const string RequestIdHeader = "X-Request-Id";

    /// <param name="page">The request of the page.</param>
    /// <param name="front">Where it goes in.</param>
    /// <param name="path">Of the provider.</param>
    /// <param name="secret">Its key's.</param>
    /// <param name="json">Its body.</param>
    /// <param name="mayStream">Whether events go on to who looks at the page as they come.</param>
    public static async Task<TrialAnswer> Send(
        HttpContext page, ProviderFront front, string path, string secret, byte[] json, bool mayStream)
    {
        var response = new TrialResponse(page);
        var body = new TrialBody(page, response, mayStream);
        var life = new Life(page.RequestAborted);
        var http = new DefaultHttpContext(Features(page, path, secret, json, response, body, life))
        {
            RequestServices = page.RequestServices, TraceIdentifier = page.TraceIdentifier,
        };
        http.Response.Headers[RequestIdHeader] = page.TraceIdentifier;
        Problem? told = null;
        front.SpeakDialect(http);
        http.Features.Set<ProblemWording>((context, problem) =>
        {
            told = problem;
            return front.Word(context, problem);
        });
        await front.Handle(http);
        if (!life.IsAborted)
        {
            await http.Response.CompleteAsync();
        }

        return new TrialAnswer(http.Response.StatusCode, response.Headers, body.Kept)
        {
            IsStreamed = body.IsStreamed, IsBroken = life.IsAborted, IsTooLong = body.IsFull, Problem = told,
        };
    }

    private static FeatureCollection Features(
        HttpContext page, string path, string secret, byte[] json, TrialResponse response, TrialBody body, Life life)
    {
        var headers = new HeaderDictionary
        {
            ["Authorization"] = new AuthenticationHeaderValue("Bearer", secret).ToString(),
            ["Content-Type"] = "application/json",
            ["Accept"] = "application/json, text/event-stream",
            ["User-Agent"] = "Tollgate-Console",
        };
        headers.ContentLength = json.Length;
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = HttpMethods.Post, Scheme = page.Request.Scheme, Path = path, RawTarget = path, Headers = headers,
            Protocol = page.Request.Protocol, Body = new MemoryStream(json, writable: false),
        });
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        features.Set<IHttpRequestLifetimeFeature>(life);
        features.Set(page.Features.GetRequiredFeature<IHttpConnectionFeature>());
        return features;
    }

    /// <summary>Ends with the page; what aborts it leaves the page alone.</summary>
    private sealed class Life(CancellationToken aborted) : IHttpRequestLifetimeFeature
    {
        public bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; } = aborted;

        public void Abort() => IsAborted = true;
    }
}

/// <summary>What came back.</summary>
/// <param name="Status">As a program would get it.</param>
/// <param name="Headers">As a program would get them.</param>
/// <param name="Body">Nothing where it was streamed.</param>
internal sealed record TrialAnswer(int Status, IHeaderDictionary Headers, ReadOnlyMemory<byte> Body)
{
    /// <summary>Whether it has gone to who looks at the page already.</summary>
    public bool IsStreamed { get; init; }

    /// <summary>Whether it did not come to its end.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Whether that was because it is longer than a page shows.</summary>
    public bool IsTooLong { get; init; }

    /// <summary>Why the gate refused it; null where it did not.</summary>
    public Problem? Problem { get; init; }
}
