using System.Text.RegularExpressions;
using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>permissions</c>: the scopes, the actions and the routes that ask for them.</summary>
internal sealed partial class PermissionSection
{
    public const string AnyKey = "any key";
    private const int AlternativesMax = 16;

    private readonly ErrorList _errors;
    private readonly List<Condition> _conditions = [];

    private PermissionSection(FieldReader fields, ErrorList errors)
    {
        _errors = errors;
        Catalogue = new ScopeCatalogue(ReadScopes(fields["scopes"]), ReadActions(fields["actions"]));
        Routes = ReadRoutes(fields["routes"]);
    }

    public ScopeCatalogue Catalogue { get; }

    public RouteTable Routes { get; }

    public IReadOnlyList<Condition> Conditions => _conditions;

    public static PermissionSection Read(YamlNode? node, ErrorList errors) =>
        new(FieldReader.Of(node, Vocabulary.Permissions, errors), errors);

    /// <summary>Reports a scope that is not declared; with <paramref name="grantable"/> also one that no key may have.</summary>
    public bool IsScope(YamlNode name, bool grantable)
    {
        if (!Catalogue.IsDeclared(name.Text))
        {
            var hint = Spelling.Hint(name.Text, Catalogue.Scopes.Select(scope => scope.Name));
            _errors.Report(name, $"scope \"{name.Text}\" is not declared{hint}");
            return false;
        }

        if (grantable && !Catalogue.IsGrantable(name.Text))
        {
            _errors.Report(name, $"scope \"{name.Text}\" is not grantable: no key can have it");
        }

        return true;
    }

    /// <summary>The names of a list of scopes that a key can have; null when the field is not there.</summary>
    public List<string>? GrantableIn(FieldReader fields, string name) =>
        fields.Texts(name, ScopeCatalogue.ScopesMax)?.Where(scope => IsScope(scope, grantable: true)).Select(scope => scope.Text).ToList();

    /// <summary>Reports an action that is not declared.</summary>
    public bool IsAction(YamlNode name)
    {
        if (!Catalogue.IsAction(name.Text))
        {
            var hint = Catalogue.Actions.Count == 0
                ? ": permissions has no actions" : Spelling.Hint(name.Text, Catalogue.Actions.Select(action => action.Name));
            _errors.Report(name, $"action \"{name.Text}\" is not declared{hint}");
        }

        return Catalogue.IsAction(name.Text);
    }

    private List<Scope> ReadScopes(YamlNode? node)
    {
        var scopes = new List<Scope>();
        if (node is null || !FieldReader.IsMap(node, "scopes", _errors))
        {
            return scopes;
        }

        if (node.Fields.Count is 0 or > ScopeCatalogue.ScopesMax)
        {
            _errors.Report(node, $"a provider has 1 to {ScopeCatalogue.ScopesMax} scopes, not {node.Fields.Count}");
        }

        foreach (var (name, value) in node.Fields.Where(field => IsName(field.Name, "scope")).Take(ScopeCatalogue.ScopesMax))
        {
            if (value.Kind == YamlKind.Map)
            {
                var fields = FieldReader.Of(value, Vocabulary.Scope, _errors);
                var implied = fields.Texts("implies", ScopeCatalogue.ScopesMax) ?? [];
                scopes.Add(new Scope(name.Text, fields.Text("description"))
                {
                    Implies = [.. implied.Where(other => IsAmong(other, node)).Select(other => other.Text)],
                    Grantable = fields.Flag("grantable", true),
                });
            }
            else
            {
                scopes.Add(new Scope(name.Text, FieldReader.TextOf(value, $"the description of \"{name.Text}\"", 200, _errors) ?? ""));
            }
        }

        return scopes;
    }

    private bool IsAmong(YamlNode name, YamlNode scopes)
    {
        var declared = scopes.Fields.Where(field => NameForm().IsMatch(field.Name.Text)).Take(ScopeCatalogue.ScopesMax)
            .Select(field => field.Name.Text).ToList();
        if (!declared.Contains(name.Text))
        {
            _errors.Report(name, $"scope \"{name.Text}\" is not declared{Spelling.Hint(name.Text, declared)}");
        }

        return declared.Contains(name.Text);
    }

    private List<ScopeAction> ReadActions(YamlNode? node)
    {
        var actions = new List<ScopeAction>();
        if (node is null || !FieldReader.IsMap(node, "actions", _errors))
        {
            return actions;
        }

        if (node.Fields.Count is 0 or > ScopeCatalogue.ActionsMax)
        {
            _errors.Report(node, $"a provider has 1 to {ScopeCatalogue.ActionsMax} actions, not {node.Fields.Count}");
        }

        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in node.Fields.Where(field => IsName(field.Name, "action")).Take(ScopeCatalogue.ActionsMax))
        {
            var methods = new List<string>();
            foreach (var method in FieldReader.TextsOf(value, name.Text, MethodNames.All.Count, _errors))
            {
                if (MethodNames.Parse(method.Text) == Methods.None)
                {
                    _errors.Report(method, $"\"{method.Text}\" is not a method{Spelling.Hint(method.Text, MethodNames.All)}");
                }
                else if (!taken.TryAdd(method.Text, name.Text))
                {
                    _errors.Report(method, $"{method.Text} is \"{taken[method.Text]}\" already");
                }
                else
                {
                    methods.Add(method.Text);
                }
            }

            actions.Add(new ScopeAction(name.Text, methods));
        }

        return actions;
    }

    private bool IsName(YamlNode name, string what)
    {
        if (!NameForm().IsMatch(name.Text))
        {
            var form = "small letters, digits, _ . and -, at most 40, a letter first";
            _errors.Report(name, $"\"{name.Text}\" is not a name for a {what}: {form}");
        }

        return NameForm().IsMatch(name.Text);
    }

    private RouteTable ReadRoutes(YamlNode? node)
    {
        var (routes, places) = (new List<RouteRule>(), new List<Place>());
        foreach (var item in node is null ? [] : FieldReader.ItemsOf(node, "routes", RouteTable.RoutesMax, _errors))
        {
            if (item.Kind != YamlKind.Map || item.Fields.Count != 1)
            {
                var found = item.Kind == YamlKind.Map ? "a map of several" : item.Describe();
                _errors.Report(item, $"a route is one line: \"METHOD /path: scope\", not {found}");
                continue;
            }

            var (name, value) = item.Fields[0];
            if (ReadTarget(name, methodNeeded: false, _errors) is not ({ } pattern, var method))
            {
                continue;
            }

            var (requirement, addsAction) = ReadRequirement(value);
            routes.Add(new RouteRule(pattern, requirement) { Method = method, AddsAction = addsAction });
            places.Add(name.At);
        }

        if (!RouteTable.TryBuild(routes, Catalogue, out var table, out var faults))
        {
            foreach (var fault in faults)
            {
                _errors.Report(places[fault.Route], $"route {routes[fault.Route].Pattern.Text} {fault.Message}");
            }
        }

        return table;
    }

    /// <summary>Reads <c>METHOD /path</c> or, where a method is not needed, <c>/path</c>; refuses the gate's own paths.</summary>
    public static (RoutePattern Pattern, Methods Method)? ReadTarget(YamlNode node, bool methodNeeded, ErrorList errors)
    {
        var slash = node.Text.IndexOf('/', StringComparison.Ordinal);
        var verb = slash < 0 ? "" : node.Text[..slash].TrimEnd();
        var method = MethodNames.Parse(verb);
        if (node.Kind != YamlKind.Text || slash < 0 || (verb.Length > 0 && method == Methods.None) || (methodNeeded && verb.Length == 0))
        {
            var hint = verb.Length > 0 ? Spelling.Hint(verb, MethodNames.All) : "";
            var expected = methodNeeded ? "\"METHOD /path\"" : "\"/path\" or \"METHOD /path\"";
            errors.Report(node, $"expected {expected}, found {node.Describe()}{hint}");
            return null;
        }

        if (!RoutePattern.TryParse(node.Text[slash..], out var pattern, out var fault))
        {
            errors.Report(node, $"path \"{node.Text[slash..]}\": {fault}");
            return null;
        }

        if (ReservedBy(pattern) is { } reserved)
        {
            errors.Report(node, $"path \"{pattern.Text}\" takes {reserved}, which is the gate's own");
            return null;
        }

        return (pattern, method);
    }

    private static string? ReservedBy(RoutePattern pattern)
    {
        if (pattern.Segments.Count == 0)
        {
            return pattern.IsOpen ? "every path" : null;
        }

        var first = pattern.Segments[0];
        if (first.Kind != SegmentKind.Literal)
        {
            return "every first segment";
        }

        return first.Literal.ToLowerInvariant() switch
        {
            "api" or "healthz" or "readyz" or "metrics" or "console" or "docs" or "docs.md" or "llms.txt" => "/" + first.Literal,
            "openapi" => "/openapi",
            var literal when literal.StartsWith("openapi.", StringComparison.Ordinal) => "/openapi.*",
            _ => null,
        };
    }

    private (Requirement Requirement, bool AddsAction) ReadRequirement(YamlNode value)
    {
        if (value.Kind == YamlKind.Text)
        {
            return value is { Text: AnyKey } ? (default, false) : ReadScope(value) is { } one ? (one, one.Actions == 0) : (default, false);
        }

        if (value.Kind == YamlKind.List || (value["any"] is null && value["scope"] is null))
        {
            _errors.Report(value, $"a route asks for a scope, for \"{AnyKey}\", or for {{ any: [scope, ...] }}, not {value.Describe()}");
            return default;
        }

        if (value["any"] is null)
        {
            return Joined([value], value);
        }

        var any = FieldReader.Of(value, Vocabulary.AnyOf, _errors)["any"]!;
        var alternatives = FieldReader.ItemsOf(any, "any", AlternativesMax, _errors);
        if (alternatives.Count == 0 && any.Kind == YamlKind.List)
        {
            _errors.Report(any, "any: at least one scope");
        }

        return Joined(alternatives, any);
    }

    private (Requirement Requirement, bool AddsAction) Joined(IReadOnlyList<YamlNode> alternatives, YamlNode at)
    {
        var (any, conditional, condition, actions) = (0UL, 0UL, (ushort)0, new HashSet<byte>());
        foreach (var alternative in alternatives)
        {
            var fields = alternative.Kind == YamlKind.Map ? FieldReader.Of(alternative, Vocabulary.Conditional, _errors) : null;
            var name = fields is null ? alternative : fields["scope"];
            if (name is null || ReadScope(name) is not { } scope)
            {
                continue;
            }

            actions.Add(scope.Actions);
            if (fields is null)
            {
                any |= scope.AnyScope;
                continue;
            }

            conditional |= scope.AnyScope;
            var number = ReadCondition(fields["when"]);
            if (condition != 0 && number != 0 && number != condition)
            {
                _errors.Report(fields["when"]!, "a route has one condition: this is another than the one before");
            }

            condition = number;
        }

        if (actions.Count > 1)
        {
            _errors.Report(at, "the alternatives of a route name the same action, or all none");
        }

        var action = actions.FirstOrDefault();
        return (new Requirement(any, action, conditional, condition), action == 0);
    }

    private Requirement? ReadScope(YamlNode node)
    {
        if (FieldReader.TextOf(node, "scope", 100, _errors) is not { } text)
        {
            return null;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scope = colon < 0 ? node : Part(node, text[..colon], 0);
        var known = IsScope(scope, grantable: false) & (colon < 0 || IsAction(Part(node, text[(colon + 1)..], colon + 1)));
        return known && Catalogue.TryParseRequirement(text, out var requirement) ? requirement : null;
    }

    private static YamlNode Part(YamlNode node, string text, int from) =>
        new() { At = node.At with { Column = node.At.Column + from }, Kind = YamlKind.Text, Text = text };

    private ushort ReadCondition(YamlNode? node)
    {
        if (node is null || FieldReader.TextOf(node, "when", 200, _errors) is not { } text)
        {
            return 0;
        }

        if (Condition.TryParse(text) is not { } condition)
        {
            _errors.Report(node, $"when is \"body.MEMBER is not empty\" or \"body.MEMBER is present\", not \"{text}\"");
            return 0;
        }

        var known = _conditions.FindIndex(other => other.Text == condition.Text);
        if (known < 0)
        {
            _conditions.Add(condition);
        }

        return (ushort)(known < 0 ? _conditions.Count : known + 1);
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_.\-]{0,39}\z")]
    private static partial Regex NameForm();
}
