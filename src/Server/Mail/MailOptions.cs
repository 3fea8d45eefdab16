namespace Tollgate.Server.Mail;

/// <summary>How mail leaves the gate. Without a host it is written into a folder.</summary>
internal sealed record MailOptions
{
    public const string StartTls = "starttls";
    public const string NoTls = "none";

    /// <summary>The SMTP server; null for none.</summary>
    public string? Host { get; init; }

    public int Port { get; init; } = 587;

    /// <summary>Whom mail comes from; the name beside it is the provider's.</summary>
    public string From { get; init; } = "tollgate@localhost";

    /// <summary>Whether the connection must be encrypted before anything is said on it.</summary>
    public bool IsEncrypted { get; init; } = true;

    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>What one mail may take, from the connection to the server's last word.</summary>
    public TimeSpan SendTimeMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where mails are written while there is no host.</summary>
    public required string Folder { get; init; }

    public override string ToString() => Host ?? Folder;
}
