namespace Tollgate.Engine.Limits;

/// <summary>How a limit stood for a request when it was decided; the request itself counts as taken where it passed.</summary>
/// <param name="Limit">Its number in the provider file.</param>
/// <param name="Amount">How much may be taken in a window.</param>
/// <param name="Remaining">How much may still be taken now; at least 0.</param>
/// <param name="ResetMs">Milliseconds until the full amount is back; 0 when it is.</param>
/// <param name="RetryMs">Milliseconds until a request like this one fits; 0 when it does now.</param>
public readonly record struct LimitState(byte Limit, long Amount, long Remaining, long ResetMs, long RetryMs);
