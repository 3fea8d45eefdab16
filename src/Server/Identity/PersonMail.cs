using System.Globalization;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>
/// The mails that people are sent, each queued in the write of what it tells of. Where there is nobody to write to, a blank one takes the
/// same work, so that an answer takes the same time.
/// </summary>
internal sealed class PersonMail(MailOutbox outbox, PublicUrl url)
{
    /// <summary>Where each kind of link leads.</summary>
    public string UrlOf(LinkKind kind, string secret) => url.To(
        kind == LinkKind.Once ? $"/sign-in/once/{secret}"
        : kind == LinkKind.Reset ? $"/reset?token={secret}"
        : kind == LinkKind.Magic ? $"/magic?token={secret}"
        : $"/verify?token={secret}");

    /// <summary>A link to who asked for one.</summary>
    public Task Send(WriteScope scope, LinkKind kind, string to, string name, string secret) =>
        outbox.Queue(scope, Letter(scope, kind, to, name, secret));

    /// <summary>The work of the same, for nobody.</summary>
    public Task SendNothing(WriteScope scope, LinkKind kind, string to) =>
        outbox.QueueBlank(scope, Letter(scope, kind, to, "Somebody", SecretText.New()));

    public Task PasswordChanged(WriteScope scope, Person person, Visit visit) => person.Email is { } to
        ? outbox.Queue(scope, Notice(to, "password-changed", "/forgot", person.Name, visit))
        : Task.CompletedTask;

    /// <summary>Another way in, or one less: the change as the end of the sentence "how you sign in was changed".</summary>
    public Task WaysChanged(WriteScope scope, Person person, string change, Visit visit) => person.Email is { } to
        ? outbox.Queue(scope, Notice(to, "sign-in-changed", "/account", person.Name, visit, change))
        : Task.CompletedTask;

    /// <summary>Somebody who runs the gate took the second step away; from where that was is not the person's to know.</summary>
    public Task SecondStepTaken(WriteScope scope, Person person) => person.Email is { } to
        ? outbox.Queue(scope, new MailMessage(to, "second-step-taken", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Name"] = person.Name,
            ["Url"] = url.To("/account"),
        }))
        : Task.CompletedTask;

    /// <summary>From a device that the person has not signed in on before.</summary>
    public Task SignedIn(WriteScope scope, Person person, Visit visit) => person.Email is { } to
        ? outbox.Queue(scope, Notice(to, "sign-in-notice", "/account", person.Name, visit))
        : Task.CompletedTask;

    /// <summary>To the address that was, whose reader may know nothing of it.</summary>
    public Task EmailChanged(WriteScope scope, string to, string name, Visit visit) =>
        outbox.Queue(scope, Notice(to, "email-changed", "/forgot", name, visit));

    private MailMessage Letter(WriteScope scope, LinkKind kind, string to, string name, string secret)
    {
        var ends = DateTimeOffset.FromUnixTimeMilliseconds(scope.NowMs) + kind.Life;
        var template = kind == LinkKind.Reset ? "reset-password" : kind == LinkKind.Magic ? "magic-link" : "verify-email";
        return new MailMessage(to, template, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Name"] = name,
            ["Url"] = UrlOf(kind, secret),
            ["Expires"] = ends.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
        })
        {
            Until = ends,
        };
    }

    private MailMessage Notice(string to, string template, string path, string name, Visit visit, string change = "") =>
        new(to, template, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Name"] = name,
            ["Url"] = url.To(path),
            ["Device"] = visit.Device,
            ["Address"] = visit.Address ?? "an unknown address",
            ["Change"] = change,
        });
}
