namespace Tollgate.Server.Mail;

/// <summary>A row of the outbox.</summary>
internal sealed record QueuedMail
{
    public const long IsWaiting = 0;
    public const long IsSent = 1;
    public const long IsGivenUp = 2;

    /// <summary>Nobody's: queued for its time alone, see <see cref="MailOutbox.QueueBlank"/>.</summary>
    public const long IsBlank = 3;

    public required long MailNo { get; init; }

    /// <summary>The part of its Message-ID before the @, the same in every attempt.</summary>
    public required string Id { get; init; }

    public required string Template { get; init; }

    /// <summary>A sealed <see cref="Mail.Letter"/>; empty once nothing more will be done with it.</summary>
    public required byte[] Letter { get; init; }

    public required long State { get; init; }

    /// <summary>1 for one that is never sent.</summary>
    public required long Blank { get; init; }

    public long Attempts { get; init; }

    public required long? DueAtMs { get; init; }

    public required long UntilMs { get; init; }

    public long? AttemptedAtMs { get; init; }

    /// <summary>What the last attempt came to, in a word; never what the server said, which may name people.</summary>
    public string? Error { get; init; }

    public required long CreatedAtMs { get; init; }

    public long? FinishedAtMs { get; init; }
}

/// <summary>How the outbox stands.</summary>
internal sealed record OutboxState
{
    public required long Waiting { get; init; }

    public long? OldestAtMs { get; init; }

    public long? NextDueAtMs { get; init; }
}
