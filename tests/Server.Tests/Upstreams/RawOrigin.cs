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
    private int _open;

    public RawOrigin(Func<RawConnection, Task> script)
    {
        _script = script;
        _listener.Start();
        _accepting = Accept();
    }

    /// <summary>That ever were.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>That are: of one whose script waits for it, as long as the other side keeps it.</summary>
    public int Open => Volatile.Read(ref _open);

    public UpstreamConfig Config(string name = "raw") =>
        new() { Name = name, Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}") };

    /// <summary>Takes the request and never answers.</summary>
    public static RawOrigin Hangs() => new(async connection =>
    {
        await connection.TakeRequest();
        await connection.Closed();
    });

    /// <summary>Takes the request and breaks the connection off.</summary>
    public static RawOrigin Resets() => new(async connection =>
    {
        await connection.TakeRequest();
        connection.Reset();
    });

    /// <summary>Takes the request, says this, and closes.</summary>
    public static RawOrigin Says(string text) => new(async connection =>
    {
        await connection.TakeRequest();
        await connection.Say(text);
    });

    /// <summary>Takes the request, says this, and then nothing more.</summary>
    public static RawOrigin SaysAndHangs(string text) => new(async connection =>
    {
        await connection.TakeRequest();
        await connection.Say(text);
        await connection.Closed();
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
        Interlocked.Increment(ref _open);
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

        Interlocked.Decrement(ref _open);
    }
}

internal sealed class RawConnection(TcpClient client, CancellationToken ended)
{
    private readonly NetworkStream _stream = client.GetStream();

    /// <summary>Reads up to the empty line, and whatever came along behind it.</summary>
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

    /// <summary>Reads all of a request whose head tells how long its body is: a close while some of it is unread is a reset.</summary>
    /// <returns>How long the body was.</returns>
    public async Task<long> TakeRequest()
    {
        var text = await TakeHead();
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        var told = text.IndexOf("Content-Length:", StringComparison.OrdinalIgnoreCase);
        var length = told < 0 || told > head ? 0 : long.Parse(text.AsSpan(told + 15, text.IndexOf('\r', told) - told - 15), null);
        var buffer = new byte[65_536];
        for (var left = head + length - text.Length; left > 0;)
        {
            var read = await _stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), ended);
            left = read > 0 ? left - read : throw new IOException("Closed.");
        }

        return length;
    }

    public Task Say(string text) => Say(Encoding.Latin1.GetBytes(text));

    public async Task Say(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes, ended);

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
