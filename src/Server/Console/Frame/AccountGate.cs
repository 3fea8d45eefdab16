using Tollgate.Server.Identity.Sessions;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Finds where the frame around somebody's own account leads back to: the first place that is theirs. Who is in no organization has their
/// account all the same.
/// </summary>
internal sealed class AccountGate(PlaceBook book) : IEndpointFilter
{
    public const string Root = "/account";

    public static bool IsAt(string path) => path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var who = SignedIn.Of(http);
        if (await book.First(who, http.RequestAborted) is { } place)
        {
            if (place.Projects is [var project, ..]
                && (await book.Find(who, project.Id.Text, http.RequestAborted)).TryGet(out var within, out _))
            {
                place = within;
            }

            http.Features.Set(place);
        }

        return await next(context);
    }
}
