using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.SignIn;

namespace Tollgate.Server.Console.Operator;

/// <summary>The pages over everybody, for who runs the gate: customers, people, plans, and whether the gate is well.</summary>
internal static class OperatorPages
{
    public const string Root = ConsolePlace.Root + "/operator";

    public static IServiceCollection AddOperatorPages(this IServiceCollection services) => services
        .AddSingleton<OperatorDesk>().AddSingleton<GateProbe>().AddSingleton<ExampleBook>().AddSingleton<UpstreamFaults>()
        .AddSingleton<GateReport>().AddSingleton<CheckPulse>().AddHostedService(found => found.GetRequiredService<CheckPulse>());

    public static void MapOperatorPages(this IEndpointRouteBuilder console)
    {
        var pages = console.MapGroup(Root).AddEndpointFilter<RouteGroupBuilder, OperatorGate>();
        pages.MapGatePages();
        pages.MapCustomerPages();
        pages.MapPersonPages();
        pages.MapPlanPage();
    }

    public static bool IsAt(string path) => path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal);

    public static IReadOnlyList<FrameLink> Links(string path)
    {
        return [Link("Customers", "/customers"), Link("People", "/people"), Link("Plans", "/plans"), new("Gate", Root, IsOfGate(path))];

        FrameLink Link(string title, string below) => new(title, Root + below, IsBelow(path, below)
            || (below == "/customers" && (IsBelow(path, "/projects") || IsBelow(path, "/keys"))));
    }

    private static bool IsOfGate(string path) => path == Root || IsBelow(path, "/examples");

    private static bool IsBelow(string path, string below) =>
        path == Root + below || path.StartsWith($"{Root}{below}/", StringComparison.Ordinal);
}

/// <summary>Lets in who runs the gate. To everybody else what lies behind it is as absent as what never was.</summary>
internal sealed class OperatorGate(OperatorDesk desk, PlaceBook book, PageMaker pages) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!(await desk.Admit(http, Act.Operate)).TryGet(out var caller, out _))
        {
            return PlaceGate.NotHere(http, pages, PlaceBook.NoPlace);
        }

        http.Features.Set(caller);
        if (await book.Home(http) is { } place)
        {
            // Where the way back leads.
            http.Features.Set(place);
        }

        return await next(context);
    }
}
