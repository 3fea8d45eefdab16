using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>quotas</c>: what customers may have so many of, and which requests make and delete one.</summary>
internal sealed class QuotaSection
{
    public const int QuotasMax = 16;
    private const int TargetsMax = 8;
    private static readonly ScopeCatalogue NoScopes = new([], []);

    private readonly RouteTable _known;
    private readonly ErrorList _errors;
    private readonly List<Quota> _quotas = [];
    private readonly List<long?> _amounts = [];
    private readonly List<YamlNode> _places = [];
    private readonly List<RouteRule> _targets = [];
    private readonly List<QuotaStep> _steps = [];
    private readonly List<YamlNode> _targetPlaces = [];

    private QuotaSection(RouteTable known, ErrorList errors) => (_known, _errors, Routes) = (known, errors, new QuotaRoutes(known, []));

    public IReadOnlyList<Quota> Quotas => _quotas;

    /// <summary>What each allows where the plan does not say; null where the plan has to.</summary>
    public IReadOnlyList<long?> Amounts => _amounts;

    public IReadOnlyList<YamlNode> Places => _places;

    public QuotaRoutes Routes { get; private set; }

    /// <param name="node">The section; null where the file has none.</param>
    /// <param name="known">The provider's routes, which a quota's requests must be among.</param>
    /// <param name="limits">Whose names are taken.</param>
    /// <param name="errors">What is wrong.</param>
    public static QuotaSection Read(YamlNode? node, RouteTable known, LimitSection limits, ErrorList errors)
    {
        var section = new QuotaSection(known, errors);
        foreach (var item in node is null ? [] : FieldReader.ItemsOf(node, "quotas", QuotasMax, errors))
        {
            section.Add(item, limits);
        }

        if (!RouteTable.TryBuild(section._targets, NoScopes, out var table, out var faults))
        {
            foreach (var fault in faults)
            {
                var target = section._targetPlaces[fault.Route];
                errors.Report(target, $"{section._targets[fault.Route].Pattern.Text} {fault.Message}");
            }
        }

        section.Routes = new QuotaRoutes(table, section._steps);
        return section;
    }

    private void Add(YamlNode item, LimitSection limits)
    {
        var fields = FieldReader.Of(item, Vocabulary.Quota, _errors);
        var amount = fields["amount"] is null ? (long?)null : fields.Number("amount", 0, (int)Limit.AmountMax, 0);
        var taken = limits.Limits.Select(limit => limit.Name).Concat(_quotas.Select(quota => quota.Name));
        if (!LimitSection.IsName(fields, taken, _errors))
        {
            return;
        }

        var number = _quotas.Count;
        var made = fields.TextOrTexts("made_by", TargetsMax).Where(target => IsTarget(target, number, makes: true)).ToList();
        var deleted = fields.TextOrTexts("deleted_by", TargetsMax).Where(target => IsTarget(target, number, makes: false)).ToList();
        if ((fields["made_by"] is null) != (fields["deleted_by"] is null))
        {
            _errors.Report(item, "made_by and deleted_by belong together: counted one way only, a quota would be wrong for good");
        }

        _quotas.Add(new Quota(fields["name"]!.Text)
        {
            MadeBy = [.. made.Select(target => target.Text)],
            DeletedBy = [.. deleted.Select(target => target.Text)],
        });
        _amounts.Add(amount);
        _places.Add(item);
    }

    private bool IsTarget(YamlNode node, int quota, bool makes)
    {
        if (PermissionSection.ReadTarget(node, methodNeeded: true, _errors) is not ({ } pattern, var method))
        {
            return false;
        }

        if (pattern.IsOpen || method is Methods.Get or Methods.Head or Methods.Options)
        {
            _errors.Report(node, pattern.IsOpen ? "a quota counts at one path: no **" : "a quota counts what a method changes, not GET");
            return false;
        }

        if (_known.Match(method.ToString().ToUpperInvariant(), SampleOf(pattern)).Kind != RouteMatchKind.Found)
        {
            var routes = _known.Routes.Select(route => route.Pattern.Text);
            _errors.Report(node, $"no route takes {node.Text}{Spelling.Hint(pattern.Text, routes)}");
            return false;
        }

        _targets.Add(new RouteRule(pattern, default) { Method = method });
        _steps.Add(new QuotaStep(quota, makes));
        _targetPlaces.Add(node);
        return true;
    }

    /// <summary>A path that the pattern takes.</summary>
    private static string SampleOf(RoutePattern pattern) =>
        "/" + string.Join('/', pattern.Segments.Select(segment => segment.Kind == SegmentKind.Literal ? segment.Literal : "x"));
}
