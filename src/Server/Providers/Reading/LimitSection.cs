using System.Text.RegularExpressions;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>limits</c>: what is counted. How much of it a plan allows is <see cref="PlanSection"/>'s to read.</summary>
internal sealed partial class LimitSection
{
    public const int LimitsMax = LimitCatalogue.LimitsMax;
    private const int NamesMax = ScopeCatalogue.ScopesMax + ScopeCatalogue.ActionsMax;
    private const int KeyOperationsMax = 1_000_000;

    private readonly PermissionSection _permissions;
    private readonly ErrorList _errors;
    private readonly List<Limit> _limits = [];
    private readonly List<long?> _amounts = [];
    private readonly List<YamlNode> _places = [];

    private LimitSection(PermissionSection permissions, ErrorList errors) => (_permissions, _errors) = (permissions, errors);

    public static Dictionary<string, LimitCounts> Counts { get; } = new()
    {
        ["requests"] = LimitCounts.Requests,
        ["tokens"] = LimitCounts.Tokens,
        ["input_tokens"] = LimitCounts.InputTokens,
        ["output_tokens"] = LimitCounts.OutputTokens,
        ["concurrent_requests"] = LimitCounts.ConcurrentRequests,
    };

    public IReadOnlyList<Limit> Limits => _limits;

    /// <summary>What each limit allows where the plan does not say; null where the plan has to.</summary>
    public IReadOnlyList<long?> Amounts => _amounts;

    /// <summary>Where each limit stands in the file.</summary>
    public IReadOnlyList<YamlNode> Places => _places;

    public static LimitSection Read(YamlNode? node, PermissionSection permissions, ErrorList errors)
    {
        var section = new LimitSection(permissions, errors);
        foreach (var item in node is null ? [] : FieldReader.ItemsOf(node, "limits", LimitsMax, errors))
        {
            section.Add(item);
        }

        section.CheckOverlap();
        return section;
    }

    public static KeyOperationLimit? ReadKeyOperations(YamlNode? node, ErrorList errors)
    {
        var fields = FieldReader.Of(node, Vocabulary.KeyOperations, errors);
        return node is null ? null : new KeyOperationLimit(fields.Number("amount", 1, KeyOperationsMax, 1), fields.Window("per"));
    }

    /// <summary>Reports a name that is none, or is there already.</summary>
    public static bool IsName(FieldReader fields, IEnumerable<string> taken, ErrorList errors)
    {
        if (fields["name"] is not { } node || FieldReader.TextOf(node, "name", Limit.NameCharsMax, errors) is not { } name)
        {
            return false;
        }

        if (!NameForm().IsMatch(name))
        {
            errors.Report(node, $"\"{name}\" is not a name: small letters, digits and _, at most {Limit.NameCharsMax}, a letter first");
            return false;
        }

        if (taken.Contains(name))
        {
            errors.Report(node, $"\"{name}\" is the name of another limit or quota");
        }

        return !taken.Contains(name);
    }

    private void Add(YamlNode item)
    {
        var fields = FieldReader.Of(item, Vocabulary.Limit, _errors);
        var counts = fields.Choice("counts", Counts, LimitCounts.Requests);
        var isWindowless = counts == LimitCounts.ConcurrentRequests;
        if (fields["per"] is { } per && isWindowless)
        {
            _errors.Report(per, "concurrent_requests are those under way at a time: per does not belong here");
        }
        else if (fields["per"] is null && !isWindowless && item.Kind == YamlKind.Map)
        {
            _errors.Report(item, "\"per\" is missing: the window in which is counted");
        }

        var (actions, scopes) = ReadWhere(fields);
        var except = fields.TextOrTexts("except", NamesMax).Where(IsExceptScope)
            .Aggregate(0UL, (mask, name) => mask | _permissions.Catalogue.BitOf(name.Text));
        if (scopes != 0 && (scopes & ~except) == 0)
        {
            _errors.Report(fields["except"]!, "except takes away every scope of where: the limit would count nothing");
        }

        var amount = fields["amount"] is null ? (long?)null : fields.Number("amount", 1, (int)Limit.AmountMax, 1);
        if (!IsName(fields, _limits.Select(limit => limit.Name), _errors))
        {
            return;
        }

        _limits.Add(new Limit
        {
            Name = fields["name"]!.Text,
            Counts = counts,
            WindowMs = isWindowless ? 0 : (long)fields.Window("per").TotalMilliseconds,
            Actions = actions,
            Scopes = scopes,
            ExceptScopes = except,
        });
        _amounts.Add(amount);
        _places.Add(item);
    }

    private (byte Actions, ulong Scopes) ReadWhere(FieldReader fields)
    {
        var (actions, scopes) = ((byte)0, 0UL);
        var catalogue = _permissions.Catalogue;
        foreach (var name in fields.TextOrTexts("where", NamesMax))
        {
            var (isAction, isScope) = (catalogue.IsAction(name.Text), catalogue.IsDeclared(name.Text));
            if (isAction && isScope)
            {
                _errors.Report(name, $"\"{name.Text}\" is an action and a scope: a limit cannot tell which is meant");
            }
            else if (!isAction && !isScope)
            {
                var known = catalogue.Actions.Select(action => action.Name).Concat(catalogue.Scopes.Select(scope => scope.Name));
                _errors.Report(name, $"\"{name.Text}\" is no action and no scope{Spelling.Hint(name.Text, known)}");
            }
            else
            {
                actions |= isAction ? catalogue.ActionsOf([name.Text]) : (byte)0;
                scopes |= catalogue.BitOf(name.Text);
            }
        }

        return (actions, scopes);
    }

    private bool IsExceptScope(YamlNode name)
    {
        if (_permissions.Catalogue.IsAction(name.Text) && !_permissions.Catalogue.IsDeclared(name.Text))
        {
            _errors.Report(name, $"except names scopes, and \"{name.Text}\" is an action: name the other actions in where");
            return false;
        }

        return _permissions.IsScope(name, grantable: false);
    }

    /// <summary>
    /// A request may need any one scope with any one action, by a route or because an API server says so; what a route needs beyond that is
    /// asked too.
    /// </summary>
    private void CheckOverlap()
    {
        if (_limits.Count <= LimitStates.Max)
        {
            return;
        }

        var catalogue = _permissions.Catalogue;
        var actions = Enumerable.Range(0, catalogue.Actions.Count).Select(bit => (byte)(1 << bit)).Append((byte)0).ToList();
        var scopes = Enumerable.Range(0, catalogue.Scopes.Count).Select(bit => 1UL << bit).Append(0UL);
        var requirements = scopes.SelectMany(scope => actions.Select(action => new Requirement(scope, action)))
            .Concat(_permissions.Routes.Routes.SelectMany(route =>
                actions.Select(action => route.Requirement with { Actions = (byte)(route.Requirement.Actions | action) })));
        foreach (var requirement in requirements)
        {
            var counting = Enumerable.Range(0, _limits.Count).Where(i => Count(_limits[i], requirement)).ToList();
            if (counting.Count > LimitStates.Max)
            {
                var what = catalogue.Describe(requirement) is { Length: > 0 } needed ? $"that needs {needed}" : "for any key";
                _errors.Report(
                    _places[counting[LimitStates.Max]],
                    $"{counting.Count} limits count a request {what}; at most {LimitStates.Max} may count one");
                return;
            }
        }
    }

    private static bool Count(Limit limit, Requirement requirement)
    {
        var scopes = requirement.AnyScope | requirement.ConditionalScopes;
        return (limit.Actions == 0 || (limit.Actions & requirement.Actions) != 0)
            && (limit.Scopes == 0 || (limit.Scopes & scopes) != 0)
            && (limit.ExceptScopes & scopes) == 0;
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_]*\z")]
    private static partial Regex NameForm();
}
