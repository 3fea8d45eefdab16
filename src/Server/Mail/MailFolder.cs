using System.Globalization;
using System.Net.Mail;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Mail;

/// <summary>
/// Where mails go while there is no SMTP server: each a file that mail programs open, in a folder that only the account running the gate
/// may read. One that is written twice is the same file.
/// </summary>
internal sealed class MailFolder(MailOptions options, LetterForm form)
{
    /// <summary>The newest that stay.</summary>
    public const int FilesMax = 1_000;

    private const string Ending = ".eml";
    private const string Half = ".half";

    public string Path => options.Folder;

    /// <summary>Waits for the disk on a thread of the pool, never on one that serves requests.</summary>
    public Task<SendResult> Send(QueuedMail mail, Letter letter) => Task.Run(() => Write(mail, letter));

    private SendResult Write(QueuedMail mail, Letter letter)
    {
        try
        {
            // The client gives the file a name of its own, so it is written aside.
            var aside = System.IO.Path.Combine(Path, mail.Id + Half);
            OwnerOnly.CreateFolder(Path);
            OwnerOnly.CreateFolder(aside);
            using (var message = form.Of(mail, letter))
            using (var client = new SmtpClient
            {
                DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory,
                PickupDirectoryLocation = System.IO.Path.GetFullPath(aside),
                DeliveryFormat = LetterForm.FormatFor(letter),
            })
            {
                client.Send(message);
            }

            var written = Directory.GetFiles(aside).OrderBy(File.GetLastWriteTimeUtc).Last();
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(written, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            File.Move(written, System.IO.Path.Combine(Path, NameOf(mail)), overwrite: true);
            Directory.Delete(aside, recursive: true);
            Prune();
            return SendResult.Sent;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or SmtpException)
        {
            return new SendResult(SendOutcome.ServerFailed, "folder");
        }
    }

    /// <summary>The newest first.</summary>
    public IReadOnlyList<string> Newest(int most) => !Directory.Exists(Path)
        ? []
        : [.. Directory.EnumerateFiles(Path, "*" + Ending).OrderDescending(StringComparer.Ordinal).Take(most)];

    /// <summary>In the order of their names they are in the order of their times.</summary>
    private static string NameOf(QueuedMail mail) => string.Create(
        CultureInfo.InvariantCulture,
        $"{DateTimeOffset.FromUnixTimeMilliseconds(mail.CreatedAtMs):yyyyMMdd-HHmmss}-{mail.MailNo:D10}{Ending}");

    private void Prune()
    {
        foreach (var file in Newest(int.MaxValue).Skip(FilesMax))
        {
            File.Delete(file);
        }
    }
}
