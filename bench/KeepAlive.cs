using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tollgate.Bench;

/// <summary>
/// One connection that stays open, on a thread of its own: requests go out as bytes, several at once if wanted, and of the answers only the
/// status is read. Cheap enough that the client does not become what is measured.
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    private static readonly byte[] Mark = "HTTP/1.1 "u8.ToArray();

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[65_536];
    private int _kept;

    public KeepAlive(string address)
    {
        var url = new Uri(address);
        _socket.Connect(IPAddress.Parse(url.Host), url.Port);
        _socket.ReceiveTimeout = 30_000;
    }

    /// <summary>A GET as bytes, from a client behind a trusted proxy.</summary>
    public static byte[] Get(string path, string key, string? client = null) => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        + (client is null ? "\r\n" : $"X-Forwarded-For: {client}\r\n\r\n"));

    public void Send(ReadOnlySpan<byte> requests)
    {
        while (!requests.IsEmpty)
        {
            requests = requests[_socket.Send(requests)..];
        }
    }

    /// <summary>Waits for as many answers as <paramref name="statuses"/> has places.</summary>
    public void Receive(Span<int> statuses)
    {
        int seen = 0;
        while (seen < statuses.Length)
        {
            int read = _socket.Receive(_buffer.AsSpan(_kept));
            if (read == 0)
            {
                throw new IOException("The server closed the connection.");
            }

            ReadOnlySpan<byte> text = _buffer.AsSpan(0, _kept + read);
            while (text.IndexOf(Mark) is >= 0 and var at && at + Mark.Length + 3 <= text.Length)
            {
                int status = int.Parse(text.Slice(at + Mark.Length, 3), NumberStyles.None, CultureInfo.InvariantCulture);
                if (seen < statuses.Length)
                {
                    statuses[seen++] = status;
                }

                text = text[(at + Mark.Length + 3)..];
            }

            // The head of an answer may come in two pieces.
            int tail = Math.Min(text.Length, Mark.Length + 2);
            text[^tail..].CopyTo(_buffer);
            _kept = tail;
        }
    }

    /// <summary>One request and the status of its answer.</summary>
    public int Ask(ReadOnlySpan<byte> request)
    {
        Span<int> status = stackalloc int[1];
        Send(request);
        Receive(status);
        return status[0];
    }

    public void Dispose() => _socket.Dispose();
}
