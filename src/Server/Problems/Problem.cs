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
    public int? RetryAfterSeconds { get; init; } =
        Code == ProblemCode.IdempotencyInFlight || Code == ProblemCode.Unavailable || Code == ProblemCode.TooManyUnknownKeys ? 1 : null;

    /// <summary>How many of a thing the organization's plan allows, where that many are there.</summary>
    public long? PlanLimit { get; init; }

    /// <summary>
    /// Clients that repeat calls by themselves are told not to: what passes only after a long time is somebody's to know of.
    /// </summary>
    public bool ForbidsRetry => Code == ProblemCode.KeyOperationsExceeded;

    public static Problem Of(ProblemCode code) => new(code, code.Title);

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
