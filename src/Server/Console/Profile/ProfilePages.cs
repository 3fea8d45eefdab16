using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Profile;

/// <summary>
/// Who I am, and the token I call the API with: where the provider keeps secrets revealable, it is generated here, and copied again later.
/// Each look at it is in the audit log.
/// </summary>
internal static class ProfilePages
{
    private const string Below = "/profile";
    private const string TokenName = "API token";

    public static void MapProfilePages(this IEndpointRouteBuilder places)
    {
        var pages = places.MapGroup(Below).RefusedBy(Refusal);
        pages.MapGet("", Show);
        pages.MapPost("/generate", Generate);
        pages.MapPost("/copy", Copy);
    }

    /// <summary>Null where secrets are shown once, and where one sees no keys.</summary>
    public static string? HrefIn(ConsolePlace place, ProviderModel provider) =>
        provider.Keys.Revealable && place.Project is not null && place.May(Act.SeeKeys) ? place.Path + Below : null;

    private static Problem? Refusal(HttpContext http)
    {
        var place = ConsolePlace.Of(http);
        return !http.RequestServices.GetRequiredService<ProviderModel>().Keys.Revealable || place.Project is null
            ? new Problem(ProblemCode.NotFound, "There is no such page here.")
            : place.May(Act.SeeKeys) ? null
            : Problem.Of(ProblemCode.RoleMissing);
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, KeyRing ring, ProviderModel provider, TimeProvider time)
    {
        var token = await Find(http, ring);
        var (place, person, nowMs) = (ConsolePlace.Of(http), SignedIn.Of(http).Person, KeyPages.Now(time));
        var home = place.Path + Below;
        var used = token is null ? null
            : await http.RequestServices.GetRequiredService<UsageReader>().LastUses([token.KeyNo], http.RequestAborted);
        return pages.Of<ProfilePage>(http, 200, ("Profile", new ProfileFacts(person.Name, person.Email, home)
        {
            Token = token is null ? null : new TokenLine(token.Name, token.Mask, KeyPage.StatusOf(token, nowMs))
            {
                Made = MomentFacts.Of(token.CreatedAtMs, nowMs),
                Used = MomentFacts.Of(used!.TryGetValue(token.KeyNo, out var usedMs) ? usedMs : null, nowMs),
                Href = $"{place.Path}/keys/{token.Id}",
                AnewHref = provider.Keys.Offers(KeyOperations.Regenerate) ? $"{place.Path}/keys/{token.Id}/regenerate" : null,
            },
            MayGenerate = place.May(Act.MakeKeys),
        }));
    }

    private static Task<Key?> Find(HttpContext http, KeyRing ring) =>
        ring.NewestOf(ConsolePlace.Of(http).Project!, SignedIn.Of(http).Person.Id, http.RequestAborted);

    private static async Task<IResult> Generate(
        HttpContext http, FrameMaker pages, PlaceBook book, KeyRing ring, ProviderModel provider)
    {
        var place = ConsolePlace.Of(http);
        if ((await book.Write<Generated>(http, null, Act.MakeKeys, async scope =>
            await KeyRing.NewestOf(scope, place.Project!) is not null ? new Generated(null)
            : (await ring.Issue(scope, place.Id, new CreateKey { Name = TokenName })).TryGet(out var issued, out var refused)
                ? new Generated(issued)
            : refused)).TryGet(out var generated, out var problem))
        {
            // Pressed twice: there is one already.
            return generated.Key is { } made
                ? KeyPages.Secret(http, pages, provider, made, "This is your API token.")
                : PageMaker.See(http, place.Path + Below);
        }

        // The provider file asks for more than a name.
        return problem.Code == ProblemCode.ValidationFailed
            ? PageMaker.See(http, $"{place.Path}/keys/new")
            : pages.Problem(http, problem, place.Path + Below);
    }

    private static async Task<IResult> Copy(
        HttpContext http, FrameMaker pages, PlaceBook book, KeyRing ring, ProviderModel provider)
    {
        var place = ConsolePlace.Of(http);
        if (await Find(http, ring) is not { } token)
        {
            return PageMaker.See(http, place.Path + Below);
        }

        var id = token.Id.ToString();
        return (await book.Write(http, id, Act.ManageKeys, scope => ring.Reveal(scope, id))).TryGet(out var shown, out var problem)
            ? KeyPages.Secret(http, pages, provider, shown, "This is your API token. That you looked is noted in the audit log.")
            : pages.Problem(http, problem, place.Path + Below);
    }

    /// <summary>Null where there was a token already.</summary>
    private sealed record Generated(IssuedKey? Key);
}
