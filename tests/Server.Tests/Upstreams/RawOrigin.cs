using System.Net;
using System.Net.Sockets;
using System.Text;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>A server that does on each connection what no good server does.</summary>
internal sealed class RawOrigin : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Func<RawConnection, Task> _script;
    private readonly List<Task> _running = [];
    private readonly Task _accepting;
    private int _connections;

    public RawOrigin(Func<RawConnection, Task> script)
    {
        _script = script;
        _listener.Start();
        _accepting = Accept();
    }

    public int Connections => Volatile.Read(ref _connections);

    public UpstreamConfig Config(string name = "raw") =>
        new() { Name = name, Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}") };

    /// <summary>Takes the request and never answers.</summary>
    public static RawOrigin Hangs() => new(async connection =>
    {
        await connection.TakeHead();
        await connection.Closed();
    });

    /// <summary>Takes the request and breaks the connection off.</summary>
    public static RawOrigin Resets() => new(async connection =>
    {
        await connection.TakeHead();
        connection.Reset();
    });

    /// <summary>Takes the request, says this, and closes.</summary>
    public static RawOrigin Says(string text) => new(async connection =>
    {
        await connection.TakeHead();
        await connection.Say(text);
    });

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_running);
        _ended.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_ended.Token);
                Interlocked.Increment(ref _connections);
                _running.Add(Serve(client));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _script(new RawConnection(client, _ended.Token));
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
            }
        }
    }
}

internal sealed class RawConnection(TcpClient client, CancellationToken ended)
{
    private readonly NetworkStream _stream = client.GetStream();

    /// <summary>Reads up to the empty line; what came behind it is lost.</summary>
    public async Task<string> TakeHead()
    {
        var text = new StringBuilder();
        var buffer = new byte[4_096];
        while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await _stream.ReadAsync(buffer, ended);
            if (read == 0)
            {
                throw new IOException("Closed.");
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    public async Task Say(string text) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), ended);

    /// <summary>Returns when the other side has closed or broken the connection.</summary>
    public async Task Closed()
    {
        var buffer = new byte[4_096];
        try
        {
            while (await _stream.ReadAsync(buffer, ended) > 0)
            {
            }
        }
        catch (IOException)
        {
        }
    }

    public void Reset()
    {
        client.LingerState = new LingerOption(true, 0);
        client.Close();
    }
}
