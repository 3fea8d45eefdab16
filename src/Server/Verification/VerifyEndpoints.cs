using System.Buffers;
using System.Text.Json;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Journal;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>
/// The check for API servers: <c>POST /api/v1/verify</c>, its batch and its explanation. The bodies are read and the answers written by
/// hand, because at this rate binding them would cost more than the check.
/// </summary>
internal sealed class VerifyEndpoints(
    Gate gate, CallerGate callers, ProviderModel provider, UsePricer pricer, RequestNumbers numbers, ModelNames models)
{
    public const int BodyBytesMax = 16 * 1_024;
    public const int BatchBytesMax = 1_024 * 1_024;
    public const int BatchMax = 1_000;

    public const string Path = "/api/v1/verify";

    private static readonly AccessRow Access = new(Rights.Verify, OperatorOnly: false);

    /// <summary>Stands for a secret that was hashed already, or that has no key's form.</summary>
    private static ReadOnlySpan<byte> NoKey => "?"u8;

    private static readonly string[] OutcomeNames = ["passed", "failed", "not_reached"];

    public void Map(IEndpointRouteBuilder api)
    {
        var verify = api.MapGroup("/verify").WithTags("Verification").WithMetadata(Access).KeysOnly();
        verify.MapPost("", Verify).WithMetadata(((Delegate)Verify).Method).WithName("verifyKey").WithSummary("Check a key")
            .Takes(typeof(VerifyBody)).Gives(typeof(VerifyAnswerBody));
        verify.MapPost("/batch", Batch).WithMetadata(((Delegate)Batch).Method).WithName("verifyKeys")
            .WithSummary("Check up to 1,000 keys").Takes(typeof(VerifyBatchBody)).Gives(typeof(VerifyBatchAnswerBody));
        verify.MapPost("/explain", Explain).WithMetadata(((Delegate)Explain).Method).WithName("explainCheck")
            .WithSummary("Check a key and show every step").Takes(typeof(VerifyBody)).Gives(typeof(ExplainAnswerBody));
    }

    /// <summary>
    /// Comes before routing, which takes longer than the check itself: answers the one hot call in its plain form from a caller in memory
    /// who fulfils the endpoint's own access row. Null leaves everything else, and every refusal of a caller, to the long way.
    /// </summary>
    public Task? AnswerAtOnce(HttpContext http)
    {
        var request = http.Request;
        return request.Path.Value == Path && HttpMethods.IsPost(request.Method)
            && callers.Known(http, Access) is { } caller
                ? VerifyAs(caller, http)
                : null;
    }

    private Task Verify(HttpContext http) => VerifyAs(Caller.Of(http), http);

    /// <summary>The common case: the body is here already, the key is in memory, and nothing waits.</summary>
    private Task VerifyAs(Caller caller, HttpContext http)
    {
        if (!RequestBody.TryReadNow(http, BodyBytesMax, out var body))
        {
            return VerifySlowly(http, caller);
        }

        var parsed = Single(body, provider);
        if (parsed.IsOk && parsed.Value.Hash is { } hash)
        {
            gate.Prefetch(hash);
        }

        http.Request.BodyReader.AdvanceTo(body.End);
        if (!parsed.TryGet(out var call, out var problem))
        {
            return new ProblemResult(problem).ExecuteAsync(http);
        }

        call.RequestNo = RequestId.NumberOf(http);
        if (call.Reserves)
        {
            var priced = pricer.Price(call.Model, call.Tokens, "");
            if (!priced.IsCompletedSuccessfully)
            {
                return PriceSlowly(http, caller, call, priced);
            }

            if (!priced.Result.TryGet(out var use, out problem))
            {
                return new ProblemResult(problem).ExecuteAsync(http);
            }

            call.Use = use;
        }

        var verdict = Check(call, caller);
        return verdict.Code == VerdictCode.NotLoaded ? AnswerSlowly(http, caller, call, verdict) : Answer(http, caller, call, verdict);
    }

    private async Task PriceSlowly(HttpContext http, Caller caller, VerifyCall call, ValueTask<Outcome<PricedUse>> priced)
    {
        if (!(await priced).TryGet(out var use, out var problem))
        {
            await new ProblemResult(problem).ExecuteAsync(http);
            return;
        }

        call.Use = use;
        await AnswerSlowly(http, caller, call, Check(call, caller));
    }

    private async Task VerifySlowly(HttpContext http, Caller caller)
    {
        if (!(await RequestBody.ReadBytes(http, BodyBytesMax)).TryGet(out var bytes, out var problem)
            || !Single(new ReadOnlySequence<byte>(bytes), provider).TryGet(out var call, out problem))
        {
            await new ProblemResult(problem).ExecuteAsync(http);
            return;
        }

        call.RequestNo = RequestId.NumberOf(http);
        await PriceSlowly(http, caller, call, pricer.Price(call.Model, call.Tokens, ""));
    }

    private async Task AnswerSlowly(HttpContext http, Caller caller, VerifyCall call, Verdict verdict) =>
        await Answer(http, caller, call, await Loaded(call, verdict, () => Check(call, caller)));

    private async Task Batch(HttpContext http)
    {
        if (!(await RequestBody.ReadBytes(http, BatchBytesMax)).TryGet(out var bytes, out var problem)
            || !Many(bytes.Span).TryGet(out var calls, out problem))
        {
            await new ProblemResult(problem).ExecuteAsync(http);
            return;
        }

        for (var i = 0; i < calls.Count; i++)
        {
            // All are priced before the first is taken, so that a fault in one leaves nothing of the others behind.
            if (!(await pricer.Price(calls[i].Model, calls[i].Tokens, $"/checks/{i}")).TryGet(out var use, out problem))
            {
                await new ProblemResult(problem).ExecuteAsync(http);
                return;
            }

            calls[i] = calls[i] with { Use = use, RequestNo = numbers.Next() };
        }

        var caller = Caller.Of(http);
        var output = new ArrayBufferWriter<byte>((calls.Count * 256) + 16);
        output.Write("{\"data\":["u8);
        for (var i = 0; i < calls.Count; i++)
        {
            output.Write(i == 0 ? default : ","u8);
            var call = calls[i];
            var verdict = await LoadedAlone(call, caller);
            gate.Meter.Count(CheckDoor.Verify, verdict.Code);
            AnswerTo(call, verdict, caller).Write(output);
        }

        output.Write("]}"u8);
        await Answers.Json(output.WrittenMemory).ExecuteAsync(http);
    }

    private async Task Explain(HttpContext http)
    {
        if (!(await RequestBody.ReadBytes(http, BodyBytesMax)).TryGet(out var bytes, out var problem)
            || !Single(new ReadOnlySequence<byte>(bytes), provider).TryGet(out var call, out problem))
        {
            await new ProblemResult(problem).ExecuteAsync(http);
            return;
        }

        if (!(await pricer.Price(call.Model, call.Tokens, "")).TryGet(out var use, out problem))
        {
            await new ProblemResult(problem).ExecuteAsync(http);
            return;
        }

        call.Use = use;
        var verdict = await Loaded(call, Check(call, Taking.Look), () => Check(call, Taking.Look));
        gate.Meter.Count(CheckDoor.Explain, verdict.Code);
        var code = !IsVisible(verdict, Caller.Of(http)) ? VerdictCode.KeyUnknown
            : verdict.IsUnfunded ? VerdictCode.WalletEmpty : verdict.Code;
        var steps = Explanation.Of(code).Select(step => new ExplainStep(
            step.Step.ToText(), OutcomeNames[(int)step.Outcome], step.Code is null ? null : Faults.ReasonOf(code)));
        var answer = new ExplainAnswerBody(code == VerdictCode.Allowed, code.ToText(), Faults.ReasonOf(code), [.. steps])
        {
            Limits = code == verdict.Code ? LimitsOf(verdict) : [],
            RetryAfterMs = code == verdict.Code && verdict.RetryAfterMs > 0 ? verdict.RetryAfterMs : null,
        };
        await Answers.Json(answer, VerificationWire.Default.ExplainAnswerBody).ExecuteAsync(http);
    }

    private VerifiedLimit[] LimitsOf(in Verdict verdict)
    {
        var limits = new VerifiedLimit[verdict.Limits.Count];
        for (var i = 0; i < limits.Length; i++)
        {
            var state = verdict.Limits[i];
            limits[i] = new VerifiedLimit
            {
                Name = provider.Limits[state.Limit].Name,
                Limit = state.Amount,
                Remaining = state.Remaining,
                ResetAfterMs = state.ResetMs,
            };
        }

        return limits;
    }

    /// <summary>A key that its caller may not see is looked at, and nothing is taken from it.</summary>
    private Verdict Check(in VerifyCall call, Caller caller)
    {
        if (!caller.OfOperator)
        {
            var seen = Check(call, Taking.Look);
            if (seen.Code == VerdictCode.NotLoaded || !IsVisible(seen, caller))
            {
                return seen;
            }
        }

        return Check(call, Taking.Take);
    }

    private Verdict Check(in VerifyCall call, Taking taking) =>
        call.Hash is { } hash ? gate.Check(RequestOf(call, taking), hash) : gate.Check(RequestOf(call, taking));

    private CheckRequest RequestOf(in VerifyCall call, Taking taking)
    {
        var request = new CheckRequest
        {
            Secret = call.IsEmpty ? default : NoKey,
            Requirement = call.Requirement,
            IsRouteUnknown = call.IsRouteUnknown,
            Address = call.Address,
            NowMs = gate.NowMs,
            ClockMs = gate.ClockMs,
            Taking = taking,
            RequestNo = call.RequestNo,
            Reserves = call.Reserves,
            Model = call.Use.Model,
            NamesModel = call.Model is not null,
            PriceVersion = call.Use.PriceVersion,
            InputTokens = call.Use.InputTokens,
            OutputTokens = call.Use.OutputTokens,
            Hold = call.Use.Hold,
        };
        if (!call.Project.IsEmpty)
        {
            request = request with { ProjectId = call.Project.Span };
        }

        if (!call.Organization.IsEmpty)
        {
            request = request with { OrganizationId = call.Organization.Span };
        }

        return request;
    }

    /// <summary>
    /// Unknown keys count against the network that the call names. Without one they count against nobody: counted against the API server
    /// that asks, one of its clients could use up what all of them need.
    /// </summary>
    /// <summary>One of many: what cannot be read now leaves the others their answers, and what they reserved.</summary>
    private async ValueTask<Verdict> LoadedAlone(VerifyCall call, Caller caller)
    {
        var verdict = Check(call, caller);
        try
        {
            return await Loaded(call, verdict, () => Check(call, caller));
        }
        catch (Exception outage) when (Database.IsOutage(outage))
        {
            return verdict;
        }
    }

    private ValueTask<Verdict> Loaded(VerifyCall call, Verdict verdict, Func<Verdict> again) =>
        verdict.Code == VerdictCode.NotLoaded
            ? gate.Settle(verdict, call.Address is { } address ? ClientNetwork.Of(address) : default, again)
            : new(verdict);

    private Task Answer(HttpContext http, Caller caller, in VerifyCall call, in Verdict verdict)
    {
        gate.Meter.Count(CheckDoor.Verify, verdict.Code);
        if (verdict.Code is VerdictCode.NotLoaded or VerdictCode.TooManyUnknownKeys or VerdictCode.Busy)
        {
            // Nothing is known of the key, or nothing was done about it, so there is nothing to answer.
            return new ProblemResult(Faults.Of(verdict)).ExecuteAsync(http);
        }

        var response = http.Response;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        var answer = AnswerTo(call, verdict, caller);
        response.ContentLength = answer.Length;

        // Started first, so that the body is written behind the head in the connection's own buffer; both leave together at the end.
        var started = response.StartAsync(CancellationToken.None);
        if (started.IsCompletedSuccessfully)
        {
            answer.Write(response.BodyWriter);
            return Task.CompletedTask;
        }

        var copy = new ArrayBufferWriter<byte>(answer.Length);
        answer.Write(copy);
        return WriteSlowly(response, started, copy.WrittenMemory);

        static async Task WriteSlowly(HttpResponse response, Task started, ReadOnlyMemory<byte> answer)
        {
            await started;
            await response.BodyWriter.WriteAsync(answer);
        }
    }

    private VerifyAnswer AnswerTo(in VerifyCall call, in Verdict verdict, Caller caller) => new(
        call,
        verdict,
        provider,
        models,
        Faults.TellsPermission(verdict.Code) ? provider.Scopes.Describe(call.Requirement) : null,
        IsVisible(verdict, caller));

    /// <summary>
    /// The operator, and keys of the operator's own organization, may check every key; another organization's key only those of its
    /// own organization and environment, and learns of no other that it exists.
    /// </summary>
    private bool IsVisible(in Verdict verdict, Caller caller) =>
        caller.OfOperator || verdict.Key.KeyNo == 0
        || (verdict.Project?.OrganizationId == caller.OrganizationId
            && provider.Keys.Environments[verdict.Key.Environment].Name == caller.Environment);

    internal static Outcome<VerifyCall> Single(in ReadOnlySequence<byte> body, ProviderModel provider)
    {
        try
        {
            // In one piece: over several, .NET 10's reader runs out of its own bounds on some broken literals. Bodies are small.
            var json = new Utf8JsonReader(body.IsSingleSegment ? body.FirstSpan : body.ToArray());
            json.Read();
            var call = VerifyCall.Read(ref json, provider, "");
            return !call.IsOk || !json.Read() ? call : new Problem(ProblemCode.InvalidJson, "Something follows the JSON object.");
        }
        catch (JsonException fault)
        {
            return RequestBody.InvalidJson(fault);
        }
        catch (InvalidOperationException)
        {
            return RequestBody.NotUnicode;
        }
    }

    private Outcome<List<VerifyCall>> Many(ReadOnlySpan<byte> body)
    {
        try
        {
            var json = new Utf8JsonReader(body);
            return ReadMany(ref json);
        }
        catch (JsonException fault)
        {
            return RequestBody.InvalidJson(fault);
        }
        catch (InvalidOperationException)
        {
            return RequestBody.NotUnicode;
        }
    }

    private Outcome<List<VerifyCall>> ReadMany(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject || !json.Read() || json.TokenType != JsonTokenType.PropertyName
            || !json.ValueTextEquals("checks"u8) || !json.Read() || json.TokenType != JsonTokenType.StartArray)
        {
            return Problem.Invalid("/checks", "is needed, as the only member: an array of checks.");
        }

        var calls = new List<VerifyCall>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (calls.Count == BatchMax)
            {
                return Problem.Invalid("/checks", $"may hold at most {BatchMax} checks.");
            }

            if (!VerifyCall.Read(ref json, provider, $"/checks/{calls.Count}").TryGet(out var call, out var problem))
            {
                return problem;
            }

            calls.Add(call);
        }

        return json.Read() && json.TokenType == JsonTokenType.EndObject && !json.Read()
            ? calls
            : Problem.Invalid("/checks", "is the only member of this call.");
    }
}
