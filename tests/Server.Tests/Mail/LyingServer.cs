using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tollgate.Server.Tests.Mail;

/// <summary>What a broken mail server does, and from which step on.</summary>
public enum Lie
{
    /// <summary>Takes the connection and never says a word.</summary>
    Silence,

    /// <summary>Speaks another language.</summary>
    Http,

    /// <summary>Is busy at once.</summary>
    Busy,

    /// <summary>Does not know us.</summary>
    WantsPassword,

    /// <summary>Takes the whole mail and never says whether it has it.</summary>
    SilenceAtTheEnd,

    /// <summary>Takes the whole mail and hangs up.</summary>
    HangsUpAtTheEnd,

    /// <summary>Answers its greeting with lines without end.</summary>
    Endless,
}

/// <summary>A mail server that does not do what mail servers do.</summary>
internal sealed class LyingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Lie _lie;
    private readonly Task _work;
    private int _connections;
    private int _mails;

    public LyingServer(Lie lie)
    {
        _lie = lie;
        _listener.Start();
        _work = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Mails that it had to the last byte.</summary>
    public int Mails => Volatile.Read(ref _mails);

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Dispose();
        await _work;
        _ended.Dispose();
    }

    private async Task Accept()
    {
        var talks = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_ended.Token);
                Interlocked.Increment(ref _connections);
                talks.Add(Talk(client));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        await Task.WhenAll(talks);
    }

    private async Task Talk(TcpClient client)
    {
        using var held = client;
        try
        {
            var stream = client.GetStream();
            using var lines = new StreamReader(stream, Encoding.UTF8);
            await Greet(stream);
            while (await lines.ReadLineAsync(_ended.Token) is { } line)
            {
                var word = line.Split(' ', ':')[0];
                if (word == "DATA")
                {
                    await Say(stream, "354 go on");
                    while (await lines.ReadLineAsync(_ended.Token) is { } of && of != ".")
                    {
                    }

                    Interlocked.Increment(ref _mails);
                    if (_lie == Lie.HangsUpAtTheEnd)
                    {
                        return;
                    }

                    await Task.Delay(Timeout.Infinite, _ended.Token);
                }

                await Answer(stream, word);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
        }
    }

    private Task Greet(Stream stream) => _lie switch
    {
        Lie.Silence => Task.Delay(Timeout.Infinite, _ended.Token),
        Lie.Http => Say(stream, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"),
        Lie.Busy => Say(stream, "421 busy"),
        _ => Say(stream, "220 hello"),
    };

    private async Task Answer(Stream stream, string word)
    {
        while (_lie == Lie.Endless && word == "EHLO")
        {
            await Say(stream, "250-more");
        }

        await Say(stream, word == "MAIL" && _lie == Lie.WantsPassword ? "530 who are you" : word == "EHLO" ? "250 8BITMIME" : "250 ok");
    }

    private async Task Say(Stream stream, string line) => await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), _ended.Token);
}
