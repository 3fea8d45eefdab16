using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Engine.Verification;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Relay;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>What is known of a request's body before it passes; the default is nothing.</summary>
internal readonly record struct KnownBody
{
    /// <summary>Null where it was not read, and goes on as it comes.</summary>
    public ReadOnlyMemory<byte>? Bytes { get; init; }

    /// <summary>Whether it holds what the route's condition asks for; null where nobody looked.</summary>
    public bool? IsConditionMet { get; init; }

    /// <summary>The call to a model that it is; null for none.</summary>
    public ModelCall? Call { get; init; }

    /// <summary>Whether it is for a model, or for one that nobody could see.</summary>
    public bool NamesModel { get; init; }

    /// <summary>The number of a model that it names without being a call that is counted; 0 for none.</summary>
    public ushort Model { get; init; }

    public CallTerms Terms { get; init; }
}

/// <summary>
/// The way of a request that may pass, to the server behind the gate and back; what goes wrong there is told as the provider words it.
/// </summary>
internal sealed class RelayDoor(ProviderModel provider, Relay relay, Admission admission, BillClock clock, TimeProvider time)
{
    /// <summary>Tells the client which bound its answer has, where it did not ask for that one itself.</summary>
    public const string OutputMaxHeader = "X-Tollgate-Max-Tokens";

    private readonly RelayDialect _dialect = new(
        static (http, fault) => Refuse(http, CodeOf(fault)),
        static (http, reason) => Refuse(http, CodeOf(reason)),
        (http, reason) => LastEvent(provider, time, http, reason));

    /// <summary>A key's request: what it uses is booked.</summary>
    public Task Pass(HttpContext http, in RouteCall call, in KnownBody body, in Verdict verdict, long nowMs)
    {
        if (call.Kind is not null && body.Call is null)
        {
            // Its key has become a good one since it was looked at, when its body did not matter: now it would pass uncounted.
            return Answer(http, verdict, nowMs, Problem.Of(ProblemCode.Unavailable));
        }

        var terms = body.Terms;
        if (terms.OutputMax is { } most)
        {
            http.Response.Headers[OutputMaxHeader] = most.ToString(CultureInfo.InvariantCulture);
        }

        var model = body.Call?.Model ?? ModelPaths.IdOf(http.Request.Method, call);
        return Pass(http, call.Path, model, body, BillOf(http, terms, verdict, nowMs));
    }

    /// <summary>What the gate answers to a key by itself; it is booked like what passes.</summary>
    public async Task Answer(HttpContext http, Verdict verdict, long nowMs, ReadOnlyMemory<byte> json)
    {
        await BillOf(http, default, verdict, nowMs).Void(StatusCodes.Status200OK);
        await Answers.Json(json).ExecuteAsync(http);
    }

    /// <inheritdoc cref="Answer(HttpContext, Verdict, long, ReadOnlyMemory{byte})"/>
    public async Task Answer(HttpContext http, Verdict verdict, long nowMs, Problem problem)
    {
        await BillOf(http, default, verdict, nowMs).Void(provider.Dialect.StatusOf(problem.Code));
        await new ProblemResult(problem).ExecuteAsync(http);
    }

    private Bill BillOf(HttpContext http, in CallTerms terms, in Verdict verdict, long nowMs) => new(
        new BillTerms
        {
            RequestNo = RequestId.NumberOf(http),
            KeyNo = verdict.Key.KeyNo,
            AdmittedAtMs = nowMs,
            Price = terms.Price,
            InputEstimate = (uint)terms.Use.InputTokens,
            InputBound = terms.InputBound,
            OutputMax = terms.OutputTotal,
            Held = verdict.Held,
            Step = terms.Step,
        },
        admission,
        clock);

    /// <summary>The operator's own request: nothing is counted.</summary>
    public Task Pass(HttpContext http, string path) => Pass(http, path, model: null, default, bill: null);

    private Task Pass(HttpContext http, string path, string? model, in KnownBody body, Bill? bill) => relay.Pass(http, new RelayCall
    {
        Request = new UpstreamRequest
        {
            Method = http.Request.Method,
            Path = path,
            Query = http.Request.QueryString.Value ?? "",
            Model = model,
            Headers = http.Request.Headers,
            Body = body.Call?.Forwarded(body.Terms.OutputMax) ?? body.Bytes,
            Stream = body.Bytes is null && HasBody(http) ? http.Request.Body : null,
            ReadsAnswer = body.Call is not null,
            RequestId = http.TraceIdentifier,
        },
        Call = body.Call,
        Bill = bill,
        Dialect = _dialect,
    });

    public static bool HasBody(HttpContext http) => http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true;

    private static ProblemCode CodeOf(UpstreamFault fault) => fault switch
    {
        UpstreamFault.NoneServes => ProblemCode.UpstreamMissing,
        UpstreamFault.Busy => ProblemCode.UpstreamBusy,
        UpstreamFault.TimedOut => ProblemCode.UpstreamTimeout,
        UpstreamFault.Unauthorized => ProblemCode.UpstreamUnauthorized,
        _ => ProblemCode.UpstreamUnreachable,
    };

    private static ProblemCode CodeOf(CutReason reason) => reason switch
    {
        CutReason.Key => ProblemCode.InvalidKey,
        CutReason.Stop => ProblemCode.Unavailable,
        _ => ProblemCode.UpstreamBroken,
    };

    private static Task Refuse(HttpContext http, ProblemCode code) => new ProblemResult(Problem.Of(code)).ExecuteAsync(http);

    /// <summary>An error as one event of a stream.</summary>
    private static ReadOnlyMemory<byte> LastEvent(ProviderModel provider, TimeProvider time, HttpContext http, CutReason reason)
    {
        var text = new ArrayBufferWriter<byte>(256);
        text.Write("data: "u8);
        provider.Dialect.Write(text, Problem.Of(CodeOf(reason)), http.TraceIdentifier, time.GetUtcNow());
        text.Write("\n\n"u8);
        return text.WrittenMemory;
    }
}
