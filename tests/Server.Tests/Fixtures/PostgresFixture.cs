using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Tollgate.Server.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>
/// One PostgreSQL for the whole run, started when the first test asks for a database: its own folder, a free loopback port, never as
/// root, no socket file, no fsync. It ends with the run, even when the run is killed: its shell waits for our end of a pipe.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private const string Missing =
        "These tests need PostgreSQL 15 or newer: install it (Debian: apt-get install postgresql) and run them again.";

    private readonly SemaphoreSlim _starting = new(1);
    private Process? _process;
    private Task _drain = Task.CompletedTask;
    private DirectoryInfo? _folder;
    private int _port;
    private int _databases;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A connection string to a database of its own, empty.</summary>
    public async Task<string> NewDatabase()
    {
        await EnsureStarted();
        var name = string.Create(CultureInfo.InvariantCulture, $"tollgate_{Interlocked.Increment(ref _databases)}");
        await Run($"CREATE DATABASE {name} TEMPLATE template0");
        return ConnectionTo(name);
    }

    /// <summary>Cuts every connection to a database, as its administrator or a crash would.</summary>
    public Task CutConnections(string connectionString) => Run(
        $"""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = '{new NpgsqlConnectionStringBuilder(connectionString).Database}'
        """);

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            await _drain;
            process.Dispose();
        }

        _folder?.Delete(recursive: true);
        _starting.Dispose();
    }

    private string ConnectionTo(string database) =>
        $"Host=127.0.0.1;Port={_port};Username=tollgate;Database={database};"
        + "Include Error Detail=true;SSL Mode=Disable;GSS Encryption Mode=Disable";

    private async Task Run(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionTo("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task EnsureStarted()
    {
        await _starting.WaitAsync();
        try
        {
            if (_process is null)
            {
                await Start();
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task Start()
    {
        var bin = FindPrograms();
        _folder = Directory.CreateTempSubdirectory("tollgate-tests-");
        var asUser = Environment.UserName == "root" ? await HandOver(_folder.FullName) : "";
        var data = Path.Combine(_folder.FullName, "pg");
        await Shell($"{asUser} {bin}/initdb -D {data} -U tollgate --auth=trust --encoding=UTF8 --locale=C --no-sync");
        _port = FreePort();
        var settings = $"-p {_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c full_page_writes=off "
            + "-c synchronous_commit=off -c max_connections=300 -c shared_buffers=32MB -c autovacuum=off -c jit=off";
        var process = Spawn($"{asUser} {bin}/postgres -D {data} {settings} & child=$!; read -r _; kill -QUIT $child; wait $child");
        var said = new List<string>();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                // Nobody reads its log any more; the pipe must not fill up.
                _drain = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
                _process = process;
                return;
            }
        }

        throw new InvalidOperationException("PostgreSQL did not start: " + string.Join(' ', said));
    }

    internal static string FindPrograms()
    {
        string[] folders =
        [
            .. Directory.Exists("/usr/lib/postgresql")
                ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => folder, StringComparer.Ordinal)
                    .Select(folder => Path.Combine(folder, "bin"))
                : [],
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'),
        ];
        string[] programs = ["initdb", "postgres"];
        return folders.FirstOrDefault(folder => programs.All(program => File.Exists(Path.Combine(folder, program))))
            ?? throw new InvalidOperationException(Missing);
    }

    /// <summary>PostgreSQL refuses root: the folder goes to another user, and the words before a command make it run as that one.</summary>
    internal static async Task<string> HandOver(string folder)
    {
        var passwd = await File.ReadAllLinesAsync("/etc/passwd");
        var user = passwd.Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";
        await Shell($"chown {user} {folder}");
        return $"setpriv --reuid {user} --regid $(id -g {user}) --clear-groups --";
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    internal static async Task Shell(string command)
    {
        using var process = Spawn(command);
        process.StandardInput.Close();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"A command of the PostgreSQL fixture failed: {error}");
        }
    }

    internal static Process Spawn(string command)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("/bin/sh")
            {
                WorkingDirectory = "/",
                RedirectStandardInput = true,
                RedirectStandardError = true,
                // initdb talks on standard output; the shell sends that away so that nobody must read it.
                ArgumentList = { "-c", $"{{ {command}; }} >/dev/null" },
            },
        };
        process.StartInfo.Environment["LC_ALL"] = "C";
        process.Start();
        return process;
    }
}
