using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;

namespace Tollgate.Server.Console.Try;

/// <summary>The form of a trial, with what was typed.</summary>
/// <param name="Home">The page's own address.</param>
/// <param name="KeyId">The chosen key; null where there is none to try.</param>
public sealed record TryFormFacts(string Home, string? KeyId)
{
    /// <summary>All keys to choose from.</summary>
    public IReadOnlyList<FormChoice> Keys { get; init; } = [];

    /// <summary>The models that the chosen key may use; none where the provider file names none, and one is typed.</summary>
    public IReadOnlyList<FormChoice> Models { get; init; } = [];

    public string Model { get; init; } = "";

    public string Message { get; init; } = "";

    public string TokensMax { get; init; } = "";

    /// <summary>Where a key is made; null for who makes none.</summary>
    public string? MakeHref { get; init; }
}

/// <summary>A header of an answer.</summary>
public sealed record TrialHeader(string Name, string Value);

/// <summary>Why a trial did not pass.</summary>
/// <param name="Code">The error's, which has a page.</param>
/// <param name="Cause">What happened.</param>
/// <param name="Cure">What mends it; null where its page alone says that.</param>
/// <param name="StepsHref">Where the decision is told step by step; null where there was none.</param>
public sealed record TrialRefusal(string Code, string Cause, string? Cure, string? StepsHref);

/// <summary>What became of a trial.</summary>
public sealed record TrialFacts
{
    /// <summary>What the model said; null where it said nothing that could be read.</summary>
    public string? Text { get; init; }

    public TrialRefusal? Refusal { get; init; }

    /// <summary>Tokens, cost, time.</summary>
    public IReadOnlyList<KeyFact> Facts { get; init; } = [];

    public IReadOnlyList<TrialHeader> Headers { get; init; } = [];

    /// <summary>The answer as a program gets it.</summary>
    public string? Raw { get; init; }
}
