using System.Text.RegularExpressions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>
/// Reads a provider file and those it extends, from YAML to the <see cref="ProviderModel"/>, and finds all errors at once.
/// </summary>
internal sealed partial class ProviderReader
{
    private const int ExtendMax = 4;

    private readonly Func<string, byte[]?> _bytesOf;
    private readonly ErrorList _errors = new();
    private readonly List<ProviderSource> _sources = [];

    private ProviderReader(Func<string, byte[]?> bytesOf) => _bytesOf = bytesOf;

    /// <summary>Reads the file at this path. <paramref name="bytesOf"/> gives the content of a file, or null when there is none.</summary>
    public static ProviderLoad Read(string path, Func<string, byte[]?> bytesOf)
    {
        var reader = new ProviderReader(bytesOf);
        var model = reader.Tree(path, [], null) is { } root ? reader.Model(path, root) : null;
        return new ProviderLoad(reader._errors.IsEmpty ? model : null, reader._errors.Sorted());
    }

    // The tree of the file with those of its bases below it.
    private YamlNode? Tree(string path, IReadOnlyList<string> below, YamlNode? extend)
    {
        if (below.Contains(path) || below.Count > ExtendMax)
        {
            _errors.Report(extend!, below.Contains(path) ? "the file extends itself" : $"more than {ExtendMax} files extend each other");
            return null;
        }

        if (_bytesOf(path) is not { } bytes)
        {
            _errors.Report(extend?.At ?? new Place(path, 1, 1), extend is null ? "there is no such file" : $"there is no {path} to extend");
            return null;
        }

        _sources.Add(ProviderSource.Of(path, bytes));
        if (YamlTree.Read(path, bytes, _errors) is not { } root || !FieldReader.IsMap(root, "a provider file", _errors))
        {
            return null;
        }

        if (root["extend"] is not { } name)
        {
            return root;
        }

        if (FieldReader.TextOf(name, "extend", 40, _errors) is not { } text || !FileNameForm().IsMatch(text))
        {
            _errors.Report(name, "extend names a file of the same folder, without its ending");
            return null;
        }

        var basePath = Path.Combine(Path.GetDirectoryName(path) ?? "", text + ".yaml").Replace('\\', '/');
        return Tree(basePath, [.. below, path], name) is { } parent ? Merged(parent, root) : null;
    }

    // By field of a section: what a file says replaces what its base says of the same field, whole. The rest is inherited.
    private static YamlNode Merged(YamlNode parent, YamlNode own) => new()
    {
        At = own.At,
        Kind = YamlKind.Map,
        Fields =
        [
            .. own.Fields.Select(section =>
                parent[section.Name.Text] is { Kind: YamlKind.Map } inherited && section.Value.Kind == YamlKind.Map
                ? section with { Value = WithInherited(section.Value, inherited) }
                : section),
            .. parent.Fields.Where(section => own[section.Name.Text] is null && section.Name.Text != "extend"),
        ],
    };

    private static YamlNode WithInherited(YamlNode own, YamlNode inherited) => new()
    {
        At = own.At,
        Kind = YamlKind.Map,
        Fields = [.. own.Fields, .. inherited.Fields.Where(field => own[field.Name.Text] is null)],
    };

    private ProviderModel Model(string path, YamlNode root)
    {
        var file = FieldReader.Of(root, Vocabulary.File, _errors);
        var provider = FieldReader.Of(file["provider"], Vocabulary.Provider, _errors);
        var permissions = PermissionSection.Read(file["permissions"], _errors);
        var keys = KeySection.Read(file["keys"], permissions, _errors);
        var limits = LimitSection.Read(file["limits"], permissions, _errors);
        var quotas = QuotaSection.Read(file["quotas"], permissions.Routes, limits, _errors);
        var wallet = WalletSection.Read(file["wallet"], _errors);
        return new ProviderModel
        {
            File = path,
            Sources = _sources,
            Name = Path.GetFileNameWithoutExtension(path),
            DisplayName = provider.Text("name", 60),
            BaseUrl = ReadBaseUrl(provider),
            KeyVariable = provider.Matching("key_variable", VariableForm(), "the name of an environment variable, such as ACME_API_KEY"),
            Keys = keys,
            Scopes = permissions.Catalogue,
            Routes = permissions.Routes,
            Conditions = permissions.Conditions,
            Models = ModelSection.Read(file["models"], _errors),
            Limits = limits.Limits,
            Plans = PlanSection.Read(file["plans"], limits, quotas, _errors),
            Quotas = quotas.Quotas,
            QuotaRoutes = quotas.Routes,
            KeyOperations = LimitSection.ReadKeyOperations(file["key_operations"], _errors),
            Wallet = wallet,
            RateHeaders = HeaderSection.Read(file["headers"], limits, _errors),
            Teams = SignInSection.ReadTeams(file["sign_in"], _errors),
            Surface = SurfaceSection.Read(file["surface"], _errors),
            Dialect = ErrorSection.Read(file["errors"], wallet?.TopUpUrl, _errors),
            Examples = ExampleSection.Read(file["examples"], keys, permissions, _errors),
        };
    }

    private string ReadBaseUrl(FieldReader provider)
    {
        var url = provider.Text("base_url");
        var good = Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "https" or "http";
        if (url.Length > 0 && (!good || url.EndsWith('/') || parsed!.Query.Length > 0 || parsed.UserInfo.Length > 0))
        {
            _errors.Report(provider.At("base_url"), $"\"{url}\" is not an http or https address without a slash at its end");
        }

        return url;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_\-]{0,39}\z")]
    private static partial Regex FileNameForm();

    [GeneratedRegex(@"\A[A-Z][A-Z0-9_]{0,63}\z")]
    private static partial Regex VariableForm();
}
