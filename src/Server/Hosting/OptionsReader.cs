using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Mail;
using Tollgate.Server.Upstreams;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Reads the options: the command line before the environment, the environment before <c>tollgate.yaml</c>, that before the defaults.
/// Every fault is collected, with the place it came from, so that one start names them all.
/// </summary>
internal sealed class OptionsReader
{
    public const string DefaultFile = "tollgate.yaml";

    private const string ConfigArgument = "--config";
    private const string UpstreamKey = "upstream";
    private const string VariablePrefix = "TOLLGATE_";

    /// <summary>Read by the command line client or by the Engine itself, and therefore no misspelling.</summary>
    public static IReadOnlyList<string> OtherVariables { get; } =
        ["TOLLGATE_URL", "TOLLGATE_KEY", "TOLLGATE_PROJECT", "TOLLGATE_SHA256", "TOLLGATE_FAILPOINT"];

    private static readonly (PropertyInfo Property, OptionAttribute Option)[] Known =
    [
        .. typeof(GateOptions).GetProperties()
            .Select(property => (property, property.GetCustomAttribute<OptionAttribute>()!))
            .Where(row => row.Item2 is not null),
    ];

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly List<string> _faults = [];
    private IReadOnlyList<UpstreamConfig> _upstreams = [];

    /// <summary>Where the list of upstreams stands; null for nowhere.</summary>
    private string? _listed;

    private OptionsReader(IReadOnlyDictionary<string, string> environment) => _environment = environment;

    /// <summary>This process's environment.</summary>
    public static Dictionary<string, string> Variables() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);

    /// <summary>The options, or every fault found.</summary>
    public static (GateOptions? Options, IReadOnlyList<string> Faults) Read(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new OptionsReader(environment);
        var options = reader.ReadAll(arguments);
        return reader._faults.Count == 0 ? (options with { UpstreamsAnew = Anew }, []) : (null, reader._faults);

        (IReadOnlyList<UpstreamConfig>?, IReadOnlyList<string>) Anew() =>
            Read(arguments, environment) is var (again, faults) ? (again?.Upstreams, faults) : default;
    }

    private GateOptions ReadAll(IReadOnlyList<string> arguments)
    {
        var given = FromArguments(arguments, out var file);
        var values = new Dictionary<string, (string Value, string Place)>(StringComparer.Ordinal);
        FromFile(file, values);
        foreach (var (_, option) in Known)
        {
            if (_environment.TryGetValue(option.Variable, out var value) && value.Length > 0)
            {
                values[option.Key] = (value, option.Variable);
            }

            if (option.Argument is not null && given.TryGetValue(option.Argument, out var argument))
            {
                values[option.Key] = (argument, option.Argument);
            }
        }

        var strangers = _environment.Keys.Where(name =>
            name.StartsWith(VariablePrefix, StringComparison.Ordinal)
            && !OtherVariables.Contains(name)
            && Known.All(row => row.Option.Variable != name));
        _faults.AddRange(strangers.Select(name => $"{name}: is not an option. Known are {Join(row => row.Option.Variable)}."));
        var options = new GateOptions();
        foreach (var (property, option) in Known)
        {
            if (values.TryGetValue(option.Key, out var row))
            {
                Set(options, property, row.Value, option.IsSecret ? "" : $", not \"{row.Value}\"", row.Place);
            }
        }

        MailFaults(options, values);
        ConnectionFaults(values);
        return options with { Upstreams = UpstreamsOf(options, values) };
    }

    /// <summary>Of the one line or of the list; both at a time cannot be meant.</summary>
    private IReadOnlyList<UpstreamConfig> UpstreamsOf(GateOptions options, Dictionary<string, (string Value, string Place)> values)
    {
        var (url, key) = (values.GetValueOrDefault(UpstreamKey).Place, values.GetValueOrDefault($"{UpstreamKey}_key").Place);
        if (_listed is not null && (url ?? key) is { } beside)
        {
            _faults.Add($"{beside}: stands beside the list at {_listed}; only one of them can be meant.");
        }
        else if (url is null && key is not null)
        {
            _faults.Add($"{key}: needs {UpstreamKey} beside it.");
        }

        return options.Upstream is { } address && UpstreamBounds.TryReadUrl(address, out var read)
            ? [new UpstreamConfig { Name = UpstreamKey, Url = read, Key = options.UpstreamKey }]
            : _upstreams;
    }

    /// <summary>What cannot be meant together. A password goes over encrypted connections only.</summary>
    private void MailFaults(GateOptions options, Dictionary<string, (string Value, string Place)> values)
    {
        Needs(values, "mail.host", "mail.from");
        Needs(values, "mail.user", "mail.password");
        Needs(values, "mail.password", "mail.user");
        Needs(values, "mail.user", "mail.host");
        if (options.MailSecurity == MailOptions.NoTls && values.TryGetValue("mail.user", out var user))
        {
            _faults.Add(
                $"{user.Place}: is never sent over a connection that is not encrypted; set mail.security to {MailOptions.StartTls}.");
        }
    }

    /// <summary>A provider of sign-in is set up whole or not at all.</summary>
    private void ConnectionFaults(Dictionary<string, (string Value, string Place)> values)
    {
        foreach (var provider in new[] { "google", "github" })
        {
            var id = $"{provider}.client_id";
            Needs(values, id, $"{provider}.client_secret");
            foreach (var key in Known.Select(row => row.Option.Key)
                .Where(key => key != id && key.StartsWith($"{provider}.", StringComparison.Ordinal)))
            {
                Needs(values, key, id);
            }
        }
    }

    private void Needs(Dictionary<string, (string Value, string Place)> values, string key, string other)
    {
        if (values.TryGetValue(key, out var given) && !values.ContainsKey(other))
        {
            _faults.Add($"{given.Place}: needs {other} beside it.");
        }
    }

    private Dictionary<string, string> FromArguments(IReadOnlyList<string> arguments, out string? file)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, inline) = arguments[i].Split('=', 2) is [var left, var right] ? (left, right) : (arguments[i], null);
            if (name != ConfigArgument && Known.All(row => row.Option.Argument != name))
            {
                _faults.Add($"{name}: is not an argument. Known are {ConfigArgument}, {Join(row => row.Option.Argument)}.");
            }
            else if (inline is null ? i + 1 >= arguments.Count || arguments[i + 1].Length == 0 : inline.Length == 0)
            {
                _faults.Add($"{name}: needs a value.");
            }
            else if (!given.TryAdd(name, inline ?? arguments[++i]))
            {
                _faults.Add($"{name}: is given twice.");
            }
        }

        file = given.GetValueOrDefault(ConfigArgument);
        return given;
    }

    private void FromFile(string? named, Dictionary<string, (string Value, string Place)> values)
    {
        var file = named ?? DefaultFile;
        if (!File.Exists(file))
        {
            if (named is not null)
            {
                _faults.Add($"{ConfigArgument} {named}: there is no such file.");
            }

            return;
        }

        try
        {
            using var text = File.OpenText(file);
            var yaml = new YamlStream();
            yaml.Load(text);
            if (yaml.Documents.Count > 0 && yaml.Documents[0].RootNode is YamlMappingNode root)
            {
                foreach (var (name, value) in root.Children)
                {
                    FromNode(file, name, value, values);
                }
            }
            else if (yaml.Documents.Count > 0 && yaml.Documents[0].RootNode is not YamlScalarNode { Value: "" or null })
            {
                _faults.Add($"{file}:1:1: must hold lines of the form option: value.");
            }
        }
        catch (YamlException fault)
        {
            _faults.Add($"{file}:{fault.Start.Line}:{fault.Start.Column}: {fault.Message}");
        }
    }

    private void FromNode(
        string file, YamlNode name, YamlNode value, Dictionary<string, (string Value, string Place)> values, string section = "")
    {
        var key = section + name;
        var place = $"{file}:{name.Start.Line}:{name.Start.Column}: {key}";
        if (key == UpstreamReader.Key)
        {
            (_upstreams, var faults) = UpstreamReader.Read(file, value, _environment);
            _faults.AddRange(faults);
            _listed = _upstreams.Count > 0 ? place : null;
        }
        else if (section.Length == 0 && Known.Any(row => row.Option.Key.StartsWith(key + '.', StringComparison.Ordinal)))
        {
            FromSection(file, key, place, value, values);
        }
        else if (!name.ToString().Contains('.', StringComparison.Ordinal) && Known.Any(row => row.Option.Key == key))
        {
            FromScalar(key, place, value, values);
        }
        else
        {
            _faults.Add($"{place} is not an option. Known are {Join(row => row.Option.Key)}, {UpstreamReader.Key}.");
        }
    }

    /// <summary>Lines under one name, such as <c>mail:</c>; their options have it in front, with a dot.</summary>
    private void FromSection(
        string file, string key, string place, YamlNode value, Dictionary<string, (string Value, string Place)> values)
    {
        if (value is YamlMappingNode lines)
        {
            foreach (var (inner, of) in lines.Children)
            {
                FromNode(file, inner, of, values, key + '.');
            }
        }
        else if (value is not YamlScalarNode { Value: "" or null })
        {
            _faults.Add($"{place} must hold lines of the form option: value.");
        }
    }

    private void FromScalar(string key, string place, YamlNode value, Dictionary<string, (string Value, string Place)> values)
    {
        if (value is not YamlScalarNode { Value: { } text })
        {
            _faults.Add($"{place} must be a single value.");
        }
        else if (text.Length > 0)
        {
            // An empty value is as good as none, here as in the environment.
            values[key] = (text, place);
        }
    }

    private void Set(GateOptions options, PropertyInfo property, string text, string quoted, string place)
    {
        object? value = text;
        if (property.PropertyType == typeof(int))
        {
            value = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        }

        else if (property.PropertyType == typeof(double))
        {
            value = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
        }

        if (value is null)
        {
            _faults.Add($"{place}: must be a {(property.PropertyType == typeof(int) ? "whole number" : "number such as 0.25")}{quoted}.");
            return;
        }

        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>())
        {
            if (!rule.IsValid(value))
            {
                _faults.Add($"{place}: {Expected(rule)}{quoted}.");
                return;
            }
        }

        property.SetValue(options, value);
    }

    private static string Expected(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => $"must be between {range.Minimum} and {range.Maximum}",
        AllowedValuesAttribute allowed => $"must be among {string.Join(", ", allowed.Values)}",
        _ => rule.FormatErrorMessage("").TrimStart(),
    };

    private static string Join(Func<(PropertyInfo Property, OptionAttribute Option), string?> name) =>
        string.Join(", ", Known.Select(name).Where(text => text is not null));
}
