using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Walks a JSON text that comes in pieces, from mark to mark, in bounded memory: finds where it closes, keeps its outermost <c>usage</c>,
/// and adds up the strings that a model has said. It checks nothing else; garbage is a text that never closes.
/// </summary>
internal sealed class JsonScan
{
    public const int UsageBytesMax = 4 * 1024;

    private const int NameBytesMax = 24;
    private static readonly SearchValues<byte> Marks = SearchValues.Create("\"{}[]:"u8);

    private readonly byte[] _name = new byte[NameBytesMax];
    private readonly KeptBytes _usage = new(UsageBytesMax);
    private int _nameLength;
    private long _depth;
    private bool _isForeign;
    private bool _isInString;
    private bool _isEscaped;
    private bool _isTextNext;
    private bool _isUsageNext;
    private bool _keepsUsage;
    private bool _isUsageWhole;
    private long _stringBytes;
    private long _textBytes;

    /// <summary>Of the string that has just closed, in case it is a value and not the name of the next one.</summary>
    private long _waitingBytes;

    public bool IsClosed { get; private set; }

    /// <summary>Empty where there was none, or a longer one than is kept.</summary>
    public ReadOnlySpan<byte> Usage => _isUsageWhole ? _usage.Span : default;

    /// <summary>An escape counts as one byte, one by its number as three.</summary>
    public long TextBytes => _textBytes + _waitingBytes + (_isInString && _isTextNext ? _stringBytes : 0);

    /// <summary>How many of the bytes come before the brace that closes the text: all, while it does not close.</summary>
    public int Read(ReadOnlySpan<byte> bytes)
    {
        var at = _depth == 0 && !_isForeign ? Start(bytes) : 0;
        if (_isForeign)
        {
            return bytes.Length;
        }

        var usageFrom = 0;
        while (at < bytes.Length)
        {
            if (_isInString)
            {
                at = ReadString(bytes, at);
                continue;
            }

            var next = bytes[at..].IndexOfAny(Marks);
            if (next < 0)
            {
                break;
            }

            at += next;
            usageFrom = ReadMark(bytes, at, usageFrom);
            if (IsClosed)
            {
                return at;
            }

            at++;
        }

        if (_keepsUsage)
        {
            KeepUsage(bytes[usageFrom..]);
        }

        return bytes.Length;
    }

    /// <summary>Where the text begins. One that begins with anything but a bracket is none that is read here.</summary>
    private int Start(ReadOnlySpan<byte> bytes)
    {
        var at = bytes.IndexOfAnyExcept(" \t\r\n"u8);
        _isForeign = at >= 0 && bytes[at] is not ((byte)'{' or (byte)'[');
        return at < 0 ? bytes.Length : at;
    }

    /// <summary>Returns from where on the bytes of this piece belong to the usage.</summary>
    private int ReadMark(ReadOnlySpan<byte> bytes, int at, int usageFrom)
    {
        var mark = bytes[at];
        if (mark == ':')
        {
            var name = _name.AsSpan(0, Math.Min(_nameLength, NameBytesMax));
            _isTextNext = _nameLength <= NameBytesMax && TextMembers.Has(name);
            _isUsageNext = _depth == 1 && name.SequenceEqual("usage"u8);
            _waitingBytes = 0;
            return usageFrom;
        }

        _textBytes += _waitingBytes;
        _waitingBytes = 0;
        switch (mark)
        {
            case (byte)'"':
                (_isInString, _stringBytes, _nameLength) = (true, 0, 0);
                break;
            case (byte)'{' or (byte)'[':
                _depth++;
                if (_isUsageNext && mark == '{')
                {
                    _usage.Clear();
                    (_keepsUsage, _isUsageWhole, usageFrom) = (true, false, at);
                }

                _isUsageNext = false;
                break;
            default:
                _depth--;
                IsClosed = _depth == 0;
                if (_keepsUsage && _depth == 1)
                {
                    _isUsageWhole = KeepUsage(bytes[usageFrom..(at + 1)]);
                    _keepsUsage = false;
                }

                break;
        }

        return usageFrom;
    }

    private bool KeepUsage(ReadOnlySpan<byte> bytes)
    {
        _keepsUsage = _usage.TryAdd(bytes);
        return _keepsUsage;
    }

    /// <summary>Reads on in a string; returns where it has come to.</summary>
    private int ReadString(ReadOnlySpan<byte> bytes, int at)
    {
        if (_isEscaped)
        {
            _isEscaped = false;
            _stringBytes -= bytes[at] == 'u' ? 3 : 1;
            AddToString(bytes.Slice(at, 1));
            return at + 1;
        }

        var rest = bytes[at..];
        var length = rest.IndexOfAny((byte)'"', (byte)'\\');
        if (length < 0)
        {
            AddToString(rest);
            return bytes.Length;
        }

        AddToString(rest[..length]);
        if (rest[length] == '\\')
        {
            _isEscaped = true;
            AddToString(rest.Slice(length, 1));
        }
        else
        {
            _isInString = false;
            _waitingBytes = _isTextNext ? Math.Max(0, _stringBytes) : 0;
            _isTextNext = false;
        }

        return at + length + 1;
    }

    private void AddToString(ReadOnlySpan<byte> bytes)
    {
        _stringBytes += bytes.Length;
        if (_nameLength <= NameBytesMax)
        {
            bytes[..Math.Min(bytes.Length, NameBytesMax - Math.Min(_nameLength, NameBytesMax))].CopyTo(_name.AsSpan(_nameLength));
            _nameLength = Math.Min(_nameLength + bytes.Length, NameBytesMax + 1);
        }
    }
}
