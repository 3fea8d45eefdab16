using System.Globalization;

namespace Tollgate.Bench;

/// <summary>
/// The promise: <c>/api/v1/authorize</c> over 1 M keys serves at least 0.87 of what a bare Kestrel serves on the same core. Measured like
/// <see cref="VerifyBench"/>: both servers live through the whole run on core 0 and are driven in turns from core 1.
/// </summary>
internal static class AuthorizeBench
{
    private const string Forwarded = "authorize, asked in X-Forwarded-*";
    private const string Nginx = "authorize, asked in X-Original-*, style=nginx";
    private const string BareSame = "bare Kestrel, the same GET, its headers unread";

    private const string Path = "/api/v1/authorize";

    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        int keys = options.Number("--keys", 1_000_000);
        int rounds = options.Number("--rounds", 11);
        int seconds = options.Number("--seconds", 3);
        string? kept = options.Text("--data");
        string folder = kept ?? Directory.CreateTempSubdirectory("tollgate-bench-").FullName;
        try
        {
            var page = new ResultPage("authorize", "/api/v1/authorize against a bare Kestrel");
            SeededKeys seeded = await SeededKeys.Make(folder, keys);
            using ServerProcess bare = await ServerProcess.Start("bench.dll", ["bare"]);
            using ServerProcess gate = await ServerProcess.Start(
                "Tollgate.Server.dll",
                ["serve", "--provider", "default", "--urls", "http://127.0.0.1:0", "--data", folder],
                ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey),
                ("TOLLGATE_LOG_LEVEL", "information"),
                ("TOLLGATE_REQUEST_THREADS", options.Text("--request-threads") ?? "inline"));
            await seeded.Warm(gate);
            var sides = Sides(bare, gate, seeded);
            Dictionary<string, List<LoadRun>> runs = await VerifyBench.Measure(sides, gate, rounds, seconds);
            VerifyBench.Tell(page, runs, rounds, seconds);
            await VerifyBench.TellLong(page, runs, sides.Single(side => side.Name == Forwarded), gate, options.Number("--long", 60));
            page.Save(options.Text("--results"));
            return 0;
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static (string Name, Func<int, Task<LoadRun>> Drive)[] Sides(ServerProcess bare, ServerProcess gate, SeededKeys seeded)
    {
        return
        [
            (VerifyBench.Bare, seconds => LoadRun.Drive(bare, "/", "get.lua", seconds)),
            (Forwarded, seconds => Ask(gate, Path, "X-Forwarded-Method", "X-Forwarded-Uri", seconds)),
            (Nginx, seconds => Ask(gate, Path + "?style=nginx", "X-Original-Method", "X-Original-URI", seconds)),
            (BareSame, seconds => Ask(bare, Path, "X-Forwarded-Method", "X-Forwarded-Uri", seconds)),
        ];

        Task<LoadRun> Ask(ServerProcess server, string path, string method, string uri, int seconds) => LoadRun.Drive(
            server, path, "authorize.lua", seconds,
            seeded.SecretsFile, seeded.SecretLength.ToString(CultureInfo.InvariantCulture), method, uri);
    }
}
