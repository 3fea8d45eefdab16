using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Mail;

/// <summary>
/// The door for every room that writes to people: a mail is kept in the transaction of the change that it tells of, so both are there or
/// neither, and nobody waits for a mail server. What it says is sealed, and wiped when it is done with.
/// </summary>
internal sealed class MailOutbox(Sealer sealer, ProviderModel provider, MailMeter meter)
{
    /// <summary>Mails that wait; what comes on top is counted and not kept: a change must not fail because a mail server is down.</summary>
    public const int WaitingMax = 10_000;

    /// <summary>No letter comes near; one that does is a bug.</summary>
    public const int LetterBytesMax = 32_768;

    /// <summary>For how long it is tried at most.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromDays(1);

    private const string Purpose = "mail";
    private const string IdAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
    private const int IdLength = 25;

    /// <summary>Raised after a commit that added something.</summary>
    public event Action? Filled;

    /// <summary>Keeps a mail to be sent soon after the write is committed.</summary>
    /// <exception cref="ArgumentException">The address, the template or a value is none: a bug of the caller.</exception>
    public Task Queue(WriteScope scope, MailMessage message) => Keep(scope, message, isBlank: false);

    /// <summary>
    /// Does the work of <see cref="Queue"/> and sends nothing: for answers that must take the same time whether there is somebody to write
    /// to or not.
    /// </summary>
    public Task QueueBlank(WriteScope scope, MailMessage message) => Keep(scope, message, isBlank: true);

    /// <summary>Null when it was sealed under another pepper, or is not whole.</summary>
    public Letter? Open(QueuedMail mail) => sealer.TryOpen(Purpose, mail.Letter, Encoding.ASCII.GetBytes(mail.Id), out var json)
        ? JsonSerializer.Deserialize(json, LetterJson.Default.Letter)
        : null;

    private async Task Keep(WriteScope scope, MailMessage message, bool isBlank)
    {
        if (!Mailbox.IsGood(message.To))
        {
            throw new ArgumentException("A mail needs one good address.", nameof(message));
        }

        if (!MailTemplate.All.TryGetValue(message.Template, out var template))
        {
            throw new ArgumentException($"There is no mail {message.Template}.", nameof(message));
        }

        var letter = JsonSerializer.SerializeToUtf8Bytes(
            template.Render(message.To, provider.DisplayName, message.Values), LetterJson.Default.Letter);
        if (letter.Length > LetterBytesMax)
        {
            throw new InvalidOperationException($"A letter of {letter.Length} bytes is larger than any should be.");
        }

        if (await MailSql.IsFull(scope, WaitingMax))
        {
            scope.AfterCommit(meter.Dropped.Add);
            return;
        }

        var id = RandomNumberGenerator.GetString(IdAlphabet, IdLength);
        var lastMs = scope.NowMs + (long)TimeMax.TotalMilliseconds;
        await MailSql.Insert(scope, new QueuedMail
        {
            MailNo = await scope.NextNumber("mail"),
            Id = id,
            Template = message.Template,
            Letter = sealer.Seal(Purpose, letter, Encoding.ASCII.GetBytes(id)),
            State = QueuedMail.IsWaiting,
            Blank = isBlank ? 1 : 0,
            DueAtMs = scope.NowMs,
            UntilMs = Math.Min(lastMs, message.Until?.ToUnixTimeMilliseconds() ?? lastMs),
            CreatedAtMs = scope.NowMs,
        });
        scope.AfterCommit(() => Filled?.Invoke());
    }
}

[JsonSerializable(typeof(Letter))]
internal sealed partial class LetterJson : JsonSerializerContext;
