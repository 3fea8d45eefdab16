namespace Tollgate.Server.Identity.Sessions;

/// <summary>Somebody is signed in somewhere.</summary>
internal sealed record Session
{
    public long SessionNo { get; init; }

    /// <summary><c>ses_</c> and 22 characters: names it in lists, and opens nothing.</summary>
    public string Id { get; init; } = "";

    public long PersonNo { get; init; }

    /// <summary>
    /// How it began: password, magic, once, passkey, or the name of a provider elsewhere; with +totp or +recovery after a second step.
    /// </summary>
    public string Method { get; init; } = "";

    public string? Address { get; init; }

    public string Device { get; init; } = "";

    public long CreatedAtMs { get; init; }

    /// <summary>When the person last proved who it is.</summary>
    public long ProvedAtMs { get; init; }

    public long SeenAtMs { get; init; }

    public long EndsAtMs { get; init; }
}

/// <summary>Who makes a request of a page, and by which session. Set as a feature once it is established.</summary>
internal sealed record SignedIn(Person Person, Session Session)
{
    /// <summary>What changes who may do what asks for a proof not older than this.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(10);

    public bool IsFreshAt(long nowMs) => nowMs - Session.ProvedAtMs <= (long)FreshFor.TotalMilliseconds;

    public static SignedIn Of(HttpContext http) =>
        http.Features.Get<SignedIn>() ?? throw new InvalidOperationException("Nobody has established who is signed in.");
}
