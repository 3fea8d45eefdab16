using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// Writes a line per entry of the log, for people or as a JSON object, and the one place where keys are taken out: whatever has found its
/// way into a message, a value or an exception passes here last. A line is one line, whatever a stranger's text holds, and has a bound.
/// </summary>
internal sealed class GateLogFormatter(KeyRedaction redaction, TimeProvider time, bool asJson) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "tollgate";

    /// <summary>Characters of one text: a message, a value, an exception with its stack.</summary>
    public const int TextCharsMax = 16_384;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter?.Invoke(logEntry.State, logEntry.Exception) ?? logEntry.State?.ToString() ?? "";
        var line = new LogLine
        {
            Time = time.GetUtcNow(),
            Level = logEntry.LogLevel,
            Category = logEntry.Category,
            Event = logEntry.EventId,
            Message = Clean(message),
            Exception = logEntry.Exception is { } fault ? Clean(fault.ToString()) : null,
        };
        textWriter.Write(asJson ? Json(line, logEntry.State) : Text(line));
        textWriter.Write('\n');
    }

    /// <summary>Keys first, because a cut might leave the half of one that is not recognised any more.</summary>
    private string Clean(string text)
    {
        var plain = redaction.Of(text);
        return plain.Length <= TextCharsMax ? plain : string.Concat(plain.AsSpan(0, TextCharsMax), "...");
    }

    private static string Text(LogLine line)
    {
        var text = new StringBuilder(256);
        text.Append(line.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z' ", CultureInfo.InvariantCulture))
            .Append(NameOf(line.Level)).Append(": ").Append(line.Category)
            .Append('[').Append(line.Event.Id.ToString(CultureInfo.InvariantCulture)).Append("] ").Append(line.Message);
        if (Activity.Current is { } span)
        {
            text.Append(" trace=").Append(span.TraceId.ToHexString());
        }

        if (line.Exception is not null)
        {
            text.Append(' ').Append(line.Exception);
        }

        for (var i = 0; i < text.Length; i++)
        {
            text[i] = char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029' ? ' ' : text[i];
        }

        return text.ToString();
    }

    private string Json<TState>(LogLine line, TState state)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(output, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("time", line.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", line.Level.ToString().ToLowerInvariant());
            json.WriteString("category", line.Category);
            json.WriteString("event", line.Event.Name ?? line.Event.Id.ToString(CultureInfo.InvariantCulture));
            json.WriteString("message", line.Message);
            if (Activity.Current is { } span)
            {
                json.WriteString("trace_id", span.TraceId.ToHexString());
                json.WriteString("span_id", span.SpanId.ToHexString());
            }

            if (state is IEnumerable<KeyValuePair<string, object?>> values)
            {
                WriteValues(json, values);
            }

            if (line.Exception is not null)
            {
                json.WriteString("exception", line.Exception);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>What the message was made of, by name; the message's own form is a constant of the code.</summary>
    private void WriteValues(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> values)
    {
        var isOpen = false;
        foreach (var (name, value) in values.Where(pair => pair.Key != "{OriginalFormat}"))
        {
            if (!isOpen)
            {
                json.WriteStartObject("values");
                isOpen = true;
            }

            json.WriteString(name, Clean(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
        }

        if (isOpen)
        {
            json.WriteEndObject();
        }
    }

    /// <summary>The four letters that the framework's own console has for it.</summary>
    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };

    /// <summary>An entry with its texts cleaned.</summary>
    private sealed record LogLine
    {
        public required DateTimeOffset Time { get; init; }

        public required LogLevel Level { get; init; }

        public required string Category { get; init; }

        public required EventId Event { get; init; }

        public required string Message { get; init; }

        public required string? Exception { get; init; }
    }
}
