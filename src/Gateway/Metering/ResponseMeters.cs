namespace Tollgate.Gateway.Metering;

/// <summary>Chooses how an answer is metered, by what it says it is.</summary>
internal static class ResponseMeters
{
    /// <param name="call">What was asked.</param>
    /// <param name="contentType">Of the answer.</param>
    /// <param name="mayPass">
    /// Asked before more output of a stream passes to the client, with all output tokens up to then: false cuts the answer. Null never
    /// cuts.
    /// </param>
    public static IResponseMeter For(ModelCall call, string? contentType, Func<uint, bool>? mayPass)
    {
        var type = contentType.AsSpan();
        type = type[..(type.IndexOf(';') is var end and >= 0 ? end : type.Length)].Trim();
        return type.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase) ? new EventMeter(call, mayPass)
            : IsJson(type) ? new JsonMeter(call)
            : new OpaqueMeter(call);
    }

    private static bool IsJson(ReadOnlySpan<char> type) =>
        type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
}
