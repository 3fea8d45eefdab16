using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>
/// A real proxy in a process and a folder of its own, under the very file of <c>deploy/</c> with its addresses replaced. It ends with the
/// test, even when the test is killed: its shell waits for our end of a pipe.
/// </summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    private const string Listens = ":8080";
    private const string Gate = "127.0.0.1:8700";
    private const string Api = "127.0.0.1:9000";

    private static readonly string Unpacked = Path.Combine(Repository.Root, "artifacts/debian");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly DirectoryInfo _folder;
    private readonly List<string> _said = [];

    private ProxyProcess(Process process, DirectoryInfo folder, int port) =>
        (_process, _folder, Address) = (process, folder, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));

    public string Address { get; }

    public static Task<ProxyProcess> Nginx(int gate, int api) => Start("nginx", gate, api, (folder, port) =>
    {
        Recipe("nginx/tollgate.conf", folder, port, gate, api);
        // What Debian's nginx.conf has around the file: everything else here only keeps the process in its folder.
        var temps = string.Concat(
            new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(kind => $"{kind}_temp_path {folder}/{kind};\n"));
        File.WriteAllText(
            Path.Combine(folder, "nginx.conf"),
            $"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
            + (Environment.UserName == "root" ? "user root;\n" : "")
            + $"events {{ worker_connections 256; }}\nhttp {{ access_log off;\n{temps}include {folder}/tollgate.conf; }}\n");
        return $"{Find("nginx")} -p {folder} -e {folder}/error.log -c {folder}/nginx.conf";
    });

    public static Task<ProxyProcess> Caddy(int gate, int api) => Start("caddy", gate, api, (folder, port) =>
    {
        var recipe = Recipe("caddy/Caddyfile", folder, port, gate, api);
        // Its own control port is fixed and shared by all.
        File.WriteAllText(recipe, "{\n\tadmin off\n\tauto_https off\n}\n" + File.ReadAllText(recipe));
        var homes = $"HOME={folder} XDG_DATA_HOME={folder} XDG_CONFIG_HOME={folder}";
        return $"env {homes} {Find("caddy")} run --adapter caddyfile --config {recipe}";
    });

    public static Task<ProxyProcess> Haproxy(int gate, int api) => Start("haproxy", gate, api, (folder, port) =>
    {
        Recipe("haproxy/tollgate.lua", folder, port, gate, api);
        var recipe = Recipe("haproxy/haproxy.cfg", folder, port, gate, api);
        File.WriteAllText(
            recipe, File.ReadAllText(recipe).Replace("/etc/haproxy/tollgate.lua", $"{folder}/tollgate.lua", StringComparison.Ordinal));
        return $"{Find("haproxy")} -db -f {recipe}";
    });

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<ProxyProcess> Start(string name, int gate, int api, Func<string, int, string> prepare)
    {
        var folder = Directory.CreateTempSubdirectory($"tollgate-{name}-");
        var port = FreePort();
        var command = prepare(folder.FullName, port);
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("/bin/sh")
            {
                WorkingDirectory = folder.FullName,
                RedirectStandardInput = true,
                RedirectStandardError = true,
                // Standard output goes the same way, so that what a proxy complains of is in the test's message.
                ArgumentList = { "-c", $"{{ {command} & child=$!; read -r _; kill -TERM $child; wait $child; }} 1>&2" },
            },
        };
        if (Directory.Exists(Path.Combine(Unpacked, "usr/lib")))
        {
            process.StartInfo.Environment["LD_LIBRARY_PATH"] =
                string.Join(':', Directory.GetDirectories(Path.Combine(Unpacked, "usr/lib")));
        }

        process.Start();
        var proxy = new ProxyProcess(process, folder, port);
        process.ErrorDataReceived += (_, line) => proxy.Hear(line.Data);
        process.BeginErrorReadLine();
        await proxy.UntilListening(port, name);
        return proxy;
    }

    private void Hear(string? line)
    {
        lock (_said)
        {
            _said.Add(line ?? "");
        }
    }

    private async Task UntilListening(int port, string name)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(started) < Patience && !_process.HasExited)
            {
                await Task.Yield();
            }
            catch (SocketException)
            {
                lock (_said)
                {
                    throw new InvalidOperationException($"{name} did not start: {string.Join('\n', _said)}");
                }
            }
        }
    }

    /// <summary>The file as it is shipped, but for its three addresses, each of which must be in use.</summary>
    private static string Recipe(string file, string folder, int port, int gate, int api)
    {
        var text = Repository.Text($"deploy/{file}");
        foreach (var (written, real) in new[] { (Listens, port), (Gate, gate), (Api, api) })
        {
            Assert.True(text.Contains(written, StringComparison.Ordinal) || file.EndsWith(".lua", StringComparison.Ordinal), written);
            var host = written.Split(':')[0];
            text = text.Replace(written, string.Create(CultureInfo.InvariantCulture, $"{host}:{real}"), StringComparison.Ordinal);
        }

        var path = Path.Combine(folder, Path.GetFileName(file));
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Installed, where only root's path looks, or as <c>./test</c> has unpacked it.</summary>
    private static string Find(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:{Unpacked}/usr/sbin:{Unpacked}/usr/bin".Split(':')
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"These tests need {program}: install it (Debian: apt-get install {program}).");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
