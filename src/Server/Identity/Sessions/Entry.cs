namespace Tollgate.Server.Identity.Sessions;

/// <summary>What a proof of who one is leads to: a session, or the second step where the person has one.</summary>
internal sealed record Entry
{
    private Entry(string secret, bool isWaiting) => (Secret, IsWaiting) = (secret, isWaiting);

    /// <summary>Of the session, or of the link that waits for the second step.</summary>
    public string Secret { get; }

    public bool IsWaiting { get; }

    public static Entry Of(string session) => new(session, false);

    public static Entry Waiting(string link) => new(link, true);

    /// <summary>Never prints the secret.</summary>
    public override string ToString() => IsWaiting ? "waits for the second step" : "a session";
}
