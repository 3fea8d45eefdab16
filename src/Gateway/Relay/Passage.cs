using System.Buffers;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Gateway.Relay;

/// <summary>One answer on its way to the client, from its head to its end.</summary>
internal sealed class Passage(
    HttpContext http, RelayCall call, OpenRequest request, UpstreamAnswer answer, IResponseMeter? meter, bool isEvents)
{
    private const int ReadBytes = 16_384;

    /// <summary>Of a stream, which is waited for more than read, and of which there may be thousands.</summary>
    private const int ReadEventBytes = 8_192;

    /// <summary>Of a counted answer that is no stream of events, so much goes on at a time.</summary>
    private const int FlushBytes = 65_536;

    private int Status => (int)answer.Message.StatusCode;

    public async Task Run()
    {
        try
        {
            if (isEvents)
            {
                // Who waits for events learns at once that they will come. Starting the response alone would send nothing.
                await http.Response.BodyWriter.FlushAsync(request.Ended);
            }

            if (await Copy())
            {
                await Settle(Status);
                meter?.End(http.Response.BodyWriter);
                await http.Response.BodyWriter.FlushAsync(request.Ended);
            }
            else
            {
                answer.EndedTooEarly();
                await SettleBroken();
                await Break(CutReason.None);
            }
        }
        catch (OperationCanceledException) when (request.Ended.IsCancellationRequested)
        {
            await SettleCut(request.Reason == CutReason.None ? Relay.ClientLeftStatus : Status);
            await Break(request.Reason);
        }
        catch (IOException)
        {
            await SettleBroken();
            await Break(CutReason.None);
        }
        finally
        {
            // Whatever else went wrong, nothing stays held.
            await SettleCut(StatusCodes.Status500InternalServerError);
        }
    }

    /// <returns>Whether the answer came to its end, or to where it must be cut; otherwise it has broken.</returns>
    private async Task<bool> Copy()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(isEvents ? ReadEventBytes : ReadBytes);
        try
        {
            var waiting = 0;
            while (await answer.Read(buffer, request.Ended) is var count and > 0)
            {
                if (!Take(buffer.AsSpan(0, count)))
                {
                    return true;
                }

                waiting += count;
                if (isEvents || meter is null || waiting >= FlushBytes)
                {
                    waiting = 0;
                    await http.Response.BodyWriter.FlushAsync(request.Ended);
                }
            }

            return meter?.IsComplete ?? true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool Take(ReadOnlySpan<byte> bytes)
    {
        if (meter is null)
        {
            http.Response.BodyWriter.Write(bytes);
            return true;
        }

        var goesOn = meter.Take(bytes, http.Response.BodyWriter);
        call.Bill?.Progress(meter.Use);
        return goesOn;
    }

    private Task Settle(int status) => call.Bill is not { } bill ? Task.CompletedTask
        : meter is null ? bill.Void(status)
        : bill.Settle(meter.Use, status);

    /// <summary>Ends what did not come to its end; it costs nothing where the client has nothing of it, or no token of a stream.</summary>
    private Task SettleCut(int status) => http.Response.HasStarted && !(isEvents && meter is { Use.OutputTokens: 0 })
        ? Settle(status)
        : call.Bill?.Void(status) ?? Task.CompletedTask;

    /// <summary>An upstream that breaks before the first token has served nobody.</summary>
    private Task SettleBroken() => meter is { Use.OutputTokens: > 0 }
        ? SettleCut(StatusCodes.Status502BadGateway)
        : call.Bill?.Void(StatusCodes.Status502BadGateway) ?? Task.CompletedTask;

    /// <summary>A stream ends in an error, and then in the middle of nothing.</summary>
    private async Task Break(CutReason reason)
    {
        try
        {
            if (isEvents && http.Response.HasStarted)
            {
                if (meter is not EventMeter { IsBetweenEvents: true })
                {
                    // Half an event may be out, of which the error must be no part.
                    http.Response.BodyWriter.Write("\n\n"u8);
                }

                http.Response.BodyWriter.Write(call.Dialect.LastEvent(http, reason).Span);
                await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody is left to be told.
        }

        http.Abort();
    }
}
