namespace Tollgate.Server.Console.Frame;

/// <summary>What stands before a change: what will happen, and the button that does it.</summary>
/// <param name="Title">What is asked, with the name of what it is about.</param>
/// <param name="Button">What the button does, as a verb.</param>
/// <param name="Action">Where the form is sent.</param>
/// <param name="Back">Where who does not want it goes.</param>
/// <param name="IsDanger">Whether it destroys something.</param>
public sealed record AskFacts(string Title, string Button, string Action, string Back, bool IsDanger)
{
    /// <summary>What will happen.</summary>
    public IReadOnlyList<string> Sentences { get; init; } = [];

    /// <summary>The name to type, in the field <c>confirm</c>; null where the button is enough.</summary>
    public string? Name { get; init; }

    /// <summary>Sent along as it is.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Hidden { get; init; } = [];
}

/// <summary>Something to choose: its name in the form, what people read, what it means.</summary>
public sealed record FormChoice(string Name, string Title, string? Hint, bool IsChosen);
