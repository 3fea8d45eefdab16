using System.Globalization;
using System.Text.Json;
using Tollgate.Engine.Limits;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys;

/// <summary>
/// Limits that one key has below its plan's, by the name of the limit. Kept by name, so that they outlive a reordered provider file; a
/// name that the file no longer declares counts nothing.
/// </summary>
internal static class KeyLimits
{
    public static readonly IReadOnlyDictionary<string, long> None = new Dictionary<string, long>();

    private const string NoneJson = "{}";

    public static string ToJson(IReadOnlyDictionary<string, long> limits) =>
        limits.Count == 0 ? NoneJson : JsonSerializer.Serialize(limits, KeyWire.Default.IReadOnlyDictionaryStringInt64);

    public static IReadOnlyDictionary<string, long> FromJson(string json) =>
        json == NoneJson ? None : JsonSerializer.Deserialize(json, KeyWire.Default.IReadOnlyDictionaryStringInt64)!;

    /// <summary>
    /// What is asked for, laid over what is there: a number sets a limit, null takes it away, a name that is not mentioned stays. What
    /// stays is not asked of the plan again, which may have shrunk since; the check takes the smaller of the two.
    /// </summary>
    public static IReadOnlyDictionary<string, long> Read(
        IReadOnlyDictionary<string, long?>? asked, IReadOnlyDictionary<string, long> before, ProviderModel provider, Plan plan,
        List<FieldError> faults)
    {
        if (asked is null)
        {
            return None;
        }

        var (after, places) = (new Dictionary<string, long>(before), PlacesOf(provider));
        foreach (var (name, amount) in asked)
        {
            if (amount is null && after.Remove(name))
            {
                continue;
            }

            if (!places.TryGetValue(name, out var place))
            {
                faults.Add(new(Pointer(name), provider.Limits.Count == 0
                    ? "is not offered: this provider has no limits."
                    : $"must be among {string.Join(", ", provider.Limits.Select(limit => limit.Name))}."));
            }
            else if (amount < 1 || amount > Most(plan.Limits[place]))
            {
                faults.Add(new(Pointer(name), Expected(plan, plan.Limits[place])));
            }
            else if (amount is not null)
            {
                after[name] = amount.Value;
            }
        }

        return after.OrderBy(limit => places.GetValueOrDefault(limit.Key, int.MaxValue)).ToDictionary();
    }

    /// <summary>The first limit that the narrower key lacks or has higher; null where it is within the wider one.</summary>
    public static string? FirstWider(IReadOnlyDictionary<string, long> narrow, IReadOnlyDictionary<string, long> wide) =>
        wide.Where(limit => !narrow.TryGetValue(limit.Key, out var amount) || amount > limit.Value).Select(limit => limit.Key)
            .FirstOrDefault();

    /// <summary>As the Engine needs them. A name that the file does not declare is left out and told.</summary>
    public static IReadOnlyList<KeyLimit> Of(IReadOnlyDictionary<string, long> limits, ProviderModel provider, Action<string> missed)
    {
        if (limits.Count == 0)
        {
            return [];
        }

        var (places, known) = (PlacesOf(provider), new List<KeyLimit>(limits.Count));
        foreach (var (name, amount) in limits)
        {
            if (places.TryGetValue(name, out var place))
            {
                known.Add(new KeyLimit(checked((byte)place), amount));
            }
            else
            {
                missed(name);
            }
        }

        return [.. known.OrderBy(limit => limit.Limit)];
    }

    private static Dictionary<string, int> PlacesOf(ProviderModel provider) =>
        provider.Limits.Select((limit, place) => (limit.Name, place)).ToDictionary(one => one.Name, one => one.place);

    private static long Most(long amount) => amount == LimitPlan.Unlimited ? Limit.AmountMax : amount;

    private static string Expected(Plan plan, long amount) => amount switch
    {
        0 => $"cannot be set: the plan {plan.Name} allows none.",
        LimitPlan.Unlimited => string.Create(CultureInfo.InvariantCulture, $"must be between 1 and {Limit.AmountMax}."),
        _ => string.Create(CultureInfo.InvariantCulture, $"must be between 1 and {amount}, what the plan {plan.Name} allows."),
    };

    /// <summary>A name of a limit is short; anything else is cut before it is told back.</summary>
    private static string Pointer(string name) => $"/limits{JsonPointer.Of(JsonPointer.Short(name))}";
}
