using Tollgate.Engine.Keys;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Keys;

/// <summary>What can be done to a key: which of it is on offer now, and the words that say what it does.</summary>
internal sealed record KeyAction(string Name, string Title, KeyOperations Operation, string Short)
{
    public const string Rename = "rename";
    public const string Rotate = "rotate";
    public const string Revoke = "revoke";
    public const string Delete = "delete";
    public const string Reveal = "reveal";

    /// <summary>In the order in which they are shown: what is mended easily comes first.</summary>
    public static IReadOnlyList<KeyAction> All { get; } =
    [
        new(Rename, "Rename", KeyOperations.None, "Another name or description."),
        new("disable", "Disable", KeyOperations.Disable, "Refuse its requests until it is enabled again."),
        new("enable", "Enable", KeyOperations.Enable, "Let its requests pass again."),
        new(Rotate, "Rotate", KeyOperations.Rotate, "A new secret; the old one works on for a while."),
        new("regenerate", "Regenerate", KeyOperations.Regenerate, "A new secret; the old one stops at once."),
        new(Reveal, "Reveal the secret", KeyOperations.None, "Show the secret once more."),
        new(Revoke, "Revoke", KeyOperations.Revoke, "End it for good; it stays in the list."),
        new(Delete, "Delete", KeyOperations.Delete, "End it for good and take it out of the list."),
    ];

    public bool IsDanger => Name is Revoke or Delete;

    /// <summary>Whether a new or old secret is shown after it.</summary>
    public bool ShowsSecret => Name is Rotate or Reveal or "regenerate";

    /// <summary>Whether the provider file has it and the key is in a state for it. The door asks again.</summary>
    public bool IsOfferedFor(Key key, KeyRules rules)
    {
        var isOffered = Name == Rename || (Operation == KeyOperations.None ? rules.Revealable : rules.Offers(Operation));
        return isOffered && Name switch
        {
            Delete => key.DeletedAtMs is null,
            "disable" => !key.IsFinal && !key.Holds.HasFlag(KeyState.HeldByPerson),
            "enable" => !key.IsFinal && key.Holds.HasFlag(KeyState.HeldByPerson),
            _ => !key.IsFinal,
        };
    }

    /// <summary>The page that stands before it.</summary>
    public KeyActionFacts Facts(Key key, string home, KeyRules rules, long nowMs)
    {
        var old = key.Secrets.FirstOrDefault(secret => secret.EndsAtMs is not null && secret.IsLive(nowMs));
        return new KeyActionFacts(Title, Button, $"{home}/{Name}", home, key.Name, key.Mask, IsDanger)
        {
            Sentences = [.. Sentences(rules), .. old is null || !ShowsSecret || Name == Reveal ? Array.Empty<string>() :
                [$"The secret {old.Mask} of the last rotation still works, until {Shown.Exact(old.EndsAtMs!.Value)}. It ends now."]],
            Reasons = Name == Revoke ? Reasons : [],
            GraceHoursMax = Name == Rotate ? Hours(rules.GraceMax) : null,
            GraceHours = Hours(rules.GraceDefault),
            AsksForce = Name == Rotate && old is not null,
            AsksName = Name == Delete,
            AsksNewName = Name == Rename,
            Description = key.Description,
            NameLength = (rules.NameMin, rules.NameMax),
        };
    }

    /// <summary>What the line on top of the next page says.</summary>
    public string Done(string name) => Name switch
    {
        "disable" => $"{name} is disabled: its requests are refused from now on.",
        "enable" => $"{name} is enabled: its requests pass again.",
        Revoke => $"{name} is revoked, for good.",
        Rename => $"{name} is what it is called now.",
        Delete => $"{name} is deleted. Its usage stays readable.",
        Rotate => $"{name} has a new secret. Put it where the old one is; the old one works on until the end of its grace.",
        "regenerate" => $"{name} has a new secret. The old one has stopped.",
        _ => $"This is the secret of {name}.",
    };

    private string Button => Name switch
    {
        Rotate => "Make a new secret",
        "regenerate" => "Make a new secret and stop the old one",
        Reveal => "Show the secret",
        Rename => "Save",
        Revoke => "Revoke this key",
        Delete => "Delete this key",
        _ => $"{Title} this key",
    };

    private static FormChoice[] Reasons =>
    [
        new("unspecified", "No reason given", null, true),
        new(RevokeReasons.Compromised, "Others may have the secret: what is under way is cut off as well", null, false),
        new("superseded", "Another key has taken its place", null, false),
        new("affiliation_changed", "Who used it has left", null, false),
        new("cessation_of_operation", "It is no longer needed", null, false),
    ];

    private IEnumerable<string> Sentences(KeyRules rules) => Name switch
    {
        "disable" =>
        [
            "Requests with this key are refused from now on. Apps that use it stop working.",
            "Enable it again whenever you like: its secret, name and history stay.",
        ],
        "enable" =>
        [
            "Requests with this key pass again, with the same secret.",
            "What else holds the key, such as an empty wallet, goes on holding it.",
        ],
        Rotate =>
        [
            "The key gets a new secret, which is shown on the next page. Name, history and limits stay.",
            rules.GraceMax > TimeSpan.Zero
                ? "The old secret works on for the hours below, so that apps can change over without a gap. Then it stops."
                : "The old secret stops at once.",
        ],
        "regenerate" =>
        [
            "The key gets a new secret, which is shown on the next page. Name, history and limits stay.",
            "Apps using the old secret stop at once.",
        ],
        Rename => ["Requests that it made before are shown under the new name too. Its secret and everything else stay."],
        Reveal => ["The secret is shown on the next page. That you looked is noted in the audit log."],
        Revoke =>
        [
            "Requests with this key are refused from now on, for good. Nothing brings it back.",
            "It stays in the list, and its usage stays readable.",
        ],
        _ =>
        [
            "Requests with this key are refused from now on, for good. This cannot be undone.",
            "It leaves the list; its usage stays readable.",
        ],
    };

    private static string Hours(TimeSpan span) => span.TotalHours.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);
}
