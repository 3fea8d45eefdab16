namespace Tollgate.Gateway.Echo;

/// <summary>
/// What stands behind the gate where no server does: a model that says what it was told, in the OpenAI API's words, counts its tokens, and
/// answers every other path with what was asked for. It is asked like any upstream.
/// </summary>
internal sealed class EchoHandler(string owner, IReadOnlyList<string> models) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotImplementedException($"{owner} {models.Count}");
}
