using System.Runtime.InteropServices;

namespace Tollgate.Server.Storage;

/// <summary>
/// Brings what was written onto the disk, or says that it could not. The runtime's own flush has been seen to swallow the disk's refusal on
/// Linux, and has no way to bring a folder there, without which a new name may be lost with the power.
/// </summary>
internal static class DiskSync
{
    private const int ReadOnly = 0;
    private const int Interrupted = 4;

    /// <summary>What a file system says that does not sync folders one by one.</summary>
    private const int NotSupported = 22;

    private static bool IsUnix => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <exception cref="IOException">What was written may not last.</exception>
    public static void File(FileStream file)
    {
        if (!IsUnix)
        {
            file.Flush(flushToDisk: true);
            return;
        }

        file.Flush();
        // On the descriptor that was written to: an error of the disk is told to those that were open when it came up.
        Check(() => Sync((int)file.SafeFileHandle.DangerousGetHandle()), file.Name);
    }

    /// <summary>The names in a folder: what was made, moved or replaced there.</summary>
    /// <exception cref="IOException">A new name may not last.</exception>
    public static void Folder(string folder)
    {
        if (!IsUnix)
        {
            return;
        }

        var descriptor = Check(() => Open(folder, ReadOnly), folder);
        try
        {
            Check(() => Sync(descriptor), folder, accepted: NotSupported);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static int Check(Func<int> call, string path, int accepted = 0)
    {
        while (true)
        {
            var result = call();
            if (result >= 0)
            {
                return result;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error == accepted)
            {
                return 0;
            }

            if (error != Interrupted)
            {
                throw new IOException($"{path} cannot be brought onto the disk: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
