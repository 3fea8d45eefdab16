using System.Data.Common;
using Tollgate.Server.Hosting;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>What all verbs share: how their line is read, how they end, and that a failure is one sentence and no stack trace.</summary>
internal static class Verb
{
    public const int Done = 0;

    /// <summary>Something is pending, or was not confirmed.</summary>
    public const int NotDone = 1;

    public const int MustMend = 2;
    public const int Cannot = 3;

    public static async Task<int> Run(string[] arguments, VerbForm form, Func<VerbLine, Task<int>> work)
    {
        var (line, faults) = VerbLine.Read(arguments, OptionsReader.Variables(), form);
        if (line is null)
        {
            foreach (var fault in faults)
            {
                await System.Console.Error.WriteLineAsync(fault);
            }

            return MustMend;
        }

        try
        {
            return await work(line);
        }
        catch (Exception fault) when (
            fault is StorageException or BackupException or IOException or UnauthorizedAccessException or DbException)
        {
            await System.Console.Error.WriteLineAsync($"tollgate: {fault.Message}");
            return Cannot;
        }
    }
}
