namespace Tollgate.Server.Identity.OAuth;

/// <summary>A provider that people can sign in with, and the names under which it is stored, in paths, and shown.</summary>
internal sealed record ConnectionKind(string Name, string Title)
{
    /// <summary>OpenID Connect: who it is stands in the id token.</summary>
    public static readonly ConnectionKind Google = new("google", "Google");

    /// <summary>OAuth alone: who it is and which addresses are confirmed is asked of its API.</summary>
    public static readonly ConnectionKind GitHub = new("github", "GitHub");

    public static readonly IReadOnlyList<ConnectionKind> All = [Google, GitHub];

    public string StartPath => $"/sign-in/{Name}";

    public string CallbackPath => $"/sign-in/{Name}/callback";
}

/// <summary>A provider as the operator set it up.</summary>
internal sealed record ConnectionConfig
{
    public required ConnectionKind Kind { get; init; }

    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    /// <summary>Where people are sent.</summary>
    public required string AuthorizeUrl { get; init; }

    /// <summary>Where we ask what the code of who comes back is worth.</summary>
    public required string TokenUrl { get; init; }

    /// <summary>Who its id tokens must be from; null where there are none.</summary>
    public string? Issuer { get; init; }

    /// <summary>Where it tells who somebody is, without a slash at the end; null where the id token does.</summary>
    public string? ApiUrl { get; init; }

    /// <summary>How long each question to it may take. Whoever waits can sign in by other means meanwhile.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Never prints the secret.</summary>
    public override string ToString() => $"{Kind.Name}, client {ClientId}";
}
