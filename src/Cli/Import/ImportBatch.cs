using System.Buffers;
using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary>
/// Rows that go out together: as many as a call may have, in number and in bytes. Those that are not sent keep their place among them.
/// </summary>
internal sealed class ImportBatch(int rowsMax)
{
    private readonly List<SourceRow> _rows = [];
    private readonly ArrayBufferWriter<byte> _lines = new();
    private int _sent;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<SourceRow> Rows => _rows;

    /// <summary>Whether anything of it is for the gate.</summary>
    public bool HasLines => _sent > 0;

    public ReadOnlyMemory<byte> Lines => _lines.WrittenMemory;

    public static bool IsSent(SourceRow row) => row is { Fault: null, IsSkipped: false };

    /// <summary>False when the row would be one too many: it belongs into the next.</summary>
    public bool TryAdd(SourceRow row)
    {
        // Rows that are not sent cost memory too.
        if (_rows.Count >= rowsMax || (_rows.Count > 0 && _lines.WrittenCount + row.Json.Length + 1 > ImportCalls.BytesMax))
        {
            return false;
        }

        _rows.Add(row);
        if (IsSent(row))
        {
            _sent++;
            _lines.Write(row.Json.Span);
            _lines.Write("\n"u8);
        }

        return true;
    }

    public void Clear()
    {
        _rows.Clear();
        _lines.ResetWrittenCount();
        _sent = 0;
    }
}
