using System.Net.Mail;
using System.Net.Mime;
using System.Text;
using Tollgate.Server.Providers;
using NetMail = System.Net.Mail.MailMessage;

namespace Tollgate.Server.Mail;

/// <summary>
/// The form in which a letter travels, as SMTP and the folder write it alike. The plain part is never encoded, so that a link in it stands
/// there as it is, in one line: 7bit where it can, 8bit where somebody's name needs more.
/// </summary>
internal sealed class LetterForm(MailOptions options, ProviderModel provider)
{
    public NetMail Of(QueuedMail mail, Letter letter)
    {
        var message = new NetMail
        {
            From = new MailAddress(options.From, MailTemplate.OneLine(provider.DisplayName), Encoding.UTF8),
            Subject = letter.Subject,
            SubjectEncoding = Encoding.UTF8,
            HeadersEncoding = Encoding.UTF8,
        };
        message.To.Add(new MailAddress(letter.To));
        message.Headers.Add("Message-ID", $"<{mail.Id}@{message.From.Host}>");
        // Whoever is away does not answer it (RFC 3834).
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.AlternateViews.Add(Part(letter.Plain, "text/plain"));
        message.AlternateViews.Add(Part(letter.Html, "text/html"));
        return message;
    }

    /// <summary>Only an address of other letters asks for what not every server can do.</summary>
    public static SmtpDeliveryFormat FormatFor(Letter letter) =>
        Mailbox.HasForeignLocalPart(letter.To) ? SmtpDeliveryFormat.International : SmtpDeliveryFormat.SevenBit;

    private static AlternateView Part(string text, string type)
    {
        var part = AlternateView.CreateAlternateViewFromString(text, new ContentType($"{type}; charset=utf-8"));
        part.TransferEncoding = text.All(char.IsAscii) ? TransferEncoding.SevenBit : TransferEncoding.EightBit;
        return part;
    }
}
