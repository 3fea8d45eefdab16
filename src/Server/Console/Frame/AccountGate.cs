namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Finds where the frame around somebody's own account leads back to. Who is in no organization has their account all the same.
/// </summary>
internal sealed class AccountGate(PlaceBook book) : IEndpointFilter
{
    public const string Root = "/account";

    public static bool IsAt(string path) => path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (await book.Home(http) is { } place)
        {
            http.Features.Set(place);
        }

        return await next(context);
    }
}
