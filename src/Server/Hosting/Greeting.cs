using Tollgate.Engine.Permissions;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Hosting;

/// <summary>
/// The first lines on the screen: where the gate is, the root key when it was made just now, and lines that work when pasted.
/// </summary>
internal static class Greeting
{
    /// <summary>Enough to make keys and to try them.</summary>
    private static Money FirstMoney => new(10 * Money.MicrosPerUnit);

    /// <summary>Which root key holds, and the key itself when it was made just now: shown before anything else can fail.</summary>
    public static string OfRootKey(FirstStartResult start, bool isChosen) => start switch
    {
        { RootKey: { } made } =>
            $"\n  Root key, shown this once; only a hash of it is kept:\n\n    export TOLLGATE_ROOT_KEY={made}\n",
        { RootKeyIsReplaced: true } => "\n  Root key: TOLLGATE_ROOT_KEY now replaces the one this data had.",
        _ when isChosen => "\n  Root key: the one in TOLLGATE_ROOT_KEY.",
        _ => "\n  The root key was shown at the first start. Lost it? Set TOLLGATE_ROOT_KEY to a new one (32 characters or more) "
            + "and start again.",
    };

    /// <summary>Where people sign in, and at the first start the link that signs the operator in.</summary>
    public static string OfConsole(PersonMail mail, PublicUrl url, FirstStartResult start) =>
        $"\n  Console: {url.To("/console")}"
        + (start.OnceSecret is { } secret ? $"\n  Sign in once: {mail.UrlOf(LinkKind.Once, secret)}" : "");

    /// <summary>Where the gate listens, and the lines to paste.</summary>
    public static string Text(string address, FirstStartResult start, ProviderModel provider)
    {
        var lines = new List<string> { "", $"  Tollgate speaks {provider.DisplayName} on {address}", "" };
        if (start.Project is { } project)
        {
            if (provider.Wallet is { } wallet)
            {
                lines.Add($"  Put {FirstMoney} {wallet.Currency} in the first organization's wallet; pasted again, it changes nothing:");
                lines.Add("");
                lines.Add($"    curl -s {address}/api/v1/organizations/{project.OrganizationId}/wallet/entries \\");
                lines.Add("      -H \"Authorization: Bearer $TOLLGATE_ROOT_KEY\" -H 'Content-Type: application/json' \\");
                lines.Add($"      -d '{{\"kind\":\"top_up\",\"amount\":\"{FirstMoney}\",\"external_id\":\"first-lines\"}}'; echo");
                lines.Add("");
            }

            lines.Add("  Make a key, check it, and use it:");
            lines.Add("");
            lines.Add($"    KEY=$(curl -s {address}/api/v1/projects/{project.Id}/keys \\");
            lines.Add("      -H \"Authorization: Bearer $TOLLGATE_ROOT_KEY\" -H 'Content-Type: application/json' \\");
            var body = string.Join(',', KeyMembers(provider));
            lines.Add($"      -d '{{{body}}}' | sed -n 's/.*\"secret\":\"\\([^\"]*\\)\".*/\\1/p'); echo $KEY");
            lines.Add($"    curl -s {address}/api/v1/verify -H \"Authorization: Bearer $TOLLGATE_ROOT_KEY\" \\");
            lines.Add("      -H 'Content-Type: application/json' -d \"{\\\"key\\\":\\\"$KEY\\\"}\"; echo");
            lines.Add($"    curl -s {Example(address, provider)} -H \"Authorization: Bearer $KEY\"; echo");
            lines.Add("");
        }

        return string.Join('\n', lines);
    }

    /// <summary>What a key of this provider cannot be made without.</summary>
    private static IEnumerable<string> KeyMembers(ProviderModel provider)
    {
        yield return "\"name\":\"First key\"";
        if (provider.Keys.Expiry == ExpiryRule.Required)
        {
            yield return "\"expires_at\":\"2099-12-31T23:59:59Z\"";
        }
    }

    /// <summary>A request to the provider's own API that a key made with nothing but a name may make.</summary>
    private static string Example(string address, ProviderModel provider)
    {
        var grants = provider.GrantsOf(provider.Keys.DefaultType.Actions, provider.Keys.DefaultScopes);
        var route = provider.Routes.Routes.FirstOrDefault(rule =>
            rule.Method is Methods.None or Methods.Get
            && rule.Pattern.Segments.All(segment => segment.Kind == SegmentKind.Literal)
            && (!rule.Requirement.NeedsScope || (rule.Requirement.AnyScope & grants.Scopes) != 0));
        if (route is null)
        {
            return address + provider.Surface.Routes.FirstOrDefault(place => place.Operation == SurfaceOperation.Whoami)?.Pattern.Text;
        }

        return address + (route.Pattern.IsOpen ? route.Pattern.Text[..^"/**".Length] : route.Pattern.Text);
    }
}
