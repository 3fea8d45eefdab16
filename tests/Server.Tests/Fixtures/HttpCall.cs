using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Access;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>One HTTP call without a network: a context to hand to what answers it, and the answer it left there.</summary>
internal sealed class HttpCall
{
    private static readonly IServiceProvider NoServices = new ServiceCollection().BuildServiceProvider();

    public HttpCall(string method = "POST", string path = "/api/v1/things", Caller? caller = null)
    {
        Context = new DefaultHttpContext { RequestServices = NoServices, TraceIdentifier = "req_test" };
        Context.Request.Method = method;
        Context.Request.Path = path;
        Context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
        Context.Response.Body = new MemoryStream();
        Context.Features.Set(caller ?? Caller.Root);
        Context.Features.Set<CallerAgain>(http => new(Caller.Of(http)));
    }

    public DefaultHttpContext Context { get; }

    public int Status => Context.Response.StatusCode;

    public string Text => Encoding.UTF8.GetString(((MemoryStream)Context.Response.Body).ToArray());

    /// <summary>The code of the problem that was told.</summary>
    public string? Code => JsonElement.Parse(Text).TryGetProperty("code", out var code) ? code.GetString() : null;

    public string? Header(string name) => Context.Response.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    public HttpCall With(string header, string value)
    {
        Context.Request.Headers[header] = value;
        return this;
    }

    public HttpCall WithBody(string body, string? contentType = "application/json") => WithBody(Encoding.UTF8.GetBytes(body), contentType);

    /// <param name="body">The bytes.</param>
    /// <param name="contentType">Null for none.</param>
    /// <param name="chunked">Sends no length, as a chunked body does.</param>
    public HttpCall WithBody(byte[] body, string? contentType = "application/json", bool chunked = false)
    {
        Context.Request.Body = new MemoryStream(body);
        Context.Request.ContentLength = chunked ? null : body.Length;
        Context.Request.ContentType = contentType;
        return this;
    }

    public async Task<HttpCall> Execute(Task<IResult> result)
    {
        await (await result).ExecuteAsync(Context);
        return this;
    }
}
