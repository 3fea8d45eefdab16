using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.Options;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.MagicLinks;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.SignIn;

/// <summary>The plain pages of signing in. A GET of a link only shows a button: programs that look into mails follow links.</summary>
internal static class SignInEndpoints
{
    private const string LinkSent =
        "If there is an account with this address, a mail with a link is on its way to it. Look into your mail, also among the unwanted.";

    public static void AddSignInPages(this IServiceCollection services, PeopleOptions options)
    {
        services.AddSingleton<IAntiforgeryAdditionalDataProvider, FormBinding>();
        services.AddRazorComponents();
        services.Configure<AntiforgeryOptions>(forms =>
        {
            forms.FormFieldName = "form_token";
            forms.HeaderName = null;
            forms.SuppressXFrameOptionsHeader = true;
            forms.Cookie.Name = options.IsSecure ? "__Host-tollgate-form" : "tollgate-form";
            forms.Cookie.SecurePolicy = options.IsSecure ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
            forms.Cookie.SameSite = SameSiteMode.Lax;
            forms.Cookie.Path = "/";
        });
        // It would make a file of keys that nothing uses: ours follow from the pepper.
        foreach (var service in services.Where(service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.Name == "DataProtectionHostedService").ToList())
        {
            services.Remove(service);
        }

        services.AddSingleton<PageMaker>().AddSingleton<BackCookie>();
    }

    public static void MapSignInPages(this IEndpointRouteBuilder app)
    {
        foreach (var file in PageFile.All)
        {
            app.MapGet(file.Address, file.Answer).Public().ExcludeFromDescription();
        }

        var pages = app.MapGroup("").Public().ExcludeFromDescription().AddEndpointFilter<RouteGroupBuilder, PageShield>();
        pages.MapGet("/sign-in", Show);
        pages.MapPost("/sign-in", SignIn);
        pages.MapConnections();
        pages.MapSecondStep();
        pages.MapPasskeys();
        pages.MapGet("/sign-in/once/{token}", ShowOnce);
        pages.MapPost("/sign-in/once/{token}", UseOnce);
        pages.MapPost("/sign-out", SignOut);
        pages.MapGet("/sign-up", (HttpContext http, PageMaker maker) => maker.Of<SignUpPage>(http, 200));
        pages.MapPost("/sign-up", SignUp);
        pages.MapConfirm();
        pages.MapGet("/forgot", (HttpContext http, PageMaker maker) => Ask(http, maker, Forgot));
        pages.MapPost("/forgot", AskReset);
        pages.MapGet("/reset", ShowReset);
        pages.MapPost("/reset", Reset);
        pages.MapGet("/magic", ShowMagic);
        pages.MapPost("/magic", Magic);
        pages.MapInvitations();
        pages.MapGroup(AccountGate.Root).AddEndpointFilter<RouteGroupBuilder, SessionGate>()
            .AddEndpointFilter<RouteGroupBuilder, AccountGate>().MapAccount();
    }

    /// <summary>
    /// To the second step, or the browser's new session; with it goes the cookie of the forms from before. From then on the account knows
    /// the browser. Who came from a page goes back to it.
    /// </summary>
    public static async Task<IResult> Enter(HttpContext http, Entry entry)
    {
        var (services, secret) = (http.RequestServices, entry.Secret);
        if (entry.IsWaiting)
        {
            services.GetRequiredService<SecondStepCookie>().Set(http, secret);
            return PageMaker.See(http, SecondStepEndpoints.Path);
        }

        services.GetRequiredService<SecondStepCookie>().Clear(http);
        services.GetRequiredService<SessionCookie>().Set(http, secret);
        // Who has no address yet, as an operator on the first day, is led to where one is given: it is the way back in.
        var home = "/account";
        if (await services.GetRequiredService<SessionBook>().Find(secret, http.RequestAborted) is { Person.EmailKey: { } account })
        {
            home = ConsolePlace.Root;
            services.GetRequiredService<DeviceCookie>().Set(http, account);
        }

        var forms = services.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.Cookie;
        http.Response.Cookies.Delete(forms.Name!, forms.Build(http));
        var back = services.GetRequiredService<BackCookie>();
        home = back.Read(http) ?? home;
        back.Clear(http);
        return PageMaker.See(http, home);
    }

    public static string Field(HttpContext http, string name) => http.Request.Form[name] is [{ } text] ? text : "";

    private static readonly (string Title, string Sentence, string Action) Forgot =
        ("Choose a new password", "A link to choose one is sent to your address. It works for an hour.", "/forgot");

    private static readonly (string Title, string Sentence, string Action) ByMagic =
        ("Sign in by a link", "A link that signs you in is sent to your address. It works for 15 minutes.", "/magic");

    private static IResult Show(HttpContext http, PageMaker pages, string? done) => pages.Of<SignInPage>(http, 200, ("Notice", done switch
    {
        "verified" => "Your address is confirmed. Sign in now.",
        "reset" => "Your password is changed. Sign in with it now.",
        "deleted" => "Your account is deleted.",
        "out" => "You are signed out.",
        _ => null,
    }));

    private static async Task<IResult> SignIn(HttpContext http, PasswordDoor door, PageMaker pages, SessionCookie cookie)
    {
        var email = Field(http, "email");
        var outcome = await door.SignIn(Visit.Of(http), email, Field(http, "password"), cookie.Read(http));
        return outcome.TryGet(out var entry, out var problem)
            ? await Enter(http, entry)
            : pages.Of<SignInPage>(http, problem.Code.Status, ("Email", email), ("Faults", PageMaker.Faults(http, problem)));
    }

    private static async Task<IResult> SignOut(HttpContext http, SessionBook sessions, SessionCookie cookie, PlaceCookie last)
    {
        if (await sessions.Find(cookie.Read(http), http.RequestAborted) is { } who)
        {
            _ = await sessions.End(Visit.Of(http), who.Person, who.Session.Id);
        }

        cookie.Clear(http);
        last.Clear(http);
        return PageMaker.See(http, "/sign-in?done=out");
    }

    private static async Task<IResult> ShowOnce(HttpContext http, string token, LinkBook links, PageMaker pages) =>
        await links.IsGood(LinkKind.Once, token, http.RequestAborted)
            ? Button(http, pages, "Sign in", "This signs you in as the operator, once.", $"/sign-in/once/{token}", "Sign in", token)
            : pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));

    private static async Task<IResult> UseOnce(
        HttpContext http, string token, OperatorDoor door, PageMaker pages, SessionCookie cookie) =>
        (await door.Use(Visit.Of(http), token, cookie.Read(http))).TryGet(out var entry, out var problem)
            ? await Enter(http, entry)
            : pages.Problem(http, problem);

    private static async Task<IResult> SignUp(HttpContext http, SignUpDoor door, PageMaker pages)
    {
        var (name, typed, password) = (Field(http, "name").Trim(), Field(http, "email"), Field(http, "password"));
        var faults = SignUpDoor.Faults(name, typed, password);
        if (faults.Count > 0 || !EmailAddress.TryRead(typed, out var email))
        {
            return Again(422, PageMaker.Faults(faults));
        }

        return (await door.Ask(Visit.Of(http), name, email, password)).TryGet(out _, out var problem)
            ? pages.Note(http, 200, "Look into your mail", "If the address is new here, a mail with a link to confirm it is on its way. "
                + "If you have an account already, sign in, or choose a new password.", "/sign-in", "Sign in")
            : Again(problem.Code.Status, PageMaker.Faults(http, problem));

        IResult Again(int status, IReadOnlyList<PageFault> all) =>
            pages.Of<SignUpPage>(http, status, ("Name", name), ("Email", typed), ("Faults", all));
    }

    private static async Task<IResult> AskReset(HttpContext http, LinkDoor door, PageMaker pages)
    {
        var typed = Field(http, "email");
        return EmailAddress.TryRead(typed, out var email)
            ? Sent(http, pages, await door.Ask(Visit.Of(http), LinkKind.Reset, email), Forgot, typed)
            : NoAddress(http, pages, Forgot, typed);
    }

    private static async Task<IResult> ShowReset(HttpContext http, string? token, LinkBook links, PageMaker pages) =>
        await links.IsGood(LinkKind.Reset, token, http.RequestAborted)
            ? pages.Of<ResetPage>(http, 200, ("Token", token))
            : pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));

    private static async Task<IResult> Reset(HttpContext http, PasswordDoor door, PageMaker pages)
    {
        var (token, password) = (Field(http, "token"), Field(http, "password"));
        var fault = PasswordRules.Fault(password, null, null);
        var outcome = fault is null ? await door.Reset(Visit.Of(http), token, password) : Problem.Invalid("/password", fault);
        return outcome.TryGet(out _, out var problem) ? PageMaker.See(http, "/sign-in?done=reset")
            : problem.Code == ProblemCode.LinkEnded ? pages.Problem(http, problem)
            : pages.Of<ResetPage>(http, problem.Code.Status, ("Token", token), ("Faults", PageMaker.Faults(http, problem)));
    }

    private static async Task<IResult> ShowMagic(HttpContext http, string? token, LinkBook links, PageMaker pages) =>
        token is null ? Ask(http, pages, ByMagic)
        : await links.IsGood(LinkKind.Magic, token, http.RequestAborted)
            ? Button(http, pages, "Sign in", "Sign in only if it was you who asked for the link.", "/magic", "Sign in", token)
        : pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));

    /// <summary>With an address a link is asked for, with a token one is used.</summary>
    private static async Task<IResult> Magic(HttpContext http, MagicDoor door, LinkDoor links, PageMaker pages, SessionCookie cookie)
    {
        if (http.Request.Form.ContainsKey("token"))
        {
            return (await door.Use(Visit.Of(http), Field(http, "token"), cookie.Read(http))).TryGet(out var entry, out var problem)
                ? await Enter(http, entry)
                : pages.Problem(http, problem);
        }

        var typed = Field(http, "email");
        return EmailAddress.TryRead(typed, out var email)
            ? Sent(http, pages, await links.Ask(Visit.Of(http), LinkKind.Magic, email), ByMagic, typed)
            : NoAddress(http, pages, ByMagic, typed);
    }

    private static IResult Sent(
        HttpContext http, PageMaker pages, Outcome<bool> outcome, (string Title, string Sentence, string Action) page, string typed) =>
        outcome.TryGet(out _, out var problem)
            ? pages.Note(http, 200, "Look into your mail", LinkSent)
            : Ask(http, pages, page, problem.Code.Status, typed, PageMaker.Faults(http, problem));

    private static IResult NoAddress(
        HttpContext http, PageMaker pages, (string Title, string Sentence, string Action) page, string typed) =>
        Ask(http, pages, page, 422, typed, [new PageFault("email", $"The address {EmailAddress.Expected}")]);

    private static IResult Ask(
        HttpContext http, PageMaker pages, (string Title, string Sentence, string Action) page, int status = 200, string? typed = null,
        IReadOnlyList<PageFault>? faults = null) => pages.Of<AskPage>(
            http, status, ("Title", page.Title), ("Sentence", page.Sentence), ("Action", page.Action), ("Email", typed),
            ("Faults", faults ?? []));

    public static IResult Button(
        HttpContext http, PageMaker pages, string title, string sentence, string action, string button, string token) =>
        pages.Of<LinkPage>(
            http, 200, ("Title", title), ("Sentence", sentence), ("Action", action), ("Button", button), ("Token", token));
}
