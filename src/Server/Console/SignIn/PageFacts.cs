using Tollgate.Server.Console.Frame;

namespace Tollgate.Server.Console.SignIn;

/// <summary>What every page is told. Public, as a component's parameters must be.</summary>
/// <param name="Company">Whose console it is.</param>
/// <param name="TokenName">Under which name forms send their token.</param>
/// <param name="Token">Without which no form of ours is taken.</param>
/// <param name="Style">Where the style sheet is.</param>
/// <param name="Ways">The providers elsewhere that people can sign in with.</param>
public sealed record PageFacts(string Company, string TokenName, string Token, string Style, IReadOnlyList<WayIn> Ways);

/// <summary>A provider elsewhere: its name in forms, how it is called, and the path of a sign-in with it.</summary>
public sealed record WayIn(string Name, string Title, string Path);

/// <summary>An account elsewhere as its owner sees it.</summary>
public sealed record ConnectionLine(string Name, string Title, string Subject, string? Email, MomentFacts? Connected, MomentFacts? Used);

/// <summary>What is wrong with a form: the field by its name, empty for all of it, and a sentence.</summary>
public sealed record PageFault(string Field, string Sentence);

/// <summary>A session as its owner sees it: the browser by its name, and the device as it said itself.</summary>
public sealed record SessionLine(
    string Id, string Browser, string Device, string Address, MomentFacts? Began, MomentFacts? Seen, bool IsThis);

/// <summary>An invitation as who opens its link sees it.</summary>
/// <param name="Team">Its name.</param>
/// <param name="Role">What one is to be in it.</param>
/// <param name="Inviter">What whoever sent it is called.</param>
/// <param name="Action">Where the button leads.</param>
/// <param name="SignedInAs">The address of who is signed in; null for nobody, and for who has none.</param>
/// <param name="IsYours">Whether it was sent to that address.</param>
public sealed record InvitationFacts(string Team, string Role, string Inviter, string Action, string? SignedInAs, bool IsYours)
{
    /// <summary>Whether somebody is signed in at all.</summary>
    public bool IsSignedIn { get; init; }

    /// <summary>The amount that joining would move out of one's own wallet, with its currency; null for none.</summary>
    public string? Moves { get; init; }

    /// <summary>Keys of one's own that are held while one is in the team.</summary>
    public long KeysHeld { get; init; }

    /// <summary>Money moves only by a sign-in that is fresh.</summary>
    public bool NeedsSignIn { get; init; }
}

/// <summary>A passkey as its owner sees it.</summary>
public sealed record PasskeyLine(string Id, string Name, MomentFacts? Made, MomentFacts? Used);

/// <summary>The second step of the owner's sign-ins.</summary>
public sealed record SecondStepLine(MomentFacts? Since, long CodesLeft);

/// <summary>A square code: how many modules it has on a side, and the dark ones as a path.</summary>
public sealed record SquareFacts(int Size, string Path);

/// <summary>A person as the account page shows it.</summary>
public sealed record AccountFacts(
    string Name, string? Email, bool HasPassword, bool IsOperator, bool IsFresh, IReadOnlyList<SessionLine> Sessions,
    IReadOnlyList<ConnectionLine> Connections, SecondStepLine? SecondStep, IReadOnlyList<PasskeyLine> Passkeys);
