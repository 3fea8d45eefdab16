using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>Who may open the files of a gate. They hold what an attacker needs to try keys offline.</summary>
internal static class DataFiles
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static IEnumerable<Diagnosis> Examine(GateOptions options)
    {
        if (!Directory.Exists(options.Data) && options.Storage.Kind == DatabaseKind.Sqlite)
        {
            yield return Diagnosis.Failed(
                "files", $"There is no data folder {options.Data}.", "Name it with --data, or start the gate once.");
            yield break;
        }

        var open = Files(options).Where(IsOpenToOthers).ToList();
        yield return open.Count == 0
            ? Diagnosis.Ok("files", "Only their owner may open the files of the data.")
            : Diagnosis.Warning(
                "files", $"Others may open {string.Join(", ", open)}.", $"chmod go-rwx {string.Join(' ', open)}");
        if (File.Exists(Path.Combine(options.Data, SqliteRestoreTarget.FreshName)))
        {
            yield return Diagnosis.Warning(
                "restore", "A restore was not finished; the data in place is as it was before.", "Run it again, or delete the file "
                + SqliteRestoreTarget.FreshName + " in the data folder while no restore runs.");
        }
    }

    private static bool IsOpenToOthers(string file) =>
        !OperatingSystem.IsWindows() && File.Exists(file) && (File.GetUnixFileMode(file) & Others) != 0;

    private static IEnumerable<string> Files(GateOptions options) =>
        (Directory.Exists(options.Data)
            ? Directory.GetFiles(options.Data, "tollgate.*").Concat(Directory.GetFiles(options.Data, SpoolFile.Name + "*"))
            : [])
        .Concat(File.Exists(options.PepperPath) ? [options.PepperPath] : [])
        .Order(StringComparer.Ordinal);
}
