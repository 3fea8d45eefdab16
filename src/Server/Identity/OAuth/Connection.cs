namespace Tollgate.Server.Identity.OAuth;

/// <summary>An account elsewhere by which a person signs in.</summary>
internal sealed record Connection
{
    /// <summary>The provider: <see cref="ConnectionKind.Name"/>.</summary>
    public string Name { get; init; } = "";

    /// <summary>Who it is there; with the provider's name, the key.</summary>
    public string Subject { get; init; } = "";

    public long PersonNo { get; init; }

    /// <summary>What the provider told when it was connected; it is never looked up by.</summary>
    public string? Email { get; init; }

    public long CreatedAtMs { get; init; }

    public long UsedAtMs { get; init; }
}

/// <summary>What a provider has proved of somebody who came back from it.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="Subject">Who it is there.</param>
/// <param name="Email">The address, when it told one.</param>
/// <param name="IsVerified">The provider says that the person reads mails there.</param>
/// <param name="Name">How the person is called there.</param>
internal sealed record ConnectionProof(ConnectionKind Kind, string Subject, string? Email, bool IsVerified, string? Name)
{
    /// <summary>Who was signed in and wanted to connect it; null for a sign-in.</summary>
    public string? AskedBy { get; init; }
}
