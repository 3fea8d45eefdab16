using Tollgate.Engine.Keys;

namespace Tollgate.Server.Webhooks;

/// <summary>What the operator sets of webhooks.</summary>
internal sealed record WebhookOptions
{
    /// <summary>Whether <c>http://</c> is taken too.</summary>
    public bool AllowsHttp { get; init; }

    /// <summary>Networks that webhooks may reach though they are not public; null for none.</summary>
    public AddressRule? PrivateAddresses { get; init; }

    /// <summary>For how long finished deliveries can be listed and replayed.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Reads networks separated by commas. Null when one is none, or there are more than 64.</summary>
    public static bool TryReadNetworks(string list, out AddressRule? networks)
    {
        networks = null;
        var ranges = list.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return ranges.Length == 0 || AddressRule.TryParse(ranges, out networks, out _);
    }
}
