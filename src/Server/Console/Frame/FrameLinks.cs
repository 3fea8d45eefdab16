using Tollgate.Server.Access;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Profile;
using Tollgate.Server.Console.Try;
using Tollgate.Server.Console.Webhooks;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Frame;

/// <summary>The pages that there are for somebody at a place.</summary>
internal sealed class FrameLinks(SnippetMaker snippets, ProviderModel provider)
{
    public static FrameLink Docs => new("Docs", "/docs", false);

    /// <summary>One's own account, which is of no place.</summary>
    public static FrameLink Security(string path) => new("Security", AccountGate.Root, AccountGate.IsAt(path));

    /// <summary>In the order in which they are asked for. A page that the role does not reach is not named.</summary>
    public IEnumerable<FrameLink> Of(ConsolePlace place, string path)
    {
        var home = place.Project is null ? $"{place.Path}/all" : place.Path;
        if (place.May(Act.ReadUsage))
        {
            yield return new FrameLink("Overview", home, path == home);
        }

        if (place.Project is not null && place.May(Act.SeeKeys))
        {
            yield return Link("Keys", "/keys");
        }

        if (place.May(Act.ReadUsage))
        {
            yield return Link("Usage", "/usage");
        }

        if (place.Project is not null && place.May(Act.ReadUsage))
        {
            yield return Link("Why refused?", "/refusals");
        }

        if (place.May(Act.ReadAccount))
        {
            yield return Link(provider.Wallet is null ? "Plan" : "Wallet", "/wallet");
        }

        if (place.May(Act.SeeMembers) && (place.IsTeam || provider.Teams is not null))
        {
            yield return Link("Team", "/team");
        }

        // One of them is a page of its own place.
        var all = Link("Projects", "/projects");
        yield return all with { IsHere = all.IsHere || Link("", "/project").IsHere };
        if (ProfilePages.HrefIn(place, provider) is not null)
        {
            yield return Link("Profile", "/profile");
        }

        yield return Security(path);
        if (place.May(Act.ReadAudit))
        {
            yield return Link("Audit", "/audit");
        }

        if (WebhookPages.IsOfferedAt(place))
        {
            yield return Link("Webhooks", "/webhooks");
        }

        if (TryPages.HrefIn(place, snippets) is not null)
        {
            yield return Link("Try it", "/try");
        }

        yield return Docs;

        FrameLink Link(string title, string below) => new(
            title, place.Path + below, path == place.Path + below || path.StartsWith($"{place.Path}{below}/", StringComparison.Ordinal));
    }
}
