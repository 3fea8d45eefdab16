using System.Globalization;
using Tollgate.Engine.Permissions;
using Tollgate.Gateway.Upstreams;
using YamlDotNet.RepresentationModel;

namespace Tollgate.Server.Upstreams;

/// <summary>
/// Reads the list <c>upstreams</c> of <c>tollgate.yaml</c>. Every fault is collected with its place; a key is never quoted.
/// </summary>
internal sealed class UpstreamReader
{
    public const string Key = "upstreams";

    private const string TakenPrefix = "TOLLGATE_";

    private static readonly string[] Members =
        ["name", "url", "key", "key_env", "models", "routes", .. UpstreamBounds.Numbers.Keys, "health"];

    private readonly string _file;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly List<string> _faults = [];

    private UpstreamReader(string file, IReadOnlyDictionary<string, string> environment) => (_file, _environment) = (file, environment);

    /// <summary>The upstreams in their order, good only where there is no fault.</summary>
    /// <param name="file">As faults call it.</param>
    /// <param name="node">The value of the list.</param>
    /// <param name="environment">Where <c>key_env</c> is looked up.</param>
    public static (IReadOnlyList<UpstreamConfig> Upstreams, IReadOnlyList<string> Faults) Read(
        string file, YamlNode node, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new UpstreamReader(file, environment);
        return (reader.ReadAll(node), reader._faults);
    }

    private List<UpstreamConfig> ReadAll(YamlNode node)
    {
        if (node is YamlScalarNode { Value: "" or null })
        {
            return [];
        }

        if (node is not YamlSequenceNode list || list.Children.Count > UpstreamBounds.UpstreamsMax)
        {
            Fault(node, Key, $"must be a list of at most {UpstreamBounds.UpstreamsMax} upstreams");
            return [];
        }

        var (read, names) = (new List<UpstreamConfig>(), new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < list.Children.Count; i++)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"{Key}[{i}]");
            if (list.Children[i] is not YamlMappingNode entry)
            {
                Fault(list.Children[i], place, "must hold lines of the form member: value");
                continue;
            }

            var config = ReadOne(entry, place);
            if (config.Name.Length > 0 && !names.Add(config.Name))
            {
                Fault(entry, $"{place}.name", $"is given twice: \"{config.Name}\"");
            }

            read.Add(config);
        }

        return read;
    }

    private UpstreamConfig ReadOne(YamlMappingNode entry, string place)
    {
        foreach (var (member, _) in entry.Children)
        {
            if (!Members.Contains(member.ToString()))
            {
                Fault(member, $"{place}.{member}", $"is not known. Known are {string.Join(", ", Members)}");
            }
        }

        var (name, url) = (Text(entry, place, "name"), Text(entry, place, "url"));
        if (name is null || !UpstreamBounds.IsName(name.Value.Text))
        {
            Fault(name?.Node ?? entry, $"{place}.name", $"must have 1 to {UpstreamBounds.NameLengthMax} of a-z, 0-9 and - , and not be "
                + $"\"{UpstreamPool.BuiltIn}\", which is the built-in model{Quoted(name)}");
        }

        Uri? address = null;
        if (url is null || !UpstreamBounds.TryReadUrl(url.Value.Text, out address))
        {
            // What has a user may have a password.
            Fault(url?.Node ?? entry, $"{place}.url", UpstreamBounds.UrlForm
                + (url?.Text.Contains('@', StringComparison.Ordinal) == true ? "" : Quoted(url)));
        }

        var plain = new UpstreamConfig { Name = name?.Text ?? "", Url = address ?? new Uri("http://localhost/") };
        return plain with
        {
            Key = ReadKey(entry, place),
            Models = ReadList(entry, place, "models", UpstreamBounds.ModelsMax, text => UpstreamBounds.IsModel(text)
                ? "" : $"must be a model's id, in which a * stands only at the end, not \"{text}\""),
            Routes = ReadList(entry, place, "routes", UpstreamBounds.RoutesMax, text => RoutePattern.TryParse(text, out _, out var fault)
                ? "" : $"{fault}: \"{text}\""),
            Connect = Seconds(entry, place, "connect_seconds") ?? plain.Connect,
            FirstByte = Seconds(entry, place, "first_byte_seconds") ?? plain.FirstByte,
            Idle = Seconds(entry, place, "idle_seconds") ?? plain.Idle,
            ConcurrencyMax = Number(entry, place, "concurrency") ?? plain.ConcurrencyMax,
            HealthPath = ReadHealth(entry, place),
        };
    }

    private string? ReadKey(YamlMappingNode entry, string place)
    {
        var (key, variable) = (Text(entry, place, "key"), Text(entry, place, "key_env"));
        if (key is not null && variable is not null)
        {
            Fault(variable.Value.Node, $"{place}.key_env", "stands beside key; only one of them can be meant");
        }
        else if (key is not null && !UpstreamBounds.IsKey(key.Value.Text))
        {
            Fault(key.Value.Node, $"{place}.key", UpstreamBounds.KeyForm);
        }
        else if (variable is { } named)
        {
            var value = named.Text.StartsWith(TakenPrefix, StringComparison.Ordinal) ? null : _environment.GetValueOrDefault(named.Text);
            if (value is null || !UpstreamBounds.IsKey(value))
            {
                Fault(named.Node, $"{place}.key_env", $"must name a variable of the environment, not beginning with {TakenPrefix}, whose "
                    + $"value is a key: it {UpstreamBounds.KeyForm}{Quoted(named)}");
            }

            return value;
        }

        return key?.Text;
    }

    private string? ReadHealth(YamlMappingNode entry, string place)
    {
        var health = Text(entry, place, "health");
        if (health is { } given && !UpstreamBounds.IsHealthPath(given.Text))
        {
            Fault(given.Node, $"{place}.health", $"must be a path such as /health{Quoted(given)}");
        }

        return health?.Text;
    }

    private List<string> ReadList(YamlMappingNode entry, string place, string member, int most, Func<string, string> faultOf)
    {
        var read = new List<string>();
        if (Find(entry, member) is not { } node || node is YamlScalarNode { Value: "" or null })
        {
            return read;
        }

        if (node is not YamlSequenceNode { Children.Count: > 0 } list || list.Children.Count > most)
        {
            Fault(node, $"{place}.{member}", $"must be a list of 1 to {most}; left out, it stands for all");
            return read;
        }

        for (var i = 0; i < list.Children.Count; i++)
        {
            var text = list.Children[i] is YamlScalarNode { Value: { } value } ? value : "";
            if (faultOf(text) is { Length: > 0 } fault)
            {
                Fault(list.Children[i], string.Create(CultureInfo.InvariantCulture, $"{place}.{member}[{i}]"), fault);
            }

            read.Add(text);
        }

        return read;
    }

    private TimeSpan? Seconds(YamlMappingNode entry, string place, string member) =>
        Number(entry, place, member) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    private int? Number(YamlMappingNode entry, string place, string member)
    {
        var (least, most) = UpstreamBounds.Numbers[member];
        if (Text(entry, place, member) is not { } given)
        {
            return null;
        }

        if (int.TryParse(given.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        Fault(given.Node, $"{place}.{member}", $"must be a whole number between {least} and {most}{Quoted(given)}");
        return null;
    }

    /// <summary>Null where it is not given; an empty value is as good as none, as in every option.</summary>
    private (string Text, YamlNode Node)? Text(YamlMappingNode entry, string place, string member)
    {
        switch (Find(entry, member))
        {
            case null or YamlScalarNode { Value: "" or null }:
                return null;
            case YamlScalarNode { Value: { } text } node:
                return (text, node);
            case var other:
                Fault(other, $"{place}.{member}", "must be a single value");
                return null;
        }
    }

    private static YamlNode? Find(YamlMappingNode entry, string member) =>
        entry.Children.TryGetValue(new YamlScalarNode(member), out var node) ? node : null;

    private static string Quoted((string Text, YamlNode Node)? given) => given is { } one ? $", not \"{one.Text}\"" : "";

    private void Fault(YamlNode node, string place, string text) =>
        _faults.Add($"{_file}:{node.Start.Line}:{node.Start.Column}: {place}: {text}.");
}
