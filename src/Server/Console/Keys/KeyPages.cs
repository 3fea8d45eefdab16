using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Try;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Keys;

/// <summary>The keys of a project: the list, the form that makes one, and the secret that is shown once.</summary>
internal static class KeyPages
{
    private const int RowsMax = 50;

    private const string PersonPrefix = "per_";

    private static readonly string[] Statuses = ["active", "disabled", "expired", "revoked"];

    public static void MapKeyPages(this IEndpointRouteBuilder places)
    {
        var keys = places.MapGroup("/keys").RefusedBy(Refusal);
        keys.MapGet("", List);
        keys.MapGet("/new", (HttpContext http, FrameMaker pages, ProviderModel provider, PlanBook plans, TimeProvider time) =>
            Form(http, pages, FormOf(http, provider, plans, time), 200, null, []));
        keys.MapPost("/new", Create);
        keys.MapKeyPage();
    }

    /// <summary>Why somebody may not be here; keys are a project's.</summary>
    private static Problem? Refusal(HttpContext http)
    {
        var place = ConsolePlace.Of(http);
        return place.Project is null ? new Problem(ProblemCode.NotFound, "Keys belong to a project: choose one.")
            : place.May(Act.SeeKeys) ? null
            : Problem.Of(ProblemCode.RoleMissing);
    }

    private static async Task<IResult> List(
        HttpContext http, FrameMaker pages, KeyRing ring, Pages lists, TimeProvider time, string? status, string? cursor, string? done,
        string? name)
    {
        var (place, nowMs) = (ConsolePlace.Of(http), Now(time));
        var chosen = Statuses.Contains(status) ? status : null;
        if (!lists.Read(http, $"console keys {place.Id} {chosen}", RowsMax, cursor).TryGet(out var page, out var problem)
            || !(await ring.List(place.Caller, place.Id, chosen, page.Before, page.Limit + 1, nowMs, http.RequestAborted))
                .TryGet(out var keys, out problem))
        {
            return pages.Problem(http, problem);
        }

        var (data, next) = page.Cut(keys, key => key.KeyNo);
        var notice = KeyAction.All.FirstOrDefault(action => action.Name == done) is { } action && name is { Length: <= 200 }
            ? action.Done(name)
            : null;
        return pages.Of<KeyListPage>(
            http, 200, ("Keys", await Lines(http, data, nowMs)), ("Home", $"{place.Path}/keys"), ("Chosen", chosen),
            ("Next", next is null ? null : $"{place.Path}/keys?status={chosen}&cursor={Uri.EscapeDataString(next)}"),
            ("MayMake", place.May(Act.MakeKeys)), ("Notice", notice));
    }

    private static async Task<IReadOnlyList<KeyLine>> Lines(HttpContext http, IReadOnlyList<Key> keys, long nowMs)
    {
        var (services, home) = (http.RequestServices, $"{ConsolePlace.Of(http).Path}/keys");
        var used = await services.GetRequiredService<UsageReader>().LastUses([.. keys.Select(key => key.KeyNo)], http.RequestAborted);
        var makers = await MakersOf(http, keys.Select(key => key.CreatedBy));
        return
        [
            .. keys.Select(key => new KeyLine(
                $"{home}/{key.Id}", key.Name, key.Mask, KeyPage.StatusOf(key, nowMs), key.Environment, makers[key.CreatedBy])
            {
                Used = MomentFacts.Of(used.TryGetValue(key.KeyNo, out var usedMs) ? usedMs : null, nowMs),
                Made = MomentFacts.Of(key.CreatedAtMs, nowMs),
            }),
        ];
    }

    /// <summary>Who made keys, as people call them: oneself is "you", but by name in a file, which others read.</summary>
    public static async Task<Dictionary<string, string>> MakersOf(HttpContext http, IEnumerable<string> ids, bool isFile = false)
    {
        var people = http.RequestServices.GetRequiredService<PersonRegister>();
        var own = isFile ? null : SignedIn.Of(http).Person.Id;
        var all = ids.Distinct(StringComparer.Ordinal).ToList();
        var others = all.Where(id => id != own && id.StartsWith(PersonPrefix, StringComparison.Ordinal)).ToList();
        var found = (await people.Find(others, http.RequestAborted))
            .ToDictionary(person => person.Id, person => person.Name, StringComparer.Ordinal);
        return all.ToDictionary(
            id => id,
            id => id == own ? "you"
                : id is "root" or "system" ? "the operator"
                : found.GetValueOrDefault(id) is { Length: > 0 } name ? name
                : id.StartsWith(PersonPrefix, StringComparison.Ordinal) ? "somebody who is gone"
                : "a key",
            StringComparer.Ordinal);
    }

    private static KeyForm FormOf(HttpContext http, ProviderModel provider, PlanBook plans, TimeProvider time) =>
        new(provider, plans.Of(ConsolePlace.Of(http).Organization.Plan), Now(time));

    private static IResult Form(
        HttpContext http, FrameMaker pages, KeyForm form, int status, IFormCollection? sent, IReadOnlyList<PageFault> faults) =>
        ConsolePlace.Of(http).May(Act.MakeKeys)
            ? pages.Of<KeyFormPage>(http, status, ("Form", form.Show($"{ConsolePlace.Of(http).Path}/keys", sent)), ("Faults", faults))
            : pages.Problem(http, Problem.Of(ProblemCode.RoleMissing));

    private static async Task<IResult> Create(
        HttpContext http, FrameMaker pages, PlaceBook book, KeyRing ring, ProviderModel provider, PlanBook plans, TimeProvider time)
    {
        var (form, place) = (FormOf(http, provider, plans, time), ConsolePlace.Of(http));
        var sent = http.RequestServices.GetRequiredService<SentForms>();
        if (!sent.TryTake(http))
        {
            return pages.Problem(
                http,
                new Problem(
                    ProblemCode.Conflict,
                    "This form was sent before. Look into the list: a key that it made is there, and its secret was shown then. Lost it? "
                    + "Give the key a new one."),
                $"{place.Path}/keys");
        }

        var isMade = false;
        Problem? problem;
        try
        {
            if (form.Read(http.Request.Form).TryGet(out var asked, out problem)
                && (await book.Write(http, null, Act.MakeKeys, scope => ring.Issue(scope, place.Id, asked)))
                    .TryGet(out var issued, out problem))
            {
                isMade = true;
                return Secret(http, pages, provider, issued, $"{issued.Key.Name} is made.");
            }
        }
        finally
        {
            if (!isMade)
            {
                sent.GiveBack(http);
            }
        }

        return problem.Code == ProblemCode.ValidationFailed
            ? Form(http, pages, form, problem.Code.Status, http.Request.Form, KeyForm.Faults(http, problem))
            : pages.Problem(http, problem, $"{place.Path}/keys");
    }

    /// <summary>The answer to the form itself: nothing is kept to show it again.</summary>
    public static IResult Secret(HttpContext http, FrameMaker pages, ProviderModel provider, IssuedKey issued, string sentence)
    {
        var snippets = http.RequestServices.GetRequiredService<SnippetMaker>();
        return pages.Of<SecretPage>(http, 200, ("Secret", new SecretFacts(
            issued.Secret!, issued.Key.Name, $"{ConsolePlace.Of(http).Path}/keys/{issued.Key.Id}")
        {
            TryHref = TryPages.HrefIn(ConsolePlace.Of(http), snippets) is { } href ? $"{href}?key={issued.Key.Id}" : null,
            Sentence = sentence, IsRevealable = provider.Keys.Revealable, Snippets = snippets.Of(issued.Key, issued.Secret!),
        }));
    }

    public static long Now(TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();
}
