namespace Tollgate.Server.Mail;

/// <summary>A mail as other rooms ask for it: to whom, by which template, with which values.</summary>
/// <param name="To">One address; see <see cref="Mailbox"/>.</param>
/// <param name="Template">A name of <see cref="MailTemplate.All"/>.</param>
/// <param name="Values">
/// By the names of <see cref="MailTemplate.ValueNames"/>: at least those that the template needs. Url is an absolute http(s) address; all
/// others are text of people, which may hold anything. Company is the provider's name unless it is given.
/// </param>
internal sealed record MailMessage(string To, string Template, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>From then on nobody wants it any more, such as when its link has ended; a day after it was queued at the latest.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Values hold links that sign in.</summary>
    public override string ToString() => Template;
}

/// <summary>A mail that is ready to go: what is kept, sealed, until it is sent.</summary>
internal sealed record Letter(string To, string Subject, string Plain, string Html)
{
    public override string ToString() => "a letter";
}
