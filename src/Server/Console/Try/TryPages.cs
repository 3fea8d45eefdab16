using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Surfaces;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Try;

/// <summary>
/// Does my key work, now? A message to a model with one of the project's keys, under the session of who may manage it: a request like any
/// other, with its check, its limits and its bill.
/// </summary>
internal static class TryPages
{
    private const string Below = "/try";
    private const int KeysShown = 100;

    public static void MapTryPages(this IEndpointRouteBuilder places)
    {
        var pages = places.MapGroup(Below).RefusedBy(Refusal);
        pages.MapGet("", Show);
        pages.MapPost("", Send);
    }

    /// <summary>Where a key of a place is tried; null where the provider has no chat, or the role manages no keys.</summary>
    public static string? HrefIn(ConsolePlace place, SnippetMaker snippets) =>
        place.Project is not null && place.May(Act.ManageKeys) && snippets.ChatPath is not null ? place.Path + Below : null;

    private static Problem? Refusal(HttpContext http)
    {
        var place = ConsolePlace.Of(http);
        return place.Project is null ? new Problem(ProblemCode.NotFound, "Keys belong to a project: choose one.")
            : http.RequestServices.GetRequiredService<SnippetMaker>().ChatPath is null
                ? new Problem(ProblemCode.NotFound, "This API has no chat to try a key with.")
            : place.May(Act.ManageKeys) ? null
            : Problem.Of(ProblemCode.RoleMissing);
    }

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, UsageReader reader, ProviderModel provider, string? key, string? request)
    {
        var place = ConsolePlace.Of(http);
        TrialFacts? trial = null;
        if (RequestId.TryParse(request, out var number)
            && (await reader.Find(place.Caller, number, http.RequestAborted)).TryGet(out var row, out _) && row.ProjectId == place.Id)
        {
            (key, trial) = (row.KeyId, new TrialFacts { Facts = [.. TrialWords.Facts(row, provider.Wallet?.Currency)] });
        }

        return await Page(http, pages, 200, key, TryForm.Empty, trial, []);
    }

    private static async Task<IResult> Page(
        HttpContext http, FrameMaker pages, int status, string? keyId, TryForm form, TrialFacts? trial, IReadOnlyList<PageFault> faults)
    {
        var (place, services) = (ConsolePlace.Of(http), http.RequestServices);
        if (!(await KeysOf(http, keyId)).TryGet(out var keys, out var problem))
        {
            return pages.Problem(http, problem);
        }

        var chosen = keys.Find(key => key.Id.ToString() == keyId)
            ?? keys.Find(key => key.Holds == default) ?? keys.FirstOrDefault();
        return pages.Of<TryPage>(
            http, status,
            ("Form", form.Show(
                place.Path + Below, chosen, keys, services.GetRequiredService<ProviderModel>(),
                place.May(Act.MakeKeys) ? $"{place.Path}/keys/new" : null)),
            ("Trial", trial), ("Faults", faults));
    }

    /// <summary>Those that one manages, the newest first, and the one that is asked for wherever it is.</summary>
    private static async Task<Outcome<List<Key>>> KeysOf(HttpContext http, string? asked)
    {
        var (place, services, who) = (ConsolePlace.Of(http), http.RequestServices, SignedIn.Of(http));
        var nowMs = KeyPages.Now(services.GetRequiredService<TimeProvider>());
        var managesAll = RoleTable.May(place.Caller.Roles & ~Roles.Maker, Act.ManageKeys);
        if (!(await services.GetRequiredService<KeyRing>().List(
            place.Caller, place.Id, null, long.MaxValue, KeysShown, nowMs, http.RequestAborted, managesAll ? null : who.Person.Id,
            isOpen: true)).TryGet(out var keys, out var problem))
        {
            return problem;
        }

        if (asked is not null && keys.TrueForAll(key => key.Id.ToString() != asked)
            && (await services.GetRequiredService<PlaceBook>().FindKey(who, place, asked, Act.ManageKeys, http.RequestAborted))
                .TryGet(out var found, out _))
        {
            keys.Add(found.Key);
        }

        return keys;
    }

    private static async Task<IResult> Send(
        HttpContext http, FrameMaker pages, PlaceBook book, KeyRing ring, ProviderFront front, SnippetMaker snippets, UsageReader reader,
        ProviderModel provider)
    {
        var (place, form) = (ConsolePlace.Of(http), TryForm.Of(http.Request.Form));
        var keyId = SignInEndpoints.Field(http, "key");
        if (!(await book.FindKey(SignedIn.Of(http), place, keyId, Act.ManageKeys, http.RequestAborted))
            .TryGet(out var found, out var problem))
        {
            return pages.Problem(http, problem, place.Path + Below);
        }

        if (form.Faults(found.Key, provider) is { Count: > 0 } faults)
        {
            return await Page(http, pages, ProblemCode.ValidationFailed.Status, keyId, form, null, faults);
        }

        if (!(await book.Write(http, keyId, Act.ManageKeys, scope => ring.Lend(scope, keyId, form.Model)))
            .TryGet(out var loan, out problem))
        {
            return pages.Problem(http, problem, place.Path + Below);
        }

        var streams = http.Request.Headers.Accept is ["text/event-stream"];
        TrialAnswer answer;
        using (loan)
        {
            answer = await TrialRequest.Send(
                http, front, snippets.ChatPath!, loan.Secret, TrialWords.Body(form.Model, form.Message, form.Tokens, streams), streams);
        }

        if (answer.IsStreamed)
        {
            return Results.Empty;
        }

        var row = await reader.Find(place.Caller, RequestId.NumberOf(http), http.RequestAborted) is { IsOk: true } read
            ? read.Value
            : null;
        return await Page(http, pages, 200, keyId, form, TrialWords.Of(answer, row, http, provider.Wallet?.Currency), []);
    }
}
