using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Client;

/// <summary>
/// The text an API client sends as its key. It prints as <c>[redacted]</c> everywhere: in logs, in records that hold it,
/// in the debugger. <see cref="Reveal"/> is the one way to the text.
/// </summary>
[DebuggerDisplay("[redacted]")]
[JsonConverter(typeof(SecretJson))]
public sealed class Secret : IEquatable<Secret>
{
    /// <summary>What stands in the place of a secret when something prints it.</summary>
    private const string Redacted = "[redacted]";

    private readonly string _text;

    private Secret(string text) => _text = text;

    /// <summary>Wraps a secret. Refuses text that no HTTP header could carry, since such a key can never be sent.</summary>
    /// <exception cref="ArgumentException">The text is empty or has characters outside visible ASCII.</exception>
    public static Secret From(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return text.All(c => c is > ' ' and <= '~')
            ? new Secret(text)
            : throw new ArgumentException("A key has visible ASCII characters only, without spaces.", nameof(text));
    }

    /// <summary>As it came: a key to be checked may be any text, and the gate is the one to judge it.</summary>
    internal static Secret Unchecked(string text) => new(text);

    /// <summary>Wraps a secret, as <see cref="From"/> does.</summary>
    public static implicit operator Secret(string text) => From(text);

    /// <summary>The text itself. Call it where the secret is handed over, and nowhere else.</summary>
    public string Reveal() => _text;

    /// <summary>Always <c>[redacted]</c>.</summary>
    public override string ToString() => Redacted;

    /// <inheritdoc/>
    public bool Equals(Secret? other) => other is not null && string.Equals(_text, other._text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);
}

/// <summary>A secret on the wire is its text.</summary>
internal sealed class SecretJson : JsonConverter<Secret>
{
    public override Secret? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetString() is { } text ? Secret.Unchecked(text) : null;

    public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Reveal());
}
