using System.Globalization;
using System.Text.RegularExpressions;
using Tollgate.Engine.Keys;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>keys</c>: how keys look and what may be done with them.</summary>
internal sealed partial class KeySection
{
    private const int ChecksumLength = 6;
    private const int HiddenBitsMin = 128;
    private const string NameRule = "small letters, digits and _, at most 20, a letter first";
    private static readonly double BitsPerCharacter = Math.Log2(62);
    private static readonly TimeSpan GraceLongest = TimeSpan.FromDays(7);
    private static readonly Dictionary<string, bool> Checksums = new() { ["crc32"] = true, ["none"] = false };

    private static readonly Dictionary<string, KeyOperations> Operations = Enum.GetValues<KeyOperations>()
        .Where(operation => operation != KeyOperations.None)
        .ToDictionary(operation => operation.ToString().ToLowerInvariant());

    private readonly FieldReader _fields;
    private readonly PermissionSection _permissions;
    private readonly ErrorList _errors;

    private KeySection(FieldReader fields, PermissionSection permissions, ErrorList errors) =>
        (_fields, _permissions, _errors) = (fields, permissions, errors);

    public static IEnumerable<string> OperationNames => Operations.Keys;

    public static KeyRules Read(YamlNode? node, PermissionSection permissions, ErrorList errors) =>
        new KeySection(FieldReader.Of(node, Vocabulary.Keys, errors), permissions, errors).Rules();

    private KeyRules Rules()
    {
        var secret = FieldReader.Of(_fields["secret"], Vocabulary.Secret, _errors);
        var mask = FieldReader.Of(_fields["mask"], Vocabulary.Mask, _errors);
        var name = FieldReader.Of(_fields["name"], Vocabulary.KeyName, _errors);
        var rotation = FieldReader.Of(_fields["rotation"], Vocabulary.Rotation, _errors);
        var scopes = FieldReader.Of(_fields["scopes"], Vocabulary.KeyScopes, _errors);
        secret.Choice("alphabet", new Dictionary<string, int> { ["alphanumeric"] = 62 }, 62);
        var types = ReadTypes(_fields["types"]);
        var graceMax = rotation.Duration("grace_max", GraceLongest, GraceLongest);
        var exactlyOne = scopes.Flag("exactly_one", false);
        var rules = new KeyRules
        {
            Environments = ReadEnvironments(secret),
            Length = secret.Number("length", 16, 200, 40),
            Crc32Checksum = secret.Choice("checksum", Checksums, false),
            Accepts = ReadForeign(secret["accepts"]),
            Revealable = secret.Choice("shown", new Dictionary<string, bool> { ["once"] = false, ["revealable"] = true }, false),
            MaskHead = mask.Number("head", 0, 64, 0),
            MaskTail = mask.Number("tail", 0, 16, 0),
            NameMin = name.Number("min", 1, 1000, 1),
            NameMax = name.Number("max", 1, 1000, 1000),
            Expiry = _fields.Choice("expiry", Expiries(), ExpiryRule.Optional),
            Operations = ReadOperations(),
            GraceMax = graceMax,
            GraceDefault = rotation.Duration("grace", graceMax, TimeSpan.Zero),
            Types = types,
            DefaultType = ReadDefaultType(types),
            DefaultScopes = ReadDefaultScopes(scopes, exactlyOne),
            ExactlyOneScope = exactlyOne,
            AcceptsPermissions = _fields.Flag("accepts_permissions", false),
        };
        CheckShapes(rules);
        return rules;
    }

    private static Dictionary<string, ExpiryRule> Expiries() =>
        Enum.GetValues<ExpiryRule>().ToDictionary(rule => rule.ToString().ToLowerInvariant());

    private List<KeyEnvironment> ReadEnvironments(FieldReader secret)
    {
        var (single, several) = (secret["prefix"], secret["environments"]);
        if ((single is null) == (several is null) && _fields["secret"] is { Kind: YamlKind.Map } node)
        {
            _errors.Report(several ?? node, "a secret has either one prefix or environments with a prefix each");
        }

        if (several is null)
        {
            return [new KeyEnvironment("live", Prefix(single, 1))];
        }

        var environments = new List<KeyEnvironment>();
        if (FieldReader.IsMap(several, "environments", _errors) && several.Fields.Count is 0 or > 8)
        {
            _errors.Report(several, "a provider has 1 to 8 environments");
        }

        foreach (var (name, value) in several.Fields.Take(8))
        {
            if (!NameForm().IsMatch(name.Text))
            {
                _errors.Report(name, $"\"{name.Text}\" is not a name for an environment: {NameRule}");
            }

            var prefix = Prefix(value, 1);
            if (environments.Find(other => Starts(other.Prefix, prefix)) is { } clash && prefix.Length > 0)
            {
                _errors.Report(value, $"prefix \"{prefix}\" cannot be told from that of \"{clash.Name}\"");
            }

            environments.Add(new KeyEnvironment(name.Text, prefix));
        }

        return environments.Count > 0 ? environments : [new KeyEnvironment("live", "")];
    }

    private static bool Starts(string a, string b) =>
        a.StartsWith(b, StringComparison.Ordinal) || b.StartsWith(a, StringComparison.Ordinal);

    private string Prefix(YamlNode? node, int min)
    {
        if (node is null || (min == 0 && node is { Kind: YamlKind.Text, IsPlain: false, Text: "" }))
        {
            return "";
        }

        if (FieldReader.TextOf(node, "prefix", 24, _errors) is { } text && !PrefixForm().IsMatch(text))
        {
            _errors.Report(node, $"prefix \"{text}\": letters, digits, _ and -, at most 24");
        }

        return node.Text;
    }

    private List<ForeignFormat> ReadForeign(YamlNode? node)
    {
        var shapes = new List<ForeignFormat>();
        foreach (var item in node is null ? [] : FieldReader.ItemsOf(node, "accepts", 16, _errors))
        {
            var fields = FieldReader.Of(item, Vocabulary.Foreign, _errors);
            fields.Choice("checksum", new Dictionary<string, bool> { ["none"] = false }, false);
            shapes.Add(new ForeignFormat(Prefix(fields["prefix"], 0), fields.Number("length", 16, 200, 16)));
        }

        return shapes;
    }

    private KeyOperations ReadOperations() => (_fields.Texts("operations", 6) ?? []).Aggregate(KeyOperations.None, (all, item) =>
    {
        if (!Operations.TryGetValue(item.Text, out var operation))
        {
            var hint = Spelling.Hint(item.Text, Operations.Keys);
            _errors.Report(item, $"operations are {string.Join(", ", Operations.Keys)}, not \"{item.Text}\"{hint}");
        }

        return all | operation;
    });

    private List<KeyType> ReadTypes(YamlNode? node)
    {
        var every = _permissions.Catalogue.Actions.Select(action => action.Name).ToList();
        if (node is null || !FieldReader.IsMap(node, "types", _errors))
        {
            return [new KeyType("standard", every)];
        }

        var types = new List<KeyType>();
        if (node.Fields.Count is 0 or > 16)
        {
            _errors.Report(node, "a provider has 1 to 16 types of keys");
        }

        foreach (var (name, value) in node.Fields.Take(16))
        {
            if (!NameForm().IsMatch(name.Text))
            {
                _errors.Report(name, $"\"{name.Text}\" is not a name for a type: {NameRule}");
            }

            var fields = FieldReader.Of(value, Vocabulary.KeyType, _errors);
            var actions = (fields.Texts("actions", 8) ?? []).Where(_permissions.IsAction).Select(action => action.Text).ToList();
            types.Add(new KeyType(name.Text, actions)
            {
                ScopesRequired = fields.Choice("scopes", new Dictionary<string, bool> { ["required"] = true, ["optional"] = false }, false),
                Among = _permissions.GrantableIn(fields, "among"),
            });
        }

        return types.Count > 0 ? types : [new KeyType("standard", every)];
    }

    private KeyType ReadDefaultType(List<KeyType> types)
    {
        var name = _fields["default_type"] is null ? null : _fields.Text("default_type");
        if (name is null)
        {
            if (types.Count > 1 && _fields["types"] is { } declared)
            {
                _errors.Report(declared, "with several types, default_type says which one a key has when none is asked for");
            }

            return types[0];
        }

        if (types.Find(type => type.Name == name) is { } found)
        {
            return found;
        }

        _errors.Report(
            _fields.At("default_type"), $"type \"{name}\" is not declared{Spelling.Hint(name, types.Select(type => type.Name))}");
        return types[0];
    }

    private List<string> ReadDefaultScopes(FieldReader scopes, bool exactlyOne)
    {
        var named = _permissions.GrantableIn(scopes, "default");
        var defaults = named ?? [.. _permissions.Catalogue.Scopes.Where(scope => scope.Grantable).Select(scope => scope.Name)];
        if (exactlyOne && defaults.Count != 1)
        {
            _errors.Report(scopes.At(named is null ? "exactly_one" : "default"), "with exactly_one, default names one scope");
        }

        return defaults;
    }

    private void CheckShapes(KeyRules rules)
    {
        if (rules.NameMin > rules.NameMax)
        {
            _errors.Report(_fields["name"]!, $"min {rules.NameMin} is more than max {rules.NameMax}");
        }

        // Without a prefix there is an error already, and the head cannot be judged.
        // What the tail shows of a checksum tells as much about the rest as the same letters of the rest would.
        var prefix = rules.Environments.Min(environment => environment.Prefix.Length);
        var hidden = rules.Length - (rules.Crc32Checksum ? ChecksumLength : 0) - Math.Max(0, rules.MaskHead - prefix) - rules.MaskTail;
        if (prefix > 0 && hidden * BitsPerCharacter < HiddenBitsMin)
        {
            var bits = Math.Max(0, hidden * BitsPerCharacter).ToString("0", CultureInfo.InvariantCulture);
            _errors.Report(
                _fields["mask"] ?? _fields["secret"]!,
                $"a shown key hides {bits} bits; at least {HiddenBitsMin} must stay hidden: show less or make the secret longer");
        }

        for (var i = 0; i < rules.Accepts.Count; i++)
        {
            var foreign = rules.Accepts[i];
            var total = foreign.Prefix.Length + foreign.Length;
            var clash = rules.Environments.Any(own => Starts(own.Prefix, foreign.Prefix) && own.Prefix.Length + rules.Length == total)
                || rules.Accepts.Take(i).Any(other => Starts(other.Prefix, foreign.Prefix) && other.Prefix.Length + other.Length == total);
            if (clash)
            {
                _errors.Report(_fields["secret"]!["accepts"]!.Items[i], "this shape cannot be told from another one");
            }
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_\-]{1,24}\z")]
    private static partial Regex PrefixForm();

    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,19}\z")]
    private static partial Regex NameForm();
}
