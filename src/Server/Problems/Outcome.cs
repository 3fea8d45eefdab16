using System.Diagnostics.CodeAnalysis;

namespace Tollgate.Server.Problems;

/// <summary>A value, or the <see cref="Problem"/> that stood in its way. Expected failures travel in it; exceptions are for bugs.</summary>
internal readonly struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, Problem? problem)
    {
        _value = value;
        Problem = problem;
    }

    public Problem? Problem { get; }

    [MemberNotNullWhen(false, nameof(Problem))]
    public bool IsOk => Problem is null;

    /// <summary>The value; asking a failed outcome for it is a bug.</summary>
    public T Value => Problem is null ? _value! : throw new InvalidOperationException($"No value: {Problem.Code.Code}");

    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Problem? problem)
    {
        (value, problem) = (_value, Problem);
        return problem is null;
    }

    /// <summary>For a value of an interface's type, which converts itself to nothing.</summary>
    public static Outcome<T> Of(T value) => new(value, null);

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Problem problem) => new(default, problem);
}
