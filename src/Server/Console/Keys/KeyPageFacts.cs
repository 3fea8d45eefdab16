using Tollgate.Server.Console.Frame;

namespace Tollgate.Server.Console.Keys;

/// <summary>A key in the list.</summary>
public sealed record KeyLine(string Href, string Name, string Mask, KeyStatus Status, string Environment, string By)
{
    /// <summary>Null for never.</summary>
    public MomentFacts? Used { get; init; }

    /// <summary>When it was made.</summary>
    public MomentFacts? Made { get; init; }
}

/// <summary>A status as a word, why it is so, and which mark goes with it.</summary>
public sealed record KeyStatus(string Word, string? Cause, string Mark);

/// <summary>A fact of a key: what it is called, and what it is.</summary>
public sealed record KeyFact(string Title, string Text)
{
    /// <summary>Ids and masks, whose characters matter one by one.</summary>
    public bool IsCode { get; init; }

    /// <summary>Where the fact is a moment.</summary>
    public MomentFacts? Moment { get; init; }
}

/// <summary>A limit of a key: what is counted, over which time, how many there may be and are now.</summary>
public sealed record KeyLimitLine(string Name, string Counts, string Amount, string Taken, string From);

/// <summary>What may be done to a key.</summary>
public sealed record KeyActionLink(string Title, string Href, string Sentence, bool IsDanger);

/// <summary>All that a key's page shows.</summary>
public sealed record KeyFacts(string Name, KeyStatus Status, string Home)
{
    public IReadOnlyList<KeyFact> Facts { get; init; } = [];

    public IReadOnlyList<KeyLimitLine> Limits { get; init; } = [];

    public IReadOnlyList<KeyActionLink> Actions { get; init; } = [];
}

/// <summary>The page that stands before a change of a key.</summary>
public sealed record KeyActionFacts(string Title, string Button, string Action, string Home, string Name, string Mask, bool IsDanger)
{
    /// <summary>What will happen.</summary>
    public IReadOnlyList<string> Sentences { get; init; } = [];

    /// <summary>The reasons that are asked for; none where none is.</summary>
    public IReadOnlyList<FormChoice> Reasons { get; init; } = [];

    /// <summary>The most hours that the old secret may live on; null where that is not asked.</summary>
    public string? GraceHoursMax { get; init; }

    /// <summary>What is in the field.</summary>
    public string GraceHours { get; init; } = "";

    /// <summary>Whether an old secret still lives, which a rotation would end.</summary>
    public bool AsksForce { get; init; }

    /// <summary>Whether the key's name is to be typed.</summary>
    public bool AsksName { get; init; }

    /// <summary>Whether it is to be called something else.</summary>
    public bool AsksNewName { get; init; }

    /// <summary>As it is now.</summary>
    public string? Description { get; init; }

    /// <summary>What a name has at least and at most.</summary>
    public (int Min, int Max) NameLength { get; init; }
}

/// <summary>A limit to set: its name, what it counts, the most there is, and what was typed.</summary>
public sealed record FormLimit(string Name, string Counts, string Most, string Value);

/// <summary>The form that makes a key, as the provider file allows it, with what was typed.</summary>
public sealed record KeyFormFacts
{
    public required string Action { get; init; }

    public required string Back { get; init; }

    public required int NameMin { get; init; }

    public required int NameMax { get; init; }

    public string Name { get; init; } = "";

    public string Description { get; init; } = "";

    public string Addresses { get; init; } = "";

    /// <summary>Null where keys have no expiry, so that there is no field.</summary>
    public string? Expiry { get; init; }

    public bool IsExpiryRequired { get; init; }

    /// <summary>The first day that can be chosen.</summary>
    public string ExpiryFirst { get; init; } = "";

    public IReadOnlyList<FormChoice> Environments { get; init; } = [];

    public IReadOnlyList<FormChoice> Types { get; init; } = [];

    public IReadOnlyList<FormChoice> Scopes { get; init; } = [];

    /// <summary>Whether exactly one scope is to be chosen.</summary>
    public bool IsOneScope { get; init; }

    public IReadOnlyList<FormChoice> Models { get; init; } = [];

    public IReadOnlyList<FormChoice> Rights { get; init; } = [];

    public IReadOnlyList<FormLimit> Limits { get; init; } = [];

    /// <summary>Whether something under "More" was touched, so that it is shown.</summary>
    public bool IsMoreOpen { get; init; }
}

/// <summary>Lines to paste: in which language, and what.</summary>
public sealed record Snippet(string Title, string Code);

/// <summary>A secret, in the one answer that shows it.</summary>
public sealed record SecretFacts(string Secret, string Name, string Home)
{
    /// <summary>What has just happened.</summary>
    public required string Sentence { get; init; }

    /// <summary>Where the key is tried; null where that is not on offer.</summary>
    public string? TryHref { get; init; }

    /// <summary>Whether it can be shown again.</summary>
    public bool IsRevealable { get; init; }

    public IReadOnlyList<Snippet> Snippets { get; init; } = [];

    public override string ToString() => $"{Name} (secret redacted)";
}
