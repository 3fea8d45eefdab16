namespace Tollgate.Gateway.Metering;

/// <summary>
/// Finds the blank lines that end the events of a stream, in pieces cut anywhere. Lines end in LF, CR or both. The LF of a CR LF behind an
/// event is none of its bytes, so that an event can pass before it is known whether one comes.
/// </summary>
internal struct EventEnds
{
    private bool _isInLine;
    private bool _isAfterCr;

    /// <summary>Whether the byte is the second half of a line's end that has already counted.</summary>
    public bool TakesLf(byte next)
    {
        var takes = _isAfterCr && next == '\n';
        _isAfterCr &= !takes;
        return takes;
    }

    /// <summary>How many of the bytes come up to the end of the event and with it; -1 where it does not end here.</summary>
    public int Next(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            if (TakesLf(bytes[at]))
            {
                at++;
                continue;
            }

            var length = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (length != 0)
            {
                (_isInLine, _isAfterCr) = (true, false);
            }

            if (length < 0)
            {
                return -1;
            }

            at += length + 1;
            _isAfterCr = bytes[at - 1] == '\r';
            if (!_isInLine)
            {
                return at;
            }

            _isInLine = false;
        }

        return -1;
    }
}
