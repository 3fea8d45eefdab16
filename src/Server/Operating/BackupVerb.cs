using System.Globalization;

namespace Tollgate.Server.Operating;

/// <summary>The verb <c>backup</c>: a consistent backup into one file, while the gate runs and writes, or while it does not.</summary>
internal static class BackupVerb
{
    private const string To = "--to";

    public static Task<int> Run(string[] arguments) => Verb.Run(arguments, new VerbForm([], To), async line =>
    {
        var now = TimeProvider.System.GetUtcNow();
        var file = FileFor(line.Value!, now);
        var manifest = await BackupWriter.Write(line.Options.Storage, file, now, CancellationToken.None);
        foreach (var table in manifest.Tables.Where(table => table.Rows > 0))
        {
            System.Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{table.Rows,12:N0}  {table.Name}"));
        }

        System.Console.WriteLine(
            $"Backed up to {file} ({new FileInfo(file).Length:N0} bytes), up to change {manifest.ChangeSeq} and audit row "
            + $"{manifest.AuditSeq}; read back, every checksum agrees.");
        System.Console.WriteLine(
            "It holds hashes of keys and never their secrets (those of a provider that reveals them are sealed under the pepper).");
        System.Console.WriteLine($"The pepper is not in it, and it is worth nothing without: keep {line.Options.PepperPath}, check value "
            + $"{manifest.PepperCheck}, in another place.");
        return Verb.Done;
    });

    /// <summary>In a folder, the file is named after the moment.</summary>
    private static string FileFor(string to, DateTimeOffset now) =>
        Directory.Exists(to) || to.EndsWith('/')
            ? Path.Combine(to, $"tollgate-{now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.backup")
            : to;
}
