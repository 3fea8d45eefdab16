using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.SignIn;

/// <summary>
/// Stands before every page: the headers that bind browsers, no cookies over plain http on a network, and of what changes something only
/// forms of our own pages, sent from our own pages.
/// </summary>
internal sealed class PageShield(PublicUrl url, IAntiforgery forms, PageMaker pages) : IEndpointFilter
{
    public const int FormBytesMax = 16_384;

    private static readonly FormOptions Form = new() { ValueCountLimit = 16, KeyLengthLimit = 64, ValueLengthLimit = FormBytesMax };

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        pages.Dress(http);
        if (!url.MayServe(http.Request.Host))
        {
            return pages.Problem(http, new Problem(
                ProblemCode.HttpsNeeded,
                "Over plain http people sign in on the machine itself alone. Set public_url to an https address."));
        }

        if (url.IsSecure)
        {
            // A proxy in front has taken the encryption off; the framework's cookies are to know that it was there.
            http.Request.Scheme = Uri.UriSchemeHttps;
        }

        return await Refusal(http) is { } problem ? pages.Problem(http, problem) : await next(context);
    }

    private async Task<Problem?> Refusal(HttpContext http)
    {
        if (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method))
        {
            return null;
        }

        // A neighbour under the same domain is another site to us; "none" is what a person does without any page.
        if (http.Request.Headers["Sec-Fetch-Site"] is { Count: > 0 } from && from is not (["none"] or ["same-origin"]))
        {
            return Problem.Of(ProblemCode.CrossSite);
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
        {
            bound.MaxRequestBodySize = FormBytesMax;
        }

        try
        {
            if (http.Request.HasFormContentType)
            {
                await http.Request.ReadFormAsync(Form, http.RequestAborted);
            }

            await forms.ValidateRequestAsync(http);
            return null;
        }
        catch (Exception fault) when (fault is AntiforgeryValidationException or InvalidDataException)
        {
            return Problem.Of(ProblemCode.FormRefused);
        }
    }
}

/// <summary>
/// Binds the tokens of forms to the session that they were made in: who can plant cookies in somebody's browser cannot make it send a form
/// of his own.
/// </summary>
internal sealed class FormBinding(SessionCookie cookie) : IAntiforgeryAdditionalDataProvider
{
    /// <summary>Not the secret itself: what is sealed in a page is not what signs in.</summary>
    public string GetAdditionalData(HttpContext context) => cookie.Read(context) is { Length: > 0 } secret
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))
        : "";

    public bool ValidateAdditionalData(HttpContext context, string additionalData) => additionalData == GetAdditionalData(context);
}

/// <summary>Stands before the pages of who is signed in; everybody else is shown where to sign in.</summary>
internal sealed class SessionGate(SessionBook sessions, SessionCookie cookie, BackCookie back) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (await sessions.Find(cookie.Read(http), http.RequestAborted) is not { } who)
        {
            // What was sent is gone, and not every form has a page at its own address.
            if (HttpMethods.IsGet(http.Request.Method))
            {
                back.Set(http, http.Request.Path);
            }

            return PageMaker.See(http, "/sign-in");
        }

        http.Features.Set(who);
        return await next(context);
    }
}
