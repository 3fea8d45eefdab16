namespace Tollgate.Server.Console.SignIn;

/// <summary>What every page is told. Public, as a component's parameters must be.</summary>
/// <param name="Company">Whose console it is.</param>
/// <param name="TokenName">Under which name forms send their token.</param>
/// <param name="Token">Without which no form of ours is taken.</param>
/// <param name="Style">Where the style sheet is.</param>
public sealed record PageFacts(string Company, string TokenName, string Token, string Style);

/// <summary>What is wrong with a form: the field by its name, empty for all of it, and a sentence.</summary>
public sealed record PageFault(string Field, string Sentence);

/// <summary>A session as its owner sees it.</summary>
public sealed record SessionLine(string Id, string Device, string Address, string Began, string Seen, bool IsThis);

/// <summary>A person as the account page shows it.</summary>
public sealed record AccountFacts(
    string Name, string? Email, bool HasPassword, bool IsOperator, bool IsFresh, IReadOnlyList<SessionLine> Sessions);
