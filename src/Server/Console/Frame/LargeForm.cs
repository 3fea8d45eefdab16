using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Reads the form of a page of the console before the shield does: a key has more fields than the shield lets through. Its bytes have the
/// same bound.
/// </summary>
internal sealed class LargeForm(PageMaker pages) : IEndpointFilter
{
    /// <summary>All scopes, models and limits of a provider file, and the rest.</summary>
    public const int FieldsMax = 512;

    private static readonly FormOptions Form = new()
    {
        ValueCountLimit = FieldsMax, KeyLengthLimit = 64, ValueLengthLimit = PageShield.FormBytesMax,
    };

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (HttpMethods.IsPost(http.Request.Method) && http.Request.HasFormContentType)
        {
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
            {
                bound.MaxRequestBodySize = PageShield.FormBytesMax;
            }

            try
            {
                await http.Request.ReadFormAsync(Form, http.RequestAborted);
            }
            catch (InvalidDataException)
            {
                return pages.Problem(http, Problem.Of(ProblemCode.FormRefused));
            }
        }

        return await next(context);
    }
}
