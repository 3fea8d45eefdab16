namespace Tollgate.Server.Telemetry;

/// <summary>The paths of pages for people. They are known this early because metrics tell them apart from the provider's.</summary>
internal static class ConsolePaths
{
    public static bool IsAt(string path) =>
        path is "/sign-in" or "/sign-up" or "/sign-out" or "/verify" or "/verify/anew" or "/forgot" or "/reset" or "/magic" or "/account"
            or "/console"
        || IsBelow(path, "/console/") || IsBelow(path, "/account/") || IsBelow(path, "/sign-in/") || IsBelow(path, "/invitations/")
        || IsBelow(path, "/assets/");

    private static bool IsBelow(string path, string folder) => path.StartsWith(folder, StringComparison.Ordinal);
}
