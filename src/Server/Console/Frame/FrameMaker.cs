using Microsoft.AspNetCore.Components;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Operator;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Wallet;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Console.Frame;

/// <summary>Makes the pages of the console: those of <see cref="PageMaker"/>, within a frame that says where one is.</summary>
internal sealed class FrameMaker(PageMaker pages, FrameLinks links, WalletLedger ledger, ProviderModel provider, BackCookie comeBack)
{
    public IResult Of<TPage>(HttpContext http, int status, params (string Name, object? Value)[] parameters)
        where TPage : IComponent
    {
        var page = pages.Of<TPage>(http, status, [.. parameters, ("Frame", FactsOf(http))]);
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = $"{headers.ContentSecurityPolicy}; connect-src 'self'; script-src 'self'";
        headers["Speculation-Rules"] = $"\"{PageFile.Speculation.Address}\"";
        return page;
    }

    /// <summary>What stands in the way, as a page of its own that leads back.</summary>
    public IResult Problem(HttpContext http, Problem problem, string? back = null)
    {
        if (problem.Code == ProblemCode.SessionEnded)
        {
            return PageMaker.See(http, "/sign-in");
        }

        var from = back ?? http.Features.Get<ConsolePlace>()?.Path ?? ConsolePlace.Root;
        if (problem.Code == ProblemCode.ProofNeeded)
        {
            comeBack.Set(http, from);
        }

        return Of<ProblemPage>(
            http, problem.Code.Status, ("Sentence", problem.Detail), ("Code", problem.Code.Code),
            ("AsksSignIn", problem.Code == ProblemCode.ProofNeeded), ("Back", from));
    }

    private FrameFacts FactsOf(HttpContext http)
    {
        var person = SignedIn.Of(http).Person;
        var path = http.Request.Path.Value ?? "";
        if (OperatorPages.IsAt(path))
        {
            return OfOperator(http, person, path);
        }

        if (AccountGate.IsAt(path) && http.Features.Get<ConsolePlace>() is null)
        {
            return OfNowhere(person, path);
        }

        var place = ConsolePlace.Of(http);
        var above = $"{ConsolePlace.Root}/{place.Organization.Id.Text}";
        return new FrameFacts(
            PageFile.ConsoleStyle.Address, PageFile.ConsoleScript.Address, NameOf(person), ConsolePlace.NameOf(place.Organization, person),
            place.Project?.Name, place.Path)
        {
            Pages = [.. links.Of(place, path)],
            OperatorPages = person.IsOperator != 0 ? OperatorPages.Links(path) : [],
            Warning = path == $"{place.Path}/wallet" ? null : WalletWords.WarningOf(place, ledger, provider.Wallet),
            Organizations =
            [
                .. place.Organizations.Select(one => new FrameLink(
                    ConsolePlace.NameOf(one, person), $"{ConsolePlace.Root}/{one.Id.Text}",
                    one.OrganizationNo == place.Organization.OrganizationNo)),
            ],
            Projects =
            [
                .. place.Projects.Select(one => new FrameLink(
                    one.Name, $"{ConsolePlace.Root}/{one.Id.Text}", one.ProjectNo == place.Project?.ProjectNo)),
                .. RoleTable.May(place.RolesAbove, Act.ReadUsage)
                    ? [new FrameLink("All projects", $"{above}/all", place.Project is null)]
                    : Array.Empty<FrameLink>(),
            ],
            MoreProjects = place.HasMoreProjects ? $"{above}/projects" : null,
            NewProject = RoleTable.May(place.RolesAbove, Act.RunOrganization) ? $"{above}/projects/new" : null,
            NewTeam = place.TeamsOwned < provider.Teams?.OwnedMax ? $"{above}/team/new" : null,
        };
    }

    private static string NameOf(Person person) => person.Name.Length > 0 ? person.Name : person.Email ?? "Your account";

    /// <summary>For who is in no organization: all that there is are one's own account and what is everybody's.</summary>
    private static FrameFacts OfNowhere(Person person, string path) => new(
        PageFile.ConsoleStyle.Address, PageFile.ConsoleScript.Address, NameOf(person), "Your account", "In no organization",
        AccountGate.Root)
    {
        Pages = [FrameLinks.Security(path), FrameLinks.Docs],
        OperatorPages = person.IsOperator != 0 ? OperatorPages.Links(path) : [],
    };

    /// <summary>Over everybody; whose organization one is in is where one can go from there.</summary>
    private static FrameFacts OfOperator(HttpContext http, Person person, string path)
    {
        var place = http.Features.Get<ConsolePlace>();
        return new FrameFacts(
            PageFile.ConsoleStyle.Address, PageFile.ConsoleScript.Address, NameOf(person), "Operator", "All customers", OperatorPages.Root)
        {
            OperatorPages = OperatorPages.Links(path),
            Organizations = [.. (place?.Organizations ?? []).Select(one => Link(ConsolePlace.NameOf(one, person), one.Id.Text))],
            Projects = [.. (place?.Projects ?? []).Select(one => Link(one.Name, one.Id.Text))],
        };

        static FrameLink Link(string title, string id) => new(title, $"{ConsolePlace.Root}/{id}", false);
    }
}
