using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Tollgate.Server.Mail;

/// <summary>
/// Hands one mail to the SMTP server, over a connection of its own and within a time. Where the connection is to be encrypted nothing is
/// sent on one that is not.
/// </summary>
internal sealed class SmtpSender(MailOptions options, LetterForm form, TimeProvider time)
{
    /// <summary>What a broken connection still takes to be let go of.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task<SendResult> Send(QueuedMail mail, Letter letter, CancellationToken cancel)
    {
        using var message = form.Of(mail, letter);
        var client = new SmtpClient(options.Host!, options.Port)
        {
            EnableSsl = options.IsEncrypted,
            DeliveryFormat = LetterForm.FormatFor(letter),
            Credentials = options.User is null ? null : new NetworkCredential(options.User, options.Password),
        };
        // A thread of its own: the client waits on it for the server's last word, even where it says that it does not, and such a wait on a
        // thread that serves requests would wait for itself. What ends the wait is closing the connection, so that is done below.
        client.Timeout = (int)(options.SendTimeMax + Patience).TotalMilliseconds;
        var sending = Task.Factory.StartNew(
            () => client.Send(message), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await sending.WaitAsync(options.SendTimeMax, time, cancel);
            return SendResult.Sent;
        }
        catch (Exception fault) when (sending.IsCompleted)
        {
            return ResultOf(fault, letter);
        }
        catch (TimeoutException)
        {
            return new SendResult(SendOutcome.ServerFailed, "timeout");
        }
        finally
        {
            client.Dispose();
            await sending.WaitAsync(Patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// A server that answers knows about the one mail; only what it says of the receiver is for good. Everything else is the server's own.
    /// </summary>
    private static SendResult ResultOf(Exception fault, Letter letter) => fault switch
    {
        SmtpFailedRecipientException { StatusCode: var status } when IsForGood(status) => new(SendOutcome.Refused, Word(status)),
        SmtpException { StatusCode: SmtpStatusCode.GeneralFailure } => fault.InnerException switch
        {
            null when Mailbox.HasForeignLocalPart(letter.To) => new(SendOutcome.Refused, "address_not_supported"),
            SocketException => new(SendOutcome.ServerFailed, "connection"),
            AuthenticationException => new(SendOutcome.ServerFailed, "tls"),
            IOException => new(SendOutcome.ServerFailed, "broken"),
            _ => new(SendOutcome.ServerFailed, "protocol"),
        },
        SmtpException { StatusCode: var status } when IsOfServer(status) => new(SendOutcome.ServerFailed, Word(status)),
        SmtpException { StatusCode: var status } => new(SendOutcome.Later, Word(status)),
        AuthenticationException => new(SendOutcome.ServerFailed, "tls"),
        _ => new(SendOutcome.ServerFailed, "protocol"),
    };

    private static bool IsForGood(SmtpStatusCode status) => (int)status is >= 500 and < 600 && !IsOfServer(status);

    /// <summary>Busy, does not speak our language, or does not know us: 421, 500 to 504, 530 to 538.</summary>
    private static bool IsOfServer(SmtpStatusCode status) => (int)status is 421 or (>= 500 and <= 504) or (>= 530 and <= 538);

    private static string Word(SmtpStatusCode status) => $"smtp_{(int)status}";
}

/// <summary>What became of one attempt.</summary>
internal enum SendOutcome
{
    /// <summary>Somebody else answers for it from now on.</summary>
    Sent,

    /// <summary>Not now; the server works.</summary>
    Later,

    /// <summary>This receiver never.</summary>
    Refused,

    /// <summary>Nothing can be sent at the moment.</summary>
    ServerFailed,
}

/// <summary>The same with its cause in a word.</summary>
internal readonly record struct SendResult(SendOutcome Outcome, string? Error)
{
    public static SendResult Sent => new(SendOutcome.Sent, null);
}
