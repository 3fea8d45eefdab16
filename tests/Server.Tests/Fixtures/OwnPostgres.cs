using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>
/// A PostgreSQL of a test's own, to be killed, stopped at once, frozen and started again on the same data and port. What it has
/// acknowledged survives its processes: it writes its log before it answers, though not through to the disk.
/// </summary>
internal sealed class OwnPostgres : IAsyncDisposable
{
    private const int StartsMax = 40;

    private readonly DirectoryInfo _folder;
    private readonly string _run;
    private readonly string _data;
    private readonly int _port = PostgresFixture.FreePort();
    private Process? _shell;
    private Task _drain = Task.CompletedTask;

    private OwnPostgres(DirectoryInfo folder, string asUser, string bin)
    {
        _folder = folder;
        _data = Path.Combine(_folder.FullName, "pg");
        _run = $"{asUser} {bin}/postgres -D {_data} -p {_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off "
            + "-c full_page_writes=off -c max_connections=60 -c shared_buffers=16MB -c autovacuum=off -c jit=off";
    }

    public string ConnectionString =>
        $"Host=127.0.0.1;Port={_port};Username=tollgate;Database=postgres;SSL Mode=Disable;GSS Encryption Mode=Disable";

    public static async Task<OwnPostgres> Start()
    {
        var bin = PostgresFixture.FindPrograms();
        var folder = Directory.CreateTempSubdirectory("tollgate-own-postgres-");
        var asUser = Environment.UserName == "root" ? await PostgresFixture.HandOver(folder.FullName) : "";
        var postgres = new OwnPostgres(folder, asUser, bin);
        await PostgresFixture.Shell(
            $"{asUser} {bin}/initdb -D {postgres._data} -U tollgate --auth=trust --encoding=UTF8 --locale=C --no-sync");
        await postgres.Run();
        return postgres;
    }

    /// <summary>Starts it again; it is ready when this returns.</summary>
    public async Task Run()
    {
        for (var tries = 1; ; tries++)
        {
            _shell = PostgresFixture.Spawn($"{_run} & child=$!; read -r _; kill -QUIT $child; wait $child");
            var said = new List<string>();
            while (await _shell.StandardError.ReadLineAsync() is { } line && !line.Contains("FATAL", StringComparison.Ordinal))
            {
                said.Add(line);
                if (line.Contains("ready to accept connections", StringComparison.Ordinal))
                {
                    _drain = _shell.StandardError.BaseStream.CopyToAsync(Stream.Null);
                    return;
                }
            }

            // Its own children of before the kill may not all have ended yet, and it refuses to run beside them.
            await EndShell();
            Assert.True(tries < StartsMax, "PostgreSQL did not start again: " + string.Join('\n', said));
            await Task.Delay(50);
        }
    }

    /// <summary>kill -9 of the postmaster; its backends notice and end by themselves.</summary>
    public Task Kill() => End("KILL");

    /// <summary>What <c>pg_ctl stop -m immediate</c> does.</summary>
    public Task StopAtOnce() => End("QUIT");

    /// <summary>Every process of it stands still: connections stay open, new ones are taken by the kernel, and nothing answers.</summary>
    public Task Freeze() => Signals.Send("STOP", [Postmaster(), .. Children(Postmaster())]);

    public Task Thaw() => Signals.Send("CONT", [Postmaster(), .. Children(Postmaster())]);

    public Task<T> Ask<T>(string sql) => Ask<T>(ConnectionString, sql);

    public static async Task<T> Ask<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_shell is not null)
        {
            await Thaw();
            await EndShell();
        }

        _folder.Delete(recursive: true);
    }

    private async Task End(string signal)
    {
        await Signals.Send(signal, [Postmaster()]);
        await EndShell();
    }

    private async Task EndShell()
    {
        _shell!.StandardInput.Close();
        await _shell.WaitForExitAsync();
        await _drain;
        _shell.Dispose();
        _shell = null;
    }

    private int Postmaster() =>
        int.Parse(File.ReadLines(Path.Combine(_data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    private static IEnumerable<int> Children(int parent)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var process) && ParentOf(process) == parent)
            {
                yield return process;
            }
        }
    }

    private static int ParentOf(int process)
    {
        try
        {
            // pid (name) state parent: the name may hold anything, so count from its end.
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

/// <summary>Signals to processes that the tests have started.</summary>
internal static class Signals
{
    public static Task Send(string signal, IEnumerable<int> processes) =>
        PostgresFixture.Shell($"kill -{signal} {string.Join(' ', processes)} || true");
}
