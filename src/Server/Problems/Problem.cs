namespace Tollgate.Server.Problems;

/// <summary>
/// One thing that went wrong, told to the caller: the catalogue row, a sentence for this occurrence, and the members at fault.
/// </summary>
internal sealed record Problem(ProblemCode Code, string Detail)
{
    /// <summary>The members of the request at fault, as JSON pointers, with what was expected of each.</summary>
    public IReadOnlyList<FieldError> Errors { get; init; } = [];

    /// <summary>The permission that would have been needed, such as <c>endpoints:write</c>.</summary>
    public string? RequiredPermission { get; init; }

    /// <summary>After how many seconds repeating the call makes sense. What passes by itself names the shortest wait there is.</summary>
    public int? RetryAfterSeconds { get; init; } = PassesByItself(Code) ? 1 : null;

    /// <summary>The limit that refused.</summary>
    public LimitFault? Limit { get; init; }

    /// <summary>How many of a thing the organization's plan allows, where that many are there.</summary>
    public long? PlanLimit { get; init; }

    /// <summary>Where money can be put in, where the lack of it is the problem.</summary>
    public string? TopUpUrl { get; init; }

    /// <summary>
    /// Clients that repeat calls by themselves are told not to: what passes only after a long time is somebody's to know of.
    /// </summary>
    public bool ForbidsRetry => Code == ProblemCode.KeyOperationsExceeded;

    public static Problem Of(ProblemCode code) => new(code, code.Title);

    private static bool PassesByItself(ProblemCode code) =>
        code == ProblemCode.IdempotencyInFlight || code == ProblemCode.Unavailable || code == ProblemCode.TooManyUnknownKeys
        || code == ProblemCode.RateLimited || code == ProblemCode.InFlightHolds || code == ProblemCode.KeyOperationsExceeded
        || code == ProblemCode.UpstreamBusy;

    /// <summary>A 422 for one member. <paramref name="pointer"/> is a JSON pointer such as <c>/name</c>.</summary>
    public static Problem Invalid(string pointer, string expected) =>
        new(ProblemCode.ValidationFailed, $"{pointer.TrimStart('/')}: {expected}") { Errors = [new(pointer, expected)] };

    public static Problem Invalid(IReadOnlyList<FieldError> errors) =>
        new(ProblemCode.ValidationFailed, string.Join(" ", errors.Select(e => $"{e.Pointer.TrimStart('/')}: {e.Expected}")))
        {
            Errors = errors,
        };
}

/// <summary>A member of the request at fault and what was expected of it.</summary>
internal sealed record FieldError(string Pointer, string Expected);

/// <summary>A limit that refused, and how it stood.</summary>
/// <param name="Name">As in the provider file.</param>
/// <param name="Amount">How much may be taken in a window.</param>
/// <param name="Remaining">How much was left.</param>
/// <param name="RetrySeconds">After how many seconds, rounded up, the same request fits; 0 where it never does.</param>
internal sealed record LimitFault(string Name, long Amount, long Remaining, long RetrySeconds);
