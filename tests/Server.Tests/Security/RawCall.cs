using System.Net.Sockets;
using System.Text;

namespace Tollgate.Server.Tests.Security;

/// <summary>A request written byte by byte, for what no HTTP client would send.</summary>
internal sealed class RawCall : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpClient _client = new() { NoDelay = true };

    private RawCall()
    {
    }

    public NetworkStream Stream { get; private set; } = null!;

    public static async Task<RawCall> To(string address)
    {
        var call = new RawCall();
        var url = new Uri(address);
        await call._client.ConnectAsync(url.Host, url.Port);
        call.Stream = call._client.GetStream();
        return call;
    }

    /// <summary>Sends a whole request and answers everything that comes back until the server closes.</summary>
    public static async Task<RawAnswer> Send(string address, string request)
    {
        await using var call = await To(address);
        await call.Write(request);
        return await call.Answer();
    }

    /// <summary>A request without a body that asks for the connection to be closed after it.</summary>
    public static Task<RawAnswer> Get(string address, string target, string? key = null, string method = "GET") => Send(
        address,
        $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + $"{(key is null ? "" : $"Authorization: Bearer {key}\r\n")}\r\n");

    public async Task Write(string text) => await Stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Writes until all is out or the server does not listen any more.</summary>
    public async Task<bool> TryWrite(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await Stream.WriteAsync(bytes);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public async Task<RawAnswer> Answer()
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[8_192];
        try
        {
            while (await Stream.ReadAsync(buffer, patience.Token) is var read and > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // The server hung up while we were still sending; what it said before counts.
        }

        return new RawAnswer(text.ToString());
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>What came back, undecoded.</summary>
internal sealed record RawAnswer(string Text)
{
    public int Status => Text.Length > 12 && Text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
        ? int.Parse(Text.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture)
        : 0;

    public string Body => Text.Contains("\r\n\r\n", StringComparison.Ordinal)
        ? Text[(Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]
        : "";
}
