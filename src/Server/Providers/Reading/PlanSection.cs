using System.Globalization;
using System.Text.RegularExpressions;
using Tollgate.Engine.Limits;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>plans</c>: how much of each limit and quota an organization has.</summary>
internal sealed partial class PlanSection
{
    public const int PlansMax = 32;
    public const string UnlimitedWord = "unlimited";

    private readonly LimitSection _limits;
    private readonly QuotaSection _quotas;
    private readonly ErrorList _errors;

    private PlanSection(LimitSection limits, QuotaSection quotas, ErrorList errors) =>
        (_limits, _quotas, _errors) = (limits, quotas, errors);

    /// <summary>Without the section there is one plan, and each limit has an amount of its own.</summary>
    public static IReadOnlyList<Plan> Read(YamlNode? node, LimitSection limits, QuotaSection quotas, ErrorList errors)
    {
        var section = new PlanSection(limits, quotas, errors);
        if (node is null)
        {
            return [section.OnlyPlan()];
        }

        if (!FieldReader.IsMap(node, "plans", errors))
        {
            return [Plan.Free];
        }

        if (node.Fields.Count is 0 or > PlansMax)
        {
            errors.Report(node, $"a provider has 1 to {PlansMax} plans, not {node.Fields.Count}");
        }

        return [.. node.Fields.Take(PlansMax).Select(field => section.ReadPlan(field.Name, field.Value))];
    }

    private Plan OnlyPlan()
    {
        var without = _limits.Places.Where((_, i) => _limits.Amounts[i] is null)
            .Concat(_quotas.Places.Where((_, i) => _quotas.Amounts[i] is null));
        foreach (var place in without)
        {
            _errors.Report(place, "\"amount\" is missing: there are no plans to say it");
        }

        return Plan.Free with
        {
            Limits = [.. _limits.Amounts.Select(amount => amount ?? 1)],
            Quotas = [.. _quotas.Amounts.Select(amount => amount ?? 0)],
        };
    }

    private Plan ReadPlan(YamlNode name, YamlNode value)
    {
        if (!NameForm().IsMatch(name.Text))
        {
            _errors.Report(name, $"\"{name.Text}\" is not a name for a plan: small letters, digits, _ and -, at most 40, a letter first");
        }

        var known = _limits.Limits.Select(limit => limit.Name).Concat(_quotas.Quotas.Select(quota => quota.Name)).ToList();
        if (FieldReader.IsMap(value, $"plan {name.Text}", _errors))
        {
            foreach (var field in value.Fields.Where(field => !known.Contains(field.Name.Text)))
            {
                _errors.Report(
                    field.Name, $"there is no limit and no quota \"{field.Name.Text}\"{Spelling.Hint(field.Name.Text, known)}");
            }
        }

        return new Plan(
            name.Text,
            [.. _limits.Limits.Select((limit, i) => AmountOf(name, value[limit.Name], limit.Name, _limits.Amounts[i], min: 1))],
            [.. _quotas.Quotas.Select((quota, i) => AmountOf(name, value[quota.Name], quota.Name, _quotas.Amounts[i], min: 0))]);
    }

    private long AmountOf(YamlNode plan, YamlNode? node, string name, long? otherwise, int min)
    {
        if (node is null)
        {
            if (otherwise is null)
            {
                _errors.Report(plan, $"plan \"{plan.Text}\" says no amount of \"{name}\", which has none of its own");
            }

            return otherwise ?? min;
        }

        if (node is { Kind: YamlKind.Text, Text: UnlimitedWord })
        {
            return LimitPlan.Unlimited;
        }

        if (node is { Kind: YamlKind.Text, IsPlain: true }
            && long.TryParse(node.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            && amount >= min && amount <= Limit.AmountMax)
        {
            return amount;
        }

        _errors.Report(node, $"{name} is a whole number from {min} to {Limit.AmountMax}, or unlimited, not {node.Describe()}");
        return min;
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_\-]{0,39}\z")]
    private static partial Regex NameForm();
}
