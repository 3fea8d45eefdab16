using System.Text.Json.Serialization;

namespace Tollgate.Client;

/// <summary>
/// The gate answered, and the answer was no. A gate that could not be reached is an <see cref="HttpRequestException"/>,
/// and one that took too long a <see cref="TaskCanceledException"/> with a <see cref="TimeoutException"/> inside.
/// </summary>
public sealed class TollgateException : Exception
{
    internal TollgateException(Problem problem, Exception? innerException = null)
        : base(problem.Detail ?? problem.Title, innerException) => Problem = problem;

    public Problem Problem { get; }

    /// <summary>When a repetition makes sense; null when the gate did not say.</summary>
    public TimeSpan? RetryAfter { get; internal init; }
}

/// <summary>What went wrong, in the shape of RFC 9457.</summary>
public sealed record Problem
{
    /// <summary>The code of an answer that did not come from a Tollgate, or not whole.</summary>
    public const string UnexpectedAnswer = "unexpected_answer";

    private const string Untitled = "The answer could not be read.";

    /// <summary>The address of the page that explains <see cref="Code"/>.</summary>
    public string? Type { get; init; }

    /// <summary>The sentence of this code, always the same.</summary>
    public string Title { get; init => field = value ?? Untitled; } = Untitled;

    public int Status { get; init; }

    /// <summary>The sentence of this occurrence.</summary>
    public string? Detail { get; init; }

    /// <summary>Stable, for programs.</summary>
    public string Code { get; init => field = value ?? UnexpectedAnswer; } = UnexpectedAnswer;

    /// <summary>Finds the request in the gate's logs.</summary>
    public string? RequestId { get; init; }

    public IReadOnlyList<FieldProblem> Errors { get; init => field = value ?? []; } = [];

    /// <summary>The permission or right that would have been needed.</summary>
    public string? RequiredPermission { get; init; }
}

/// <summary>A member of the request at fault.</summary>
/// <param name="Member">A JSON pointer such as <c>/name</c>.</param>
/// <param name="Expected">What was expected of it.</param>
public sealed record FieldProblem([property: JsonPropertyName("pointer")] string Member, string Expected);
