using Tollgate.Engine.Verification;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;

namespace Tollgate.Server.ForwardAuth;

/// <summary>
/// What the server behind the proxy is told of the key, in headers. All of them are always there, if need be empty: some proxies let a
/// customer's own header of the name through, or write nonsense, when ours is missing.
/// </summary>
internal sealed class FactHeaders
{
    public const string KeyId = "X-Tollgate-Key-Id";
    public const string KeyName = "X-Tollgate-Key-Name";
    public const string ProjectId = "X-Tollgate-Project-Id";
    public const string OrganizationId = "X-Tollgate-Organization-Id";
    public const string Environment = "X-Tollgate-Environment";
    public const string Permissions = "X-Tollgate-Permissions";
    public const string Scopes = "X-Tollgate-Scopes";

    private const int RecentMax = 256;

    private readonly ProviderModel _provider;

    /// <summary>The names of every set of actions; there are at most 256 sets.</summary>
    private readonly string[] _permissions;

    /// <summary>
    /// Names of the last sets of scopes, by their bits: most keys share a few sets. A place is read and replaced whole.
    /// </summary>
    private readonly RecentScopes?[] _scopes = new RecentScopes?[RecentMax];

    public FactHeaders(ProviderModel provider)
    {
        _provider = provider;
        var actions = provider.Scopes.Actions;
        _permissions = [.. Enumerable.Range(0, 1 << actions.Count).Select(set =>
            string.Join(',', actions.Where((_, bit) => (set & (1 << bit)) != 0).Select(action => action.Name)))];
    }

    /// <summary>Every header that may be written, for documents and tests.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [KeyId, KeyName, ProjectId, OrganizationId, Environment, Permissions, Scopes];

    /// <summary>For a verdict that names a key and its project.</summary>
    public void Write(IHeaderDictionary headers, in Verdict verdict)
    {
        var (key, project) = (verdict.Key, verdict.Project!);
        var facts = KeyFacts.Of(key);
        headers[KeyId] = facts.Id;
        headers[KeyName] = HeaderText(facts.Name);
        headers[ProjectId] = project.ProjectId;
        headers[OrganizationId] = project.OrganizationId;
        headers[Environment] = _provider.Keys.Environments[key.Environment].Name;
        headers[Permissions] = _permissions[key.Grants.Actions];
        headers[Scopes] = ScopesIn(key.Grants.Scopes);
    }

    /// <summary>For the operator's root key, which may everything and belongs to nobody.</summary>
    public void WriteRoot(IHeaderDictionary headers)
    {
        headers[KeyId] = "root";
        headers[KeyName] = HeaderText("root key");
        headers[ProjectId] = "";
        headers[OrganizationId] = "";
        headers[Environment] = "";
        headers[Permissions] = _permissions[^1];
        headers[Scopes] = ScopesIn(ulong.MaxValue);
    }

    /// <summary>
    /// Percent-encoded UTF-8, as in a URL: a header is ASCII, and a name may hold anything, line ends included.
    /// </summary>
    private static string HeaderText(string name) => Uri.EscapeDataString(name);

    private string ScopesIn(ulong set)
    {
        ref var place = ref _scopes[(set ^ (set >> 8) ^ (set >> 16)) % RecentMax];
        if (place is { } recent && recent.Set == set)
        {
            return recent.Text;
        }

        var names = _provider.Scopes.Scopes.Where((_, bit) => (set & (1UL << bit)) != 0).Select(scope => scope.Name);
        var found = new RecentScopes(set, string.Join(',', names));
        place = found;
        return found.Text;
    }

    private sealed record RecentScopes(ulong Set, string Text);
}
