using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>A webhook in the list.</summary>
public sealed record WebhookLine(string Href, string Url, string Events, KeyStatus Status)
{
    /// <summary>Whose keys it hears of.</summary>
    public required string Of { get; init; }

    /// <summary>When something last arrived; null for not lately.</summary>
    public MomentFacts? Arrived { get; init; }

    /// <summary>When an attempt last failed; null for not lately.</summary>
    public MomentFacts? Failed { get; init; }
}

/// <summary>The form of a webhook, with what was typed.</summary>
public sealed record WebhookFormFacts(string Action, string Back, string Title, string Button)
{
    public string Url { get; init; } = "";

    public string Description { get; init; } = "";

    public IReadOnlyList<FormChoice> Events { get; init; } = [];

    public int DescriptionMax { get; init; }

    /// <summary>What it may be, in words.</summary>
    public string UrlHint { get; init; } = "";
}

/// <summary>A secret, in the one answer that shows it.</summary>
public sealed record WebhookSecretFacts(string Secret, string Home, string Sentence)
{
    public IReadOnlyList<Snippet> Snippets { get; init; } = [];

    public override string ToString() => "(secret redacted)";
}

/// <summary>One webhook, all that its page shows.</summary>
public sealed record WebhookFacts(string Url, string Home, KeyStatus Status)
{
    public IReadOnlyList<KeyFact> Facts { get; init; } = [];

    public IReadOnlyList<FormChoice> Events { get; init; } = [];

    public IReadOnlyList<KeyActionLink> Actions { get; init; } = [];

    /// <summary>Whether something can be sent to it now.</summary>
    public bool IsEnabled { get; init; }
}

/// <summary>What was or is to be delivered, by the filter in the page's address.</summary>
public sealed record DeliveryListFacts
{
    public IReadOnlyList<FormChoice> Statuses { get; init; } = [];

    public IReadOnlyList<DeliveryLine> Lines { get; init; } = [];

    public bool IsFiltered { get; init; }

    /// <summary>Where older ones are; null where there are none.</summary>
    public string? Next { get; init; }
}

/// <summary>One event on its way.</summary>
public sealed record DeliveryLine(string Href, string Type, KeyStatus Status, string Attempts, string Answer)
{
    public MomentFacts? Made { get; init; }

    public MomentFacts? Next { get; init; }
}

/// <summary>One delivery, and what is sent.</summary>
public sealed record DeliveryFacts(string Type, string Id, KeyStatus Status, string Home, string Body)
{
    public IReadOnlyList<KeyFact> Facts { get; init; } = [];

    public bool MayReplay { get; init; }

    public string Action { get; init; } = "";
}

/// <summary>A page before a change that asks for something more: until when, or since when.</summary>
public sealed record WebhookAskFacts(string Title, string Button, string Action, string Back, string Field, string Label, string Value)
{
    public IReadOnlyList<string> Sentences { get; init; } = [];

    public string Hint { get; init; } = "";

    /// <summary>The field's type.</summary>
    public string Type { get; init; } = "text";

    public bool IsNumber { get; init; }

    /// <summary>Whether the old secret of another rotation ends by it.</summary>
    public bool IsForced { get; init; }
}
