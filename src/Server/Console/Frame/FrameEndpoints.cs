using Tollgate.Server.Access;
using Tollgate.Server.Console.Audit;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Operator;
using Tollgate.Server.Console.Profile;
using Tollgate.Server.Console.Projects;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Team;
using Tollgate.Server.Console.Try;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Console.Wallet;
using Tollgate.Server.Console.Webhooks;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Reach;

namespace Tollgate.Server.Console.Frame;

/// <summary>The pages of the console: which there are, and what stands before them.</summary>
internal static class FrameEndpoints
{
    public static void AddConsole(this IServiceCollection services) =>
        services.AddSingleton<PlaceCookie>().AddSingleton<PlaceBook>().AddSingleton<FrameLinks>().AddSingleton<FrameMaker>()
            .AddSingleton<SnippetMaker>().AddSingleton<SentForms>().AddOperatorPages();

    public static void MapConsole(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").Public().ExcludeFromDescription()
            .AddEndpointFilter<RouteGroupBuilder, LargeForm>().AddEndpointFilter<RouteGroupBuilder, PageShield>()
            .AddEndpointFilter<RouteGroupBuilder, SessionGate>();
        pages.MapGet("/", (HttpContext http) => PageMaker.See(http, ConsolePlace.Root));
        pages.MapGet(ConsolePlace.Root, Begin);
        pages.MapOperatorPages();
        var places = pages.MapGroup(ConsolePlace.Root + "/{place}").AddEndpointFilter<RouteGroupBuilder, PlaceGate>();
        places.MapOverview();
        places.MapKeyPages();
        places.MapUsagePages();
        places.MapRefusalPages();
        places.MapWalletPages();
        places.MapTeamPages();
        places.MapProjectPages();
        places.MapAuditPages();
        places.MapWebhookPages();
        places.MapTryPages();
        places.MapProfilePages();
    }

    private static async Task<IResult> Begin(HttpContext http, PlaceBook book, PageMaker pages) =>
        await book.Home(http) is { } place
            ? PageMaker.See(http, place.Path)
            : pages.Note(
                http, 200, "Nothing here yet", "You are in no organization. Ask who invited you for another invitation.", "/account",
                "Your account");
}

/// <summary>Finds the place of a page, so that all behind it knows where it is and who asks.</summary>
internal sealed class PlaceGate(PlaceBook book, PlaceCookie last, PageMaker pages, OperatorLooks looks) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var id = http.GetRouteValue("place") as string ?? "";
        if (!(await book.Find(SignedIn.Of(http), id, http.RequestAborted)).TryGet(out var place, out var problem))
        {
            return NotHere(http, pages, problem);
        }

        // Who runs the gate may be in a customer's team too: it is a look all the same.
        if (place.Caller.IsOperatorPerson && HttpMethods.IsGet(http.Request.Method)
            && place.Organization.Id.Text != SignedIn.Of(http).Person.OrganizationId)
        {
            // What a browser fetches ahead is no look yet, so there is nothing to see.
            if (PlaceCookie.IsAhead(http))
            {
                return NotHere(http, pages, Problem.Of(ProblemCode.Unavailable));
            }

            if (await looks.NotePage(http, place.Caller, id) is { } unnoted)
            {
                return NotHere(http, pages, unnoted);
            }
        }

        last.Note(http, id);
        http.Features.Set(place);
        http.Features.Set(place.Caller);
        http.Features.Set<CallerAgain>(book.Again);
        return await next(context);
    }

    public static IResult NotHere(HttpContext http, PageMaker pages, Problem problem) =>
        pages.Note(http, problem.Code.Status, "Not here", problem.Detail, ConsolePlace.Root, "To the console");
}
