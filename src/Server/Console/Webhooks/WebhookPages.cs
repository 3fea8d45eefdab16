using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>The webhooks of an organization: the list, the form that makes one, and the secret that is shown once.</summary>
internal static class WebhookPages
{
    /// <summary>Of an organization with many projects.</summary>
    private const int RowsMax = 100;

    public static void MapWebhookPages(this IEndpointRouteBuilder places)
    {
        var webhooks = places.MapGroup("/webhooks").RefusedBy(
            http => IsOfferedAt(ConsolePlace.Of(http)) ? null : Problem.Of(ProblemCode.RoleMissing));
        webhooks.MapGet("", List);
        webhooks.MapGet("/new", (HttpContext http, FrameMaker pages, WebhookOptions options) =>
            Form(http, pages, options, null, 200, null, []));
        webhooks.MapPost("/new", Create);
        webhooks.MapWebhookPage();
    }

    /// <summary>Whose webhooks a place has: a project its own, an organization its own and those of its projects.</summary>
    public static string OwnerOf(ConsolePlace place) => place.Id;

    public static Act ActOf(ConsolePlace place) => place.Project is null ? Act.ManageWebhooks : Act.ManageProjectWebhooks;

    public static bool IsOfferedAt(ConsolePlace place) => place.May(ActOf(place));

    /// <summary>Changes something of that owner, on behalf of who is signed in.</summary>
    public static Task<Outcome<T>> Write<T>(HttpContext http, PlaceBook book, Func<WriteScope, string, Task<Outcome<T>>> work)
    {
        var place = ConsolePlace.Of(http);
        return book.Write(http, null, ActOf(place), scope => work(scope, OwnerOf(place)));
    }

    public static string HomeOf(ConsolePlace place) => $"{place.Path}/webhooks";

    private static async Task<IResult> List(
        HttpContext http, FrameMaker pages, WebhookRegister register, TimeProvider time, string? done)
    {
        var (place, nowMs) = (ConsolePlace.Of(http), KeyPages.Now(time));
        if (!(await register.List(place.Caller, OwnerOf(place), http.RequestAborted)).TryGet(out var webhooks, out var problem))
        {
            return pages.Problem(http, problem);
        }

        var lines = new List<WebhookLine>();
        foreach (var webhook in webhooks.OrderBy(webhook => RankOf(place, webhook)).Take(RowsMax))
        {
            var pulse = await register.PulseOf(webhook, http.RequestAborted);
            lines.Add(new WebhookLine(
                $"{HomeOf(place)}/{webhook.Id}", webhook.Url, WebhookWords.InShort(webhook), WebhookWords.StatusOf(webhook))
            {
                Of = WebhookWords.OwnerOf(place, webhook),
                Arrived = MomentFacts.Of(pulse.ArrivedAtMs, nowMs), Failed = MomentFacts.Of(pulse.FailedAtMs, nowMs),
            });
        }

        return pages.Of<WebhookListPage>(
            http, 200, ("Lines", lines), ("Home", HomeOf(place)), ("Notice", WebhookAction.Done(done, 0)),
            ("IsFull", webhooks.Count(webhook => webhook.ProjectId == place.Project?.Id.Text) >= WebhookRegister.PerOwnerMax),
            ("Rest", webhooks.Count > RowsMax
                ? $"The first {RowsMax} of {Shown.Number(webhooks.Count)}; each project has its own on its page."
                : null),
            ("Whole", place.Project is not null && RoleTable.May(place.RolesAbove, Act.ManageWebhooks)
                ? $"{ConsolePlace.Root}/{place.Organization.Id.Text}/webhooks"
                : null));
    }

    /// <summary>Its own before those of projects that are no longer there, which have no other page; then the rest.</summary>
    private static int RankOf(ConsolePlace place, Webhook webhook) => webhook.ProjectId is not { } id ? 0
        : place.Projects.Any(project => project.Id.Text == id) ? 2
        : 1;

    public static IResult Form(
        HttpContext http, FrameMaker pages, WebhookOptions options, Webhook? webhook, int status, IFormCollection? sent,
        IReadOnlyList<PageFault> faults) => pages.Of<WebhookFormPage>(
            http, status, ("Faults", faults),
            ("Form", new WebhookForm(options, ConsolePlace.Of(http).Project is not null || webhook?.ProjectId is not null)
                .Show(HomeOf(ConsolePlace.Of(http)), webhook, sent)));

    private static async Task<IResult> Create(
        HttpContext http, FrameMaker pages, PlaceBook book, WebhookRegister register, WebhookOptions options)
    {
        var (place, sent) = (ConsolePlace.Of(http), http.Request.Form);
        if ((await Write(http, book, (scope, owner) => register.Create(scope, owner, WebhookForm.ReadNew(sent))))
            .TryGet(out var made, out var problem))
        {
            return Secret(http, pages, made.Webhook, made.Secret, "The webhook is made. Events are sent to it from now on.");
        }

        return problem.Errors.Count > 0
            ? Form(http, pages, options, null, problem.Code.Status, sent, WebhookForm.Faults(http, problem))
            : pages.Problem(http, problem, HomeOf(place));
    }

    /// <summary>The answer to the form itself: nothing is kept to show it again.</summary>
    public static IResult Secret(HttpContext http, FrameMaker pages, Webhook webhook, string secret, string sentence) =>
        pages.Of<WebhookSecretPage>(http, 200, ("Secret", new WebhookSecretFacts(
            secret, $"{HomeOf(ConsolePlace.Of(http))}/{webhook.Id}", sentence)
        {
            Snippets = VerifySnippets.All,
        }));
}
