using Microsoft.AspNetCore.Http;

namespace Tollgate.Client.AspNetCore;

/// <summary>What the gate said of a request's key, for the endpoint that serves it.</summary>
public sealed class TollgateFeature
{
    private readonly string _secret;
    private readonly string? _address;
    private readonly RemoteGate _gate;
    private readonly Dictionary<TollgateRequirement, GateAnswer> _answers = [];

    internal TollgateFeature(string secret, string? address, RemoteGate gate) => (_secret, _address, _gate) = (secret, address, gate);

    /// <summary>The key's facts; null when it was refused.</summary>
    public VerdictKey? Key { get; internal set; }

    /// <summary>Why the request is refused; null as long as it is not.</summary>
    public TollgateRefusal? Refusal { get; internal set; }

    /// <summary>What the gate says of this key and a requirement; asked once a request.</summary>
    internal async ValueTask<GateAnswer> Ask(TollgateRequirement requirement, HttpContext http)
    {
        if (!_answers.TryGetValue(requirement, out var answer))
        {
            answer = await _gate.Ask(requirement.QuestionOf(_secret, _address, http), http.RequestAborted).ConfigureAwait(false);
            _answers[requirement] = answer;
        }

        return answer;
    }
}

/// <summary>The key of a request, as the gate knows it.</summary>
public static class TollgateContext
{
    /// <summary>The facts of the key that this request was admitted with; null when no key, or no good one, was sent.</summary>
    public static VerdictKey? GetTollgateKey(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Features.Get<TollgateFeature>()?.Key;
    }
}
