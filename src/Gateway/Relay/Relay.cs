using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Gateway.Relay;

/// <summary>
/// Carries a request to an upstream and its answer back, as it comes. What is counted is booked before the last byte leaves, and whatever
/// happens on the way, once: the client leaves, the upstream breaks, the gate cuts.
/// </summary>
internal sealed class Relay(UpstreamPool upstreams, OpenRequests open)
{
    /// <summary>The log's word for a client that left before its answer.</summary>
    internal const int ClientLeftStatus = 499;

    private const string Events = "text/event-stream";

    /// <summary>Where no upstream answers, or the gate ends it before that, the caller's dialect does, and nothing is billed.</summary>
    public async Task Pass(HttpContext http, RelayCall call)
    {
        using var request = open.Enter(call.Bill, http.RequestAborted);
        UpstreamAnswer answer;
        try
        {
            answer = await upstreams.Send(call.Request, request.Ended);
        }
        catch (Exception fault)
        {
            await (call.Bill?.Void(StatusOf(fault)) ?? Task.CompletedTask);
            if (request.Reason != CutReason.None)
            {
                await call.Dialect.Cut(http, request.Reason);
                return;
            }

            if (fault is UpstreamException { Fault: var why })
            {
                await call.Dialect.NotAnswered(http, why);
                return;
            }

            throw;
        }

        using (answer)
        {
            var isEvents = Events.Equals(MediaTypeOf(answer), StringComparison.OrdinalIgnoreCase) && !IsEncoded(answer);
            var meter = MeterOf(call, answer);
            AnswerHeaders.CopyTo(answer.Message, http.Response, keepsLength: meter is null || !isEvents);
            await new Passage(http, call, request, answer, meter, isEvents).Run();
        }
    }

    private static int StatusOf(Exception fault) =>
        fault is not UpstreamException { Fault: var why } ? ClientLeftStatus
        : why == UpstreamFault.TimedOut ? StatusCodes.Status504GatewayTimeout
        : why == UpstreamFault.Busy ? StatusCodes.Status503ServiceUnavailable
        : StatusCodes.Status502BadGateway;

    /// <summary>What the upstream refuses has used nothing. What comes in an encoding, though none was asked for, cannot be read.</summary>
    private static IResponseMeter? MeterOf(RelayCall call, UpstreamAnswer answer) =>
        call.Call is { } model && answer.Message.IsSuccessStatusCode
            ? ResponseMeters.For(
                model, IsEncoded(answer) ? null : MediaTypeOf(answer), call.Bill is { Terms.Step: > 0 } bill ? bill.Covers : null)
            : null;

    private static string? MediaTypeOf(UpstreamAnswer answer) => answer.Message.Content.Headers.ContentType?.MediaType;

    private static bool IsEncoded(UpstreamAnswer answer) => answer.Message.Content.Headers.NonValidated.TryGetValues(
        "Content-Encoding", out var encoding) && !encoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase);
}
