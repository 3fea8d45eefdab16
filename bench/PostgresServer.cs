using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Tollgate.Bench;

/// <summary>
/// A PostgreSQL of its own on a free loopback port, in a folder that goes with it; never as root. It ends with us, even when we are killed:
/// its shell waits for our end of a pipe. <c>BENCH_POSTGRES</c> names an empty database of another one in its place.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string Variable = "BENCH_POSTGRES";

    private readonly Process? _process;
    private readonly DirectoryInfo? _folder;

    private PostgresServer(string connection, Process? process, DirectoryInfo? folder) =>
        (Connection, _process, _folder) = (connection, process, folder);

    /// <summary>A connection string to an empty database.</summary>
    public string Connection { get; }

    /// <summary>Null when there is no PostgreSQL on this machine.</summary>
    public static async Task<PostgresServer?> Start()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return new PostgresServer(named, null, null);
        }

        string? bin = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin"))
                .Order(StringComparer.Ordinal).LastOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
            : null;
        if (bin is null)
        {
            return null;
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("tollgate-bench-pg-");
        string data = Path.Combine(folder.FullName, "pg");
        string asUser = Environment.UserName == "root" ? "setpriv --reuid postgres --regid $(id -g postgres) --clear-groups --" : "";
        int port = FreePort();
        string chown = asUser.Length > 0 ? $"chown postgres {folder.FullName} && " : "";
        Process process = Spawn(
            $"{chown}{asUser} {bin}/initdb -D {data} -U tollgate --auth=trust --encoding=UTF8 --locale=C --no-sync && "
            + $"{{ {asUser} {bin}/postgres -D {data} -p {port.ToString(CultureInfo.InvariantCulture)} -c listen_addresses=127.0.0.1 "
            + "-c unix_socket_directories= & child=$!; read -r _; kill -INT $child; wait $child; }");
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
                string connection = string.Create(
                    CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=tollgate;Database=postgres;SSL Mode=Disable");
                return new PostgresServer(connection, process, folder);
            }
        }

        throw new InvalidOperationException("PostgreSQL did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder?.Delete(recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static Process Spawn(string command)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardError = true,
            ArgumentList = { "-c", $"{{ {command}; }} >/dev/null" },
        };
        start.Environment["LC_ALL"] = "C";
        return Process.Start(start)!;
    }
}
