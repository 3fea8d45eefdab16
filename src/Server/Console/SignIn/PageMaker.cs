using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.SignIn;

/// <summary>Makes pages: static HTML, drawn on the server, with a token for their forms.</summary>
internal sealed class PageMaker(IAntiforgery forms, ProviderModel provider, PeopleOptions options, ConnectionBook connections)
{
    private const string Policy =
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>For the one page whose work no form can do: our own script files, and nothing written into the page.</summary>
    private const string PolicyWithScript = $"{Policy}; script-src 'self'";

    private readonly IReadOnlyList<WayIn> _ways =
        [.. connections.Kinds.Select(kind => new WayIn(kind.Name, kind.Title, kind.StartPath))];

    public IResult Of<TPage>(HttpContext http, int status, params (string Name, object? Value)[] parameters)
        where TPage : IComponent
    {
        Dress(http);
        if (typeof(TPage) == typeof(PasskeyPage))
        {
            http.Response.Headers.ContentSecurityPolicy = PolicyWithScript;
        }

        // A note has no form, and sets no cookie.
        var tokens = typeof(TPage) == typeof(NotePage) || typeof(TPage) == typeof(ContinuePage) ? null : forms.GetAndStoreTokens(http);
        var facts = new PageFacts(
            provider.DisplayName, tokens?.FormFieldName ?? "", tokens?.RequestToken ?? "", PageFile.SignInStyle.Address, _ways);
        var all = parameters.Append(("Facts", facts)).ToDictionary(one => one.Item1, one => one.Item2, StringComparer.Ordinal);
        return new RazorComponentResult<TPage>(all) { StatusCode = status, PreventStreamingRendering = true };
    }

    public IResult Note(HttpContext http, int status, string title, string sentence, string? href = null, string? link = null) =>
        Of<NotePage>(http, status, ("Title", title), ("Sentence", sentence), ("Href", href), ("Link", link));

    /// <summary>What binds browsers, on every answer to who looks at pages.</summary>
    public void Dress(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        (headers.CacheControl, headers.Pragma) = ("no-cache, no-store", "no-cache");
        if (options.IsSecure)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }
    }

    /// <summary>How a problem is told at the paths of pages, wherever it comes up.</summary>
    public Task Tell(HttpContext http, Problem problem) => Problem(http, problem).ExecuteAsync(http);

    /// <summary>What stands in the way, as a page of its own.</summary>
    public IResult Problem(HttpContext http, Problem problem)
    {
        TellWait(http, problem);
        var isToSignIn = problem.Code == ProblemCode.ProofNeeded || problem.Code == ProblemCode.LinkEnded
            || problem.Code == ProblemCode.ConnectionRefused || problem.Code == ProblemCode.ConnectionEmail
            || problem.Code == ProblemCode.ConnectionUnreachable;
        // Nowhere is a dead end, but where no page of ours is served.
        var (href, link) = problem.Code == ProblemCode.HttpsNeeded ? ((string?)null, (string?)null)
            : problem.Code == ProblemCode.ProofNeeded && http.Request.Path.StartsWithSegments("/account") ? ("/account/again", "Sign in")
            : isToSignIn ? ("/sign-in", "Sign in")
            : ("/account", "Your account");
        return Note(http, problem.Code.Status, "That did not work", problem.Detail, href, link);
    }

    /// <summary>A problem as a fault of a form, which is shown again.</summary>
    public static IReadOnlyList<PageFault> Faults(HttpContext http, Problem problem)
    {
        TellWait(http, problem);
        var wait = problem.RetryAfterSeconds is { } seconds ? $" Try again in {Words(seconds)}." : "";
        return problem.Errors.Count > 0
            ? [.. problem.Errors.Select(error => new PageFault(error.Pointer.TrimStart('/'), $"It {error.Expected}"))]
            : [new PageFault("", problem.Detail + wait)];
    }

    public static IReadOnlyList<PageFault> Faults(IEnumerable<FormFault> faults) =>
        [.. faults.Select(fault => new PageFault(fault.Field, fault.Sentence))];

    public static IResult See(HttpContext http, string path)
    {
        http.Response.Headers.Location = path;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    private static string Words(int seconds) => seconds < 120 ? $"{seconds} seconds" : $"{(seconds + 59) / 60} minutes";

    private static void TellWait(HttpContext http, Problem problem)
    {
        if (problem.RetryAfterSeconds is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
