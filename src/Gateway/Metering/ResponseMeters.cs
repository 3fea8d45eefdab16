namespace Tollgate.Gateway.Metering;

/// <summary>Chooses how an answer is metered, by what it says it is.</summary>
internal static class ResponseMeters
{
    /// <param name="call">What was asked.</param>
    /// <param name="contentType">Of the answer.</param>
    /// <param name="mayPass">
    /// Asked before more output passes to the client, with all output tokens up to then: false cuts the answer. Null never cuts.
    /// </param>
    public static IResponseMeter For(ModelCall call, string? contentType, Func<uint, bool>? mayPass) =>
        throw new NotImplementedException($"{call} {contentType} {mayPass}");
}
