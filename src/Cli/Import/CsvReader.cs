using System.Text;

namespace Tollgate.Cli.Import;

/// <summary>
/// Comma-separated values by RFC 4180, a record at a time: fields may be quoted, quotes in them are doubled, quoted fields may hold line
/// ends. A field that is empty and not quoted is null, as PostgreSQL writes it.
/// </summary>
internal sealed class CsvReader(TextReader text)
{
    public const int FieldsMax = 500;
    public const int RecordCharsMax = 1_024 * 1_024;

    private readonly char[] _buffer = new char[16 * 1_024];
    private readonly StringBuilder _field = new();
    private int _at, _filled, _recordChars;
    private long _line = 1;

    /// <summary>The line on which the record that was read last begins.</summary>
    public long Line { get; private set; }

    /// <summary>The next record, without those that are empty lines; null at the end.</summary>
    /// <exception cref="UsageException">The text is not what it should be; nothing after that place can be trusted.</exception>
    public List<string?>? Read()
    {
        while (Peek() is '\r' or '\n')
        {
            Next();
        }

        if (Peek() < 0)
        {
            return null;
        }

        (Line, _recordChars) = (_line, 0);
        var fields = new List<string?>();
        do
        {
            if (fields.Count == FieldsMax)
            {
                throw Broken($"a record has at most {FieldsMax} fields");
            }

            fields.Add(Peek() == '"' ? Quoted() : Plain());
        }
        while (Separator());
        return fields;
    }

    private string? Plain()
    {
        _field.Clear();
        while (Peek() is var c and >= 0 and not (',' or '\r' or '\n'))
        {
            if (c == '"')
            {
                throw Broken("a quote stands inside a field that is not quoted");
            }

            Take();
        }

        return _field.Length == 0 ? null : _field.ToString();
    }

    private string Quoted()
    {
        _field.Clear();
        Next();
        while (true)
        {
            switch (Peek())
            {
                case < 0:
                    throw Broken("a quoted field does not end");
                case '"':
                    Next();
                    if (Peek() != '"')
                    {
                        return _field.ToString();
                    }

                    break;
                default:
                    break;
            }

            Take();
        }
    }

    /// <summary>Whether another field follows; else the record's end is behind us.</summary>
    private bool Separator()
    {
        switch (Peek())
        {
            case ',':
                Next();
                return true;
            case '\r':
                Next();
                if (Peek() == '\n')
                {
                    Next();
                }

                return false;
            case '\n':
                Next();
                return false;
            case < 0:
                return false;
            default:
                throw Broken("something stands between a closing quote and the next comma");
        }
    }

    private void Take()
    {
        if (++_recordChars > RecordCharsMax)
        {
            throw Broken($"a record has at most {RecordCharsMax} characters: is a quote missing?");
        }

        _field.Append((char)Next());
    }

    private int Peek()
    {
        if (_at == _filled)
        {
            (_at, _filled) = (0, Fill());
        }

        return _filled == 0 ? -1 : _buffer[_at];
    }

    private int Fill()
    {
        try
        {
            return text.Read(_buffer);
        }
        catch (DecoderFallbackException)
        {
            throw Broken("the text is not UTF-8");
        }
    }

    private int Next()
    {
        var c = Peek();
        _at++;
        _line += c == '\n' ? 1 : 0;
        return c;
    }

    private UsageException Broken(string why) => new($"Line {_line} of the file: {why}.");
}
