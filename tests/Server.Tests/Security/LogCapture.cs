using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>Everything a gate hands to its log, exceptions and scopes with it, and the lines that its formatters make of that.</summary>
internal sealed class LogCapture(params GateLogFormatter[] formatters) : ILoggerProvider
{

    /// <summary>As handed over.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>As written, in both formats.</summary>
    public ConcurrentQueue<string> Written { get; } = new();

    /// <summary>From now on; the gate must have been started with the level that is wanted.</summary>
    public static LogCapture Of(RunningGate gate)
    {
        var redaction = gate.Services.GetRequiredService<KeyRedaction>();
        var capture = new LogCapture(
            new GateLogFormatter(redaction, gate.Clock, asJson: false), new GateLogFormatter(redaction, gate.Clock, asJson: true));
        gate.Services.GetRequiredService<ILoggerFactory>().AddProvider(capture);
        return capture;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, this);

    public void Dispose()
    {
        // Nothing is held open.
    }

    private void Write<TState>(in LogEntry<TState> entry)
    {
        using var output = new StringWriter();
        foreach (var formatter in formatters)
        {
            formatter.Write(entry, null, output);
        }

        Written.Enqueue(output.ToString());
    }

    private sealed class Logger(string category, LogCapture capture) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            capture.Lines.Enqueue($"{category} scope {state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            capture.Lines.Enqueue($"{category} {formatter(state, exception)} {exception}");
            capture.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter));
        }
    }
}
